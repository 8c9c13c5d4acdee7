package send

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// An answer that may not be kept is cut, and no part of a secret stays where
// it is cut.
func TestAnswerThatMayNotBeKeptIsCut(t *testing.T) {
	const secret = "a-secret-of-thirty-two-bytes-000"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(strings.Repeat("x", freeBody-10) + secret + strings.Repeat("y", 90<<10)))
	}))
	defer server.Close()
	client := New(Config{AllowCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	defer client.Close()
	for _, budget := range []int{0, freeBody, 1 << 20} {
		used := 0
		result := client.Do(t.Context(), Request{URL: server.URL, Redact: []string{secret}, Keep: func(bytes int) bool {
			used += bytes
			return used <= budget
		}})
		if result.Code != http.StatusOK || !result.Truncated || len(result.Body) == 0 || len(result.Body) > freeBody+budget {
			t.Errorf("room for %d: %d, %q, %d bytes", budget, result.Code, result.Error, len(result.Body))
		}
		if strings.Contains(string(result.Body), "a-s") {
			t.Errorf("room for %d: part of the secret is kept", budget)
		}
	}
}
