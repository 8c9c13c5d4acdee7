package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// demoTolerance is how far a request's timestamp may be from the receiver's
// clock, as the verifiers of the Standard Webhooks specification have it.
const demoTolerance = 5 * time.Minute

// demoCheck is what the receiver found out about a request's signature.
type demoCheck struct {
	Words string `json:"words"` // for a badge
	Good  bool   `json:"good"`
	Why   string `json:"why,omitempty"` // in words, when not good
}

// demoVerify checks a request against every secret known for its hook, the way
// a receiver would that was written from the specification alone: nothing of
// the product's own signing is used here.
func demoVerify(h http.Header, body []byte, secrets []string, now time.Time) []demoCheck {
	id, stamp, signatures := demoSigned(h)
	switch {
	case signatures == "" && len(secrets) == 0:
		return []demoCheck{{Words: "unsigned", Why: "The hook has no signing secret."}}
	case signatures == "":
		return []demoCheck{{Words: "unsigned", Why: "A signature was expected; no signature header came."}}
	case len(secrets) == 0:
		return []demoCheck{{Words: "not checked", Why: "This receiver was not told the secret of this hook."}}
	}
	if why := demoStampFault(stamp, now); why != "" {
		return []demoCheck{{Words: "does not verify", Why: why}}
	}
	var checks []demoCheck
	for i, secret := range secrets {
		if demoSignedBy(secret, id, stamp, signatures, body) {
			checks = append(checks, demoCheck{Words: fmt.Sprintf("secret %d verifies", i+1), Good: true})
		}
	}
	if checks == nil {
		return []demoCheck{{Words: "does not verify", Why: "No signature in the header was made with a secret of this hook over this body."}}
	}
	return checks
}

// demoSigned returns the three parts that a signature needs, from the header
// names of the specification or those of its forerunner.
func demoSigned(h http.Header) (id, stamp, signatures string) {
	for _, prefix := range []string{"Webhook-", "Svix-"} {
		if s := h.Get(prefix + "Signature"); s != "" {
			return h.Get(prefix + "Id"), h.Get(prefix + "Timestamp"), s
		}
	}
	return "", "", ""
}

func demoStampFault(stamp string, now time.Time) string {
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return "The timestamp is not a whole number of seconds."
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > demoTolerance || age < -demoTolerance {
		return "The timestamp is more than 5 minutes from the receiver's clock."
	}
	return ""
}

func demoSignedBy(secret, id, stamp, signatures string, body []byte) bool {
	mac := hmac.New(sha256.New, demoKey(secret))
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	want := mac.Sum(nil)
	for one := range strings.FieldsSeq(signatures) {
		version, encoded, _ := strings.Cut(one, ",")
		got, err := base64.StdEncoding.DecodeString(encoded)
		if version == "v1" && err == nil && hmac.Equal(got, want) {
			return true
		}
	}
	return false
}

// demoKey is the secret's own characters, or what its base64 says when it is
// marked with whsec_.
func demoKey(secret string) []byte {
	if encoded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if key, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return key
		}
	}
	return []byte(secret)
}
