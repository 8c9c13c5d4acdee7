package send

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// The headers that a type writes itself are recorded as they are, so none may
// hold a secret; a webhook's own headers are searched.
func TestRecordedHeadersHoldNoSecret(t *testing.T) {
	const secret, custom = "whsec_c2VjcmV0IG51bWJlciBvbmUgaXMgaGVyZQ==", "custom-value-0123456789"
	srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) { w.Header()["Date"] = []string{"Day " + secret} })
	for _, f := range wire.Formats() {
		to := NewRecipient(f, srv.URL, []string{secret, secret + "2"}, maps.All(map[string]string{"X-Custom": custom}))
		to.custom = append(to.custom, wire.Header{Name: "X-Other", Value: secret})
		r := to.Request(wire.Request{ID: "one", Body: []byte("{}"), At: time.Now(), EventTypes: []string{"question.created"}, Test: true, Via: "abc"})
		got := do(t, local(t), r)
		if got.Code != http.StatusOK || len(got.RequestHeaders) != len(r.Headers) {
			t.Fatalf("%s: %+v", f.Name, got)
		}
		for _, h := range append(got.RequestHeaders, got.ResponseHeaders...) {
			for _, hidden := range []string{secret, strings.TrimPrefix(secret, "whsec_"), custom} {
				if strings.Contains(h.Name+h.Value, hidden) {
					t.Errorf("%s: %s: %s", f.Name, h.Name, h.Value)
				}
			}
		}
	}
}

func TestURLSecrets(t *testing.T) {
	for _, c := range []struct {
		url    string
		secret bool
		want   []string
	}{
		{"https://example.com/hooks/long-but-no-secret", false, nil},
		{"https://example.com/hooks?a=1&b=true", false, []string{"a=1&b=true"}},
		{"https://example.com/?token=abcdefgh%2F1", false, []string{"abcdefgh/1", "token=abcdefgh%2F1"}},
		{"https://hooks.slack.com/services/T0/B0/abcdefgh", true, []string{
			"https://hooks.slack.com/services/T0/B0/abcdefgh", "/services/T0/B0/abcdefgh", "/services/T0/B0/abcdefgh", "T0/B0/abcdefgh", "abcdefgh",
		}},
		{"https://hooks.slack.com/services/T024BE7LD/B024BE7LH/x9QkAbCdEfGhIjKlMnOpQrSt", true, []string{
			"https://hooks.slack.com/services/T024BE7LD/B024BE7LH/x9QkAbCdEfGhIjKlMnOpQrSt", "/services/T024BE7LD/B024BE7LH/x9QkAbCdEfGhIjKlMnOpQrSt",
			"/services/T024BE7LD/B024BE7LH/x9QkAbCdEfGhIjKlMnOpQrSt", "T024BE7LD/B024BE7LH/x9QkAbCdEfGhIjKlMnOpQrSt", "T024BE7LD", "B024BE7LH", "x9QkAbCdEfGhIjKlMnOpQrSt",
		}},
		{"https://example.com/%zz?token=abcdefgh", true, nil}, // nothing is ever sent there
	} {
		if got := urlSecrets(c.url, c.secret); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.url, got, c.want)
		}
	}
}
