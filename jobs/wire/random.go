package wire

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// messageID makes an id that cannot be guessed: msg_ and 27 base62 characters,
// of which the first seven are the time in milliseconds and the others about
// 119 random bits. Ids that grow with time stand together in an index, which is
// then written at its end, and not everywhere.
func messageID() string {
	id := make([]byte, len("msg_0000000"), len("msg_")+27)
	copy(id, "msg_")
	for i, at := len(id)-1, time.Now().UnixMilli(); i >= len("msg_"); i, at = i-1, at/62 {
		id[i] = base62[at%62]
	}
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
