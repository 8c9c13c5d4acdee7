// Package secret seals values that must not be readable in the database:
// signing secrets, custom header values and target URLs. It promises that a
// Sealed value never prints its content, and that one opened under another
// context or key is an error, never garbage. It knows nothing of where values
// are kept.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

// ErrWrongKey says that none of the keys opens the value.
var ErrWrongKey = errors.New("sealed with a key that is not among the given ones")

// Sealed is an encrypted value as it is stored: key id, a dot, base64 of nonce
// and ciphertext. The empty string means that there is none.
type Sealed string

// String hides the value.
func (s Sealed) String() string {
	if s == "" {
		return ""
	}
	return "(sealed)"
}

// GoString hides the value from %#v.
func (s Sealed) GoString() string { return s.String() }

// LogValue hides the value from slog.
func (s Sealed) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the value from encoders.
func (s Sealed) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Value stores the sealed form; database/sql would otherwise ask String.
func (s Sealed) Value() (driver.Value, error) { return string(s), nil }

// Box seals with its first key and opens with any.
type Box struct {
	keys   []key
	opened atomic.Int64
}

type key struct {
	id   string
	raw  []byte
	aead cipher.AEAD
}

// NewBox returns a box for keys of KeySize bytes, the current one first.
func NewBox(keys ...[]byte) (*Box, error) {
	if len(keys) == 0 {
		return nil, errors.New("no key given")
	}
	b := &Box{}
	for i, raw := range keys {
		if len(raw) != KeySize {
			return nil, fmt.Errorf("key %d has %d bytes, not %d", i+1, len(raw), KeySize)
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(raw)
		b.keys = append(b.keys, key{id: hex.EncodeToString(sum[:4]), raw: raw, aead: aead})
	}
	return b, nil
}

// Seal encrypts plain for one context (such as "webhook:7:secret1"), which
// must be given again to open it. The empty string stays empty.
func (b *Box) Seal(plain, context string) Sealed {
	if plain == "" {
		return ""
	}
	k := b.keys[0]
	box := k.aead.Seal(nil, nil, []byte(plain), []byte(context)) //nolint:gosec // this AEAD makes a random nonce itself
	return Sealed(Mark(k.id) + base64.RawStdEncoding.EncodeToString(box))
}

// Open decrypts a value that Seal made for the same context. Errors:
// ErrWrongKey, or that the value is damaged or belongs elsewhere.
func (b *Box) Open(s Sealed, context string) (string, error) {
	if s == "" {
		return "", nil
	}
	id, text, _ := strings.Cut(string(s), ".")
	for _, k := range b.keys {
		if k.id != id {
			continue
		}
		box, err := base64.RawStdEncoding.DecodeString(text)
		if err != nil {
			return "", fmt.Errorf("sealed value of %s is damaged: %w", context, err)
		}
		b.opened.Add(1)
		plain, err := k.aead.Open(nil, nil, box, []byte(context))
		if err != nil {
			return "", fmt.Errorf("sealed value of %s does not open: %w", context, err)
		}
		return string(plain), nil
	}
	return "", ErrWrongKey
}

// Opened is how many values the box has decrypted so far.
func (b *Box) Opened() int64 { return b.opened.Load() }

// Mark is the prefix of values that the key with this id sealed.
func Mark(id string) string { return id + "." }

// Knows tells whether s is empty or sealed with one of the keys.
func (b *Box) Knows(s Sealed) bool {
	return s == "" || slices.ContainsFunc(b.keys, func(k key) bool { return strings.HasPrefix(string(s), Mark(k.id)) })
}

// Current tells whether s is empty or sealed with the first key.
func (b *Box) Current(s Sealed) bool {
	return s == "" || strings.HasPrefix(string(s), Mark(b.keys[0].id))
}

// Derive returns, for each key in order, 32 bytes for another purpose, such
// as signing cookies.
func (b *Box) Derive(purpose string) [][]byte {
	derived := make([][]byte, 0, len(b.keys))
	for _, k := range b.keys {
		d, err := hkdf.Key(sha256.New, k.raw, nil, "sitehooks "+purpose, KeySize)
		if err != nil {
			panic(err) // only for absurd lengths
		}
		derived = append(derived, d)
	}
	return derived
}
