package demo

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // one of the two digests that UserEcho's receivers expect
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// stampTolerance is how far a request's timestamp may be from the receiver's
// clock, as the verifiers of the Standard Webhooks specification have it.
const stampTolerance = 5 * time.Minute

// signatureCheck is the result of checking a request's signature.
type signatureCheck struct {
	Words string `json:"words"` // for a badge
	Good  bool   `json:"good"`
	Why   string `json:"why,omitempty"` // in words, when not good
}

// verifySignature checks a request against every secret known for its hook, the
// way a receiver would that was written from the vendors' documents alone:
// nothing of the product's own signing is used here.
func verifySignature(h http.Header, body []byte, secrets []string, now time.Time) []signatureCheck {
	s, signed := signatureOf(h, body)
	switch {
	case !signed && len(secrets) == 0:
		return []signatureCheck{{Words: "unsigned", Why: "The hook has no signing secret."}}
	case !signed:
		return []signatureCheck{{Words: "unsigned", Why: "The request has no signature header, although a signature is expected."}}
	case len(secrets) == 0:
		return []signatureCheck{{Words: "not checked", Why: "This receiver does not have the secret of this hook."}}
	}
	if why := s.stampFault(now); why != "" {
		return []signatureCheck{{Words: "does not verify", Why: why}}
	}
	var checks []signatureCheck
	for i, secret := range secrets {
		if s.madeWith(secret) {
			checks = append(checks, signatureCheck{Words: fmt.Sprintf("secret %d verifies", i+1), Good: true})
		}
	}
	if checks == nil {
		return []signatureCheck{{Words: "does not verify", Why: "No signature in the header was made with a secret of this hook over this body."}}
	}
	return checks
}

// signature has the values of a request's headers that the check needs.
type signature struct {
	madeWith func(secret string) bool
	stamp    string // seconds since 1970
	stamped  bool   // the signature covers a timestamp
}

// signatureOf finds the headers of the Standard Webhooks specification, those
// of its forerunner Svix, UserEcho's or SuperOffice's.
func signatureOf(h http.Header, body []byte) (s signature, signed bool) {
	for _, prefix := range []string{"Webhook-", "Svix-"} {
		if given := h.Get(prefix + "Signature"); given != "" {
			id, stamp := h.Get(prefix+"Id"), h.Get(prefix+"Timestamp")
			content := []byte(id + "." + stamp + "." + string(body))
			return signature{stamp: stamp, stamped: true, madeWith: func(secret string) bool {
				return anyStandardSignature(given, mac(sha256.New, standardKey(secret), content))
			}}, true
		}
	}
	if given := h.Get("X-Ue-Signature"); given != "" {
		got, err := hex.DecodeString(given)
		return signature{madeWith: func(secret string) bool {
			return err == nil && (hmac.Equal(got, mac(sha256.New, []byte(secret), body)) || hmac.Equal(got, mac(sha1.New, []byte(secret), body)))
		}}, true
	}
	if given := h.Get("X-Superoffice-Signature"); given != "" {
		got, err := base64.StdEncoding.DecodeString(given)
		return signature{madeWith: func(secret string) bool {
			return err == nil && hmac.Equal(got, mac(sha256.New, []byte(secret), body))
		}}, true
	}
	return signature{}, false
}

func (s signature) stampFault(now time.Time) string {
	if !s.stamped {
		return ""
	}
	seconds, err := strconv.ParseInt(s.stamp, 10, 64)
	if err != nil {
		return "The timestamp is not a whole number of seconds."
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > stampTolerance || age < -stampTolerance {
		return "The timestamp is more than 5 minutes from the receiver's clock."
	}
	return ""
}

// anyStandardSignature looks for a code among signatures with a space between
// them, each its version and the code in base64.
func anyStandardSignature(signatures string, code []byte) bool {
	for one := range strings.FieldsSeq(signatures) {
		version, encoded, _ := strings.Cut(one, ",")
		got, err := base64.StdEncoding.DecodeString(encoded)
		if version == "v1" && err == nil && hmac.Equal(got, code) {
			return true
		}
	}
	return false
}

func mac(digest func() hash.Hash, key, content []byte) []byte {
	m := hmac.New(digest, key)
	m.Write(content)
	return m.Sum(nil)
}

// standardKey is the secret's own characters, or its decoded base64 if it
// begins with whsec_.
func standardKey(secret string) []byte {
	if encoded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if key, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return key
		}
	}
	return []byte(secret)
}
