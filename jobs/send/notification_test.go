package send

import (
	"slices"
	"testing"
)

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
