package app

import (
	"net/http"
	"testing"
	"time"
)

func TestDemoVerify(t *testing.T) {
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
			checks := demoVerify(h, []byte(tt.body), tt.secrets, tt.now)
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

func TestDemoVerifyPlainSecret(t *testing.T) {
	// Computed with: printf 'msg_1.1614265330.{}' | openssl dgst -sha256 -hmac 0123456789abcdef -binary | base64
	const signature = "v1,T6G+9d54XLd3V+eJ73IFDfWtElJVqn81+/MflSqjVb4="
	h := http.Header{}
	h.Set("webhook-id", "msg_1")
	h.Set("webhook-timestamp", "1614265330")
	h.Set("webhook-signature", signature)
	checks := demoVerify(h, []byte("{}"), []string{"0123456789abcdef", "0123456789abcdef"}, time.Unix(1614265330, 0))
	if len(checks) != 2 || !checks[0].Good || !checks[1].Good {
		t.Errorf("checks = %+v, want both secrets to verify", checks)
	}
}
