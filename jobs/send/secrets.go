package send

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
)

const minSecret = 4 // bytes; shorter ones cannot be told from other text

// secrets are the texts that must not be recorded, with the means to find them
// in a text.
type secrets struct {
	list              []string       // longest first
	shortest, longest int            // bytes
	starts            [1 << 7]uint64 // a bit for each hash of a secret's first four bytes
}

// newSecrets adds the forms in which a receiver may repeat a secret: the token
// without its scheme, the key without its prefix, and the bytes that its base64
// or hexadecimal digits stand for.
func newSecrets(given []string) *secrets {
	s := &secrets{}
	for _, one := range given {
		s.add(one)
		if scheme, token, ok := strings.Cut(one, " "); ok && slices.Contains([]string{"bearer", "basic", "token"}, strings.ToLower(scheme)) {
			s.add(token)
			one = token
		}
		if key, ok := strings.CutPrefix(one, "whsec_"); ok {
			s.add(key)
			one = key
		}
		s.addDecoded(one)
	}
	slices.SortFunc(s.list, func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
	s.list = slices.Compact(s.list)
	return s
}

// addDecoded adds the bytes of a key in base64 or hexadecimal, and of a user
// with a password also the password.
func (s *secrets) addDecoded(key string) {
	const long = 8 // bytes; shorter keys are no such digits but text
	bare := strings.TrimRight(key, "=")
	for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.RawStdEncoding.DecodeString, base64.RawURLEncoding.DecodeString} {
		if raw, err := decode(bare); err == nil && len(raw) >= long {
			s.add(string(raw))
			if _, password, ok := strings.Cut(string(raw), ":"); ok {
				s.add(password)
			}
		}
	}
}

func (s *secrets) add(secret string) {
	if len(secret) < minSecret {
		return
	}
	s.list = append(s.list, secret)
	if s.shortest == 0 || len(secret) < s.shortest {
		s.shortest = len(secret)
	}
	s.longest = max(s.longest, len(secret))
	h := hashOf([]byte(secret[:minSecret]))
	s.starts[h>>6] |= 1 << (h & 63)
}

func hashOf(first []byte) uint32 {
	return binary.LittleEndian.Uint32(first) * 2654435761 >> 19
}

// in yields where the text has a secret. The last inexact bytes of a secret
// need not be the same.
func (s *secrets) in(text []byte, inexact int, yield func(span)) {
	for i := 0; i+minSecret <= len(text); i++ {
		if h := hashOf(text[i:]); s.starts[h>>6]&(1<<(h&63)) == 0 {
			continue
		}
		for _, secret := range s.list {
			sure := max(minSecret, len(secret)-inexact)
			if rest := text[i:]; len(rest) >= sure && string(rest[:sure]) == secret[:sure] {
				yield(span{i, min(i+len(secret)+inexact, len(text))})
				break
			}
		}
	}
}

// begun is where a secret begins that goes on behind the text; its length:
// none does.
func (s *secrets) begun(text []byte) int {
	for i := max(0, len(text)-s.longest+1); i < len(text); i++ {
		for _, secret := range s.list {
			if rest := text[i:]; len(rest) < len(secret) && string(rest) == secret[:len(rest)] {
				return i
			}
		}
	}
	return len(text)
}
