package read

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	svix "github.com/svix/svix-webhooks/go"
)

const (
	secretOne = "6f1c0b5e2d4a98736f1c0b5e2d4a98736f1c0b5e2d4a98736f1c0b5e2d4a9873"
	secretTwo = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	whsecOne  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	whsecTwo  = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
)

// signer is what both libraries that sign have.
type signer interface {
	Sign(id string, at time.Time, body []byte) (string, error)
}

// TestVendorsSign: what the libraries of Svix and of Standard Webhooks sign is
// accepted, within five minutes, and with either of two secrets.
func TestVendorsSign(t *testing.T) {
	forSvix, err := svix.NewWebhook(whsecOne)
	if err != nil {
		t.Fatal(err)
	}
	forStandard, err := standardwebhooks.NewWebhook(whsecOne)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := standardwebhooks.NewWebhookRaw([]byte(secretOne))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, kind, prefix string
		signer             signer
		secret, other      string
	}{
		{"svix", "stackauth", "svix-", forSvix, whsecOne, whsecTwo},
		{"svix, headers without a brand", "stackauth", "webhook-", forSvix, whsecOne, whsecTwo},
		{"standard webhooks", "stackauth", "webhook-", forStandard, whsecOne, whsecTwo},
		{"standard webhooks raw", "generic", "webhook-", raw, secretOne, secretTwo},
		{"standard webhooks, generic", "generic", "webhook-", forStandard, whsecOne, secretTwo},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Now().Truncate(time.Second)
			check := func(what, fault string, at time.Time, change func(*Received)) {
				t.Helper()
				body := []byte(`{"type":"team.created","data":{"display_name":"É <b>"}}`)
				signature, err := c.signer.Sign("msg_1", at, body)
				if err != nil {
					t.Fatal(err)
				}
				header := http.Header{}
				header.Set(c.prefix+"id", "msg_1")
				header.Set(c.prefix+"timestamp", seconds(at))
				header.Set(c.prefix+"signature", signature)
				r := Received{Header: header, Body: body, At: now, Secrets: []string{c.other, c.secret}}
				change(&r)
				if err := verifierOf(t, c.kind)(r); err == nil && fault != "" || err != nil && (fault == "" || !strings.Contains(err.Error(), fault)) {
					t.Errorf("%s: %v, want %q", what, err, fault)
				}
			}
			same := func(*Received) {}
			check("right", "", now, same)
			check("five minutes ago", "", now.Add(-5*time.Minute), same)
			check("in five minutes", "", now.Add(5*time.Minute), same)
			check("more than five minutes ago", "more than five minutes", now.Add(-5*time.Minute-time.Second), same)
			check("in more than five minutes", "more than five minutes", now.Add(5*time.Minute+time.Second), same)
			check("secrets the other way round", "", now, func(r *Received) { r.Secrets = []string{c.secret, c.other} })
			check("another secret", "does not match", now, func(r *Received) { r.Secrets = []string{c.other} })
			check("another body", "does not match", now, func(r *Received) { r.Body = append(r.Body, ' ') })
			check("another id", "does not match", now, func(r *Received) { r.Header.Set(c.prefix+"id", "msg_2") })
			check("another time", "does not match", now, func(r *Received) { r.Header.Set(c.prefix+"timestamp", seconds(now.Add(-time.Second))) })
			check("two times", "is there 2 times", now, func(r *Received) { r.Header.Add(c.prefix+"timestamp", seconds(now)) })
			check("a time with a sign", "is not a time", now, func(r *Received) { r.Header.Set(c.prefix+"timestamp", "+"+seconds(now)) })
			check("no signature", "signature is missing", now, func(r *Received) { r.Header.Del(c.prefix + "signature") })
			check("another version", "does not match", now, func(r *Received) {
				r.Header.Set(c.prefix+"signature", strings.Replace(r.Header.Get(c.prefix+"signature"), "v1,", "v2,", 1))
			})
			check("among others", "", now, func(r *Received) {
				r.Header.Set(c.prefix+"signature", "v1a,x v1,x "+r.Header.Get(c.prefix+"signature"))
			})
		})
	}
}

func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

func verifierOf(t *testing.T, kind string) func(Received) error {
	t.Helper()
	r, ok := ReaderOf(kind)
	if !ok {
		t.Fatal("no reader of the kind ", kind)
	}
	return r.Verify
}
