package read

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// maxClockSkew is how far the time that a sender signed may be from ours.
const maxClockSkew = 5 * time.Minute

// readSecrets are the two secrets of a kind of source.
func readSecrets(help string) []wire.SecretField {
	return []wire.SecretField{
		{Key: "secret_1", Label: "Signing secret 1", Help: help},
		{
			Key: "secret_2", Label: "Signing secret 2",
			Help: "While both are set, a request signed with either of them is accepted, so that the sender can change from one to the other.",
		},
	}
}

// verifyStandard checks the signature of the Standard Webhooks specification,
// whose headers begin with prefix. A key is one of those that a secret stands
// for.
func verifyStandard(r Received, prefix string, keys func(secret string) [][]byte) error {
	id, err := oneHeader(r, prefix+"id")
	if err != nil {
		return err
	}
	timestamp, err := oneHeader(r, prefix+"timestamp")
	if err != nil {
		return err
	}
	signature, err := oneHeader(r, prefix+"signature")
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != timestamp {
		return wire.Sentencef("The header %stimestamp is not a time in seconds since 1970.", prefix)
	}
	at := time.Unix(seconds, 0)
	if at.Before(r.At.Add(-maxClockSkew)) || at.After(r.At.Add(maxClockSkew)) {
		return wire.Sentencef("The time in the header %stimestamp is more than five minutes from the time of receipt. Check the clocks of both systems.", prefix)
	}
	signatures := strings.Fields(signature)
	for _, secret := range r.Secrets {
		for _, key := range keys(secret) {
			want := []byte(wire.StandardSignature(id, at, r.Body, key))
			for _, s := range signatures {
				if hmac.Equal([]byte(s), want) {
					return nil
				}
			}
		}
	}
	return wrongSignature(prefix + "signature")
}

// standardKeys are the keys that a secret of the Standard Webhooks specification
// stands for: its text, which is what the generic type signs with, and where it
// begins with whsec_ the bytes that follow in base64.
func standardKeys(secret string) [][]byte {
	keys := [][]byte{[]byte(secret)}
	if strings.HasPrefix(secret, wire.WhsecPrefix) {
		keys = append(keys, whsecKeys(secret)...)
	}
	return keys
}

func whsecKeys(secret string) [][]byte {
	key, err := wire.WhsecKey(secret)
	if err != nil {
		return nil
	}
	return [][]byte{key}
}

// digest is how a header holds the HMAC of a body, keyed with the secret's text.
type digest struct {
	hash func() hash.Hash
	// decode reads the header's text.
	decode func(string) ([]byte, error)
}

var (
	hexSHA256    = digest{sha256.New, hex.DecodeString}
	base64SHA256 = digest{sha256.New, base64.StdEncoding.DecodeString}
)

// verifyDigest checks the HMAC of the body in a header; prefix may stand before
// it there.
func verifyDigest(r Received, header, prefix string, d digest) error {
	text, err := oneHeader(r, header)
	if err != nil {
		return err
	}
	got, err := d.decode(strings.TrimPrefix(text, prefix))
	if err != nil {
		return wire.Sentencef("The header %s holds no signature.", header)
	}
	for _, secret := range r.Secrets {
		mac := hmac.New(d.hash, []byte(secret))
		mac.Write(r.Body)
		if hmac.Equal(got, mac.Sum(nil)) {
			return nil
		}
	}
	return wrongSignature(header)
}

func wrongSignature(header string) error {
	return wire.Sentencef("The signature in the header %s does not match this body and the source's signing secret.", header)
}

// oneHeader is the value of a header that must be there once.
func oneHeader(r Received, name string) (string, error) {
	switch values := r.Header.Values(name); {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return "", wire.Sentencef("The header %s is missing.", name)
	case len(values) > 1:
		return "", wire.Sentencef("The header %s is there %d times.", name, len(values))
	default:
		return values[0], nil
	}
}
