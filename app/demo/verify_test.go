package demo

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

func TestVerify(t *testing.T) {
	// The vector that the specification's own libraries are tested with.
	const (
		secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		id     = "msg_p5jXN8AQM9LWM0D4loKWxJek"
		stamp  = "1614265330"
		body   = `{"test": 2432232314}`
		signed = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	)
	now := time.Unix(1614265330, 0)
	tests := map[string]struct {
		prefix, id, stamp, signatures, body string
		secrets                             []string
		now                                 time.Time
		want                                []string
		good                                bool
	}{
		"right":               {"webhook-", id, stamp, signed, body, []string{secret}, now, []string{"secret 1 verifies"}, true},
		"older header names":  {"svix-", id, stamp, signed, body, []string{secret}, now, []string{"secret 1 verifies"}, true},
		"second of two":       {"webhook-", id, stamp, "v1,AAAA " + signed, body, []string{"other", secret}, now, []string{"secret 2 verifies"}, true},
		"other body":          {"webhook-", id, stamp, signed, body + " ", []string{secret}, now, []string{"does not verify"}, false},
		"other id":            {"webhook-", id + "x", stamp, signed, body, []string{secret}, now, []string{"does not verify"}, false},
		"other secret":        {"webhook-", id, stamp, signed, body, []string{"another secret of ours"}, now, []string{"does not verify"}, false},
		"other version":       {"webhook-", id, stamp, "v2" + signed[2:], body, []string{secret}, now, []string{"does not verify"}, false},
		"too old":             {"webhook-", id, stamp, signed, body, []string{secret}, now.Add(6 * time.Minute), []string{"does not verify"}, false},
		"from the future":     {"webhook-", id, stamp, signed, body, []string{secret}, now.Add(-6 * time.Minute), []string{"does not verify"}, false},
		"odd timestamp":       {"webhook-", id, "soon", signed, body, []string{secret}, now, []string{"does not verify"}, false},
		"not base64":          {"webhook-", id, stamp, "v1,%%%", body, []string{secret}, now, []string{"does not verify"}, false},
		"unsigned":            {"webhook-", id, stamp, "", body, nil, now, []string{"unsigned"}, false},
		"signature missing":   {"webhook-", id, stamp, "", body, []string{secret}, now, []string{"unsigned"}, false},
		"secret unknown here": {"webhook-", id, stamp, signed, body, nil, now, []string{"not checked"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			h.Set(tt.prefix+"id", tt.id)
			h.Set(tt.prefix+"timestamp", tt.stamp)
			if tt.signatures != "" {
				h.Set(tt.prefix+"signature", tt.signatures)
			}
			checks := verifySignature(h, []byte(tt.body), tt.secrets, tt.now)
			if len(checks) != len(tt.want) {
				t.Fatalf("checks = %+v, want %q", checks, tt.want)
			}
			for i, c := range checks {
				if c.Words != tt.want[i] || c.Good != tt.good || c.Good == (c.Why != "") {
					t.Errorf("check %d = %+v, want %q, good %v", i, c, tt.want[i], tt.good)
				}
			}
		})
	}
}

func TestVerifyPlainSecret(t *testing.T) {
	// Computed with: printf 'msg_1.1614265330.{}' | openssl dgst -sha256 -hmac 0123456789abcdef -binary | base64
	const signature = "v1,T6G+9d54XLd3V+eJ73IFDfWtElJVqn81+/MflSqjVb4="
	h := http.Header{}
	h.Set("webhook-id", "msg_1")
	h.Set("webhook-timestamp", "1614265330")
	h.Set("webhook-signature", signature)
	checks := verifySignature(h, []byte("{}"), []string{"0123456789abcdef", "0123456789abcdef"}, time.Unix(1614265330, 0))
	if len(checks) != 2 || !checks[0].Good || !checks[1].Good {
		t.Errorf("checks = %+v, want both secrets to verify", checks)
	}
}

// TestVerifyTakesTheVendorsSignatures holds the receiver's check against known
// answers of each way to sign, and against the same with a byte changed.
func TestVerifyTakesTheVendorsSignatures(t *testing.T) {
	text, err := os.ReadFile("../../jobs/wire/testdata/vectors/signatures.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Format, Digest, Secret, ID, Body, Signature string
		Timestamp                                   int64
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, v := range vectors {
		name := map[string]string{"stackauth": "svix-signature", "userecho": "X-UE-Signature", "superoffice": "X-SuperOffice-Signature"}[v.Format]
		if name == "" {
			t.Errorf("a vector of the unknown format %s", v.Format)
			continue
		}
		seen[v.Format+v.Digest] = true
		h, now := http.Header{}, time.Unix(v.Timestamp, 0)
		h.Set(name, v.Signature)
		h.Set("svix-id", v.ID)
		h.Set("svix-timestamp", strconv.FormatInt(v.Timestamp, 10))
		for _, c := range []struct {
			secret, body string
			good         bool
		}{{v.Secret, v.Body, true}, {v.Secret + "x", v.Body, false}, {v.Secret, v.Body + " ", false}} {
			if checks := verifySignature(h, []byte(c.body), []string{c.secret}, now); len(checks) != 1 || checks[0].Good != c.good {
				t.Errorf("%s %s: %+v, want good: %v", v.Format, v.Digest, checks, c.good)
			}
		}
		h.Set(name, "no signature")
		if checks := verifySignature(h, []byte(v.Body), []string{v.Secret}, now); len(checks) != 1 || checks[0].Good || checks[0].Words != "does not verify" {
			t.Errorf("%s %s: a header that is no signature: %+v", v.Format, v.Digest, checks)
		}
	}
	if len(seen) != 4 {
		t.Errorf("vectors of %v", seen)
	}
}

// TestVerifyTakesEveryType: requests signed by a type verify here, with any
// values of its own fields, and no others do.
func TestVerifyTakesEveryType(t *testing.T) {
	signed := 0
	for _, f := range wire.Formats() {
		if len(f.Secrets) == 0 || f.Name == "lantern" { // the lantern of plugin_test.go has a way of its own
			continue
		}
		signed++
		secrets := make([]string, len(f.Secrets))
		for i := range secrets {
			secrets[i] = f.NewSecret()
		}
		choices := []map[string]string{{}}
		for _, field := range f.Fields {
			for _, choice := range field.Choices {
				choices = append(choices, map[string]string{field.Key: choice})
			}
		}
		for _, options := range choices {
			now, body := time.Now(), []byte(`{"text":"a body"}`)
			h := http.Header{}
			for _, line := range f.Headers(wire.Request{ID: f.NewID(), Body: body, At: now, Secrets: secrets, Options: options}) {
				h.Set(line.Name, line.Value)
			}
			if checks := verifySignature(h, body, secrets, now); len(checks) != len(secrets) || !checks[0].Good {
				t.Errorf("%s %v: %+v", f.Name, options, checks)
			}
			if checks := verifySignature(h, body, []string{f.NewSecret()}, now); checks[0].Good {
				t.Errorf("%s %v: another secret verifies", f.Name, options)
			}
		}
	}
	if signed < 4 {
		t.Errorf("only %d types sign", signed)
	}
}
