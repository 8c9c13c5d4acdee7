package wire

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// messageID makes an id that cannot be guessed: msg_ and 27 base62 characters,
// of which the first seven are the time in milliseconds and the others about
// 119 random bits. Ids that grow with time stand together in an index, which is
// then written at its end, and not everywhere.
func messageID() string {
	return messageIDOf(time.Now(), func() (random [sha256.Size]byte) {
		_, _ = rand.Read(random[:]) // never fails: it ends the program instead
		return random
	})
}

// derivedMessageID is a messageID with the digits of a hash in place of random
// ones.
func derivedMessageID(at time.Time, hash [sha256.Size]byte) string {
	return messageIDOf(at, func() [sha256.Size]byte {
		hash = sha256.Sum256(hash[:])
		return hash
	})
}

func messageIDOf(t time.Time, more func() [sha256.Size]byte) string {
	id := make([]byte, len("msg_0000000"), len("msg_")+27)
	copy(id, "msg_")
	for i, at := len(id)-1, max(t.UnixMilli(), 0); i >= len("msg_"); i, at = i-1, at/62 {
		id[i] = base62[at%62]
	}
	for {
		for _, b := range more() {
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

// derivedGUID is a UUID of version 8: the time in milliseconds, as in version 7,
// followed by bits of a hash.
func derivedGUID(at time.Time, hash [sha256.Size]byte) string {
	id := uuid.UUID(hash[:16])
	ms := at.UnixMilli()
	for i := 5; i >= 0; i, ms = i-1, ms>>8 {
		id[i] = byte(ms)
	}
	id[6] = id[6]&0x0f | 0x80 // version
	id[8] = id[8]&0x3f | 0x80 // variant
	return id.String()
}

// HexSecret makes a secret of 64 lower-case hex digits.
func HexSecret() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails: it ends the program instead
	return hex.EncodeToString(random[:])
}
