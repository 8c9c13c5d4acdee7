package wire

import (
	"crypto/rand"
	"encoding/hex"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// messageID makes an id that nobody can guess: msg_ and 27 base62 characters,
// about 160 bits.
func messageID() string {
	id := []byte("msg_")
	var random [32]byte
	for {
		_, _ = rand.Read(random[:]) // never fails: it ends the program instead
		for _, b := range random {
			// Six bits of which 62 values are used: all equally likely.
			if n := int(b & 63); n < len(base62) {
				id = append(id, base62[n])
			}
			if len(id) == len("msg_")+27 {
				return string(id)
			}
		}
	}
}

// hexSecret makes a secret of 64 lower-case hex digits.
func hexSecret() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails: it ends the program instead
	return hex.EncodeToString(random[:])
}
