package send

import (
	"errors"
	"strings"
	"testing"
)

func TestParseTargetRefuses(t *testing.T) {
	for raw, want := range map[string]error{
		"":                                                 errScheme,
		"example.com/hook":                                 errScheme,
		"ftp://example.com/":                               errScheme,
		"file:///etc/passwd":                               errScheme,
		"gopher://example.com:25/_x":                       errScheme,
		"javascript:alert(1)":                              errScheme,
		"https:example.com":                                errHost,
		"https://":                                         errHost,
		"https:///path":                                    errHost,
		"https://user@example.com/":                        errUser,
		"https://user:pass@example.com/":                   errUser,
		"https://example.com\\@evil.example/":              errSyntax,
		"https://exa mple.com/":                            errSyntax,
		"https://example.com/\r\nHost: x":                  errSyntax,
		"https://example.com/\x00":                         errSyntax,
		"https://example.com/%zz":                          errSyntax,
		"https://example.com:0/":                           errPort,
		"https://example.com:65536/":                       errPort,
		"https://example.com:x/":                           errPort,
		"http://[::ffff:10.0.0.1]/":                        errOddAddress,
		"http://[::ffff:0a01:203]/":                        errOddAddress,
		"http://[::ffff:8.8.8.8]/":                         errOddAddress,
		"http://[fe80::1%25eth0]/":                         errOddAddress,
		"http://[2606:4700::1%25lo]/":                      errOddAddress,
		"http://[example.com]/":                            errSyntax,
		"http://[127.0.0.1]/":                              errSyntax,
		"http://2130706433/":                               errOddAddress,
		"http://0x7f000001/":                               errOddAddress,
		"http://0X7F.0.0.1/":                               errOddAddress,
		"http://017700000001/":                             errOddAddress,
		"http://0177.0.0.1/":                               errOddAddress,
		"http://127.1/":                                    errOddAddress,
		"http://127.0.1/":                                  errOddAddress,
		"http://127.0.0.1./":                               errOddAddress,
		"http://127.0.0.0x1/":                              errOddAddress,
		"http://127.0.0.1.5/":                              errOddAddress,
		"http://256.256.256.256/":                          errOddAddress,
		"http://0x/":                                       errOddAddress,
		"http://１２７.0.0.1/":                                errNonASCII,
		"http://①②⑦.⓪.⓪.①/":                                errNonASCII,
		"http://127。0。0。1/":                                errNonASCII,
		"http://bücher.example/":                           errNonASCII,
		"http://%EF%BC%91.example/":                        errNonASCII,
		"http://example..com/":                             errHost,
		"http://.example.com/":                             errHost,
		"http://example.com../":                            errHost,
		"http://a!b.example/":                              errHost,
		"http://" + strings.Repeat("a", 64) + "/":          errHost,
		"http://" + strings.Repeat("abc.", 63) + "xy/":     errHost,
		"https://example.com/" + strings.Repeat("a", 2048): errLong,
	} {
		got, err := parseTarget(raw)
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v (host %q)", raw, err, want, got.host)
		}
	}
}

func TestOrigin(t *testing.T) {
	for raw, want := range map[string]string{
		"https://Example.COM/a?b#c":                  "https://example.com:443",
		"https://example.com.:443/":                  "https://example.com:443",
		"HTTP://example.com:/":                       "http://example.com:80",
		"http://example.com:8080":                    "http://example.com:8080",
		"http://xn--bcher-kva.example/":              "http://xn--bcher-kva.example:80",
		"http://hooks_internal/":                     "http://hooks_internal:80",
		"http://203.0.113.7:1/":                      "http://203.0.113.7:1",
		"http://[2001:DB8:0::7]/":                    "http://[2001:db8::7]:80",
		"http://" + strings.Repeat("abc.", 63) + "x": "http://" + strings.Repeat("abc.", 63) + "x:80", // 253 characters
		"http://user@example.com/":                   "",
		"nonsense":                                   "",
	} {
		if got := Origin(raw); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func TestShown(t *testing.T) {
	for raw, want := range map[string][2]string{
		"https://example.com/hooks?token=s3cret#x": {"https://example.com/hooks", "example.com · …cret"},
		"https://u:p@example.com:8443/a%2Fb":       {"https://example.com:8443/a%2Fb", "example.com:8443"},
		"https://hooks.slack.com/services/T0/B0/abcdefghx9Qk": {
			"https://hooks.slack.com/services/T0/B0/abcdefghx9Qk", "hooks.slack.com · …x9Qk",
		},
		"https://example.com":          {"https://example.com", "example.com"},
		"https://s3cret@example.com/%": {"(unreadable URL)", "(unreadable URL)"},
		"mailto:s3cret":                {"(unreadable URL)", "(unreadable URL)"},
		"":                             {"(unreadable URL)", "(unreadable URL)"},
	} {
		if got := [2]string{Shown(raw, false), Shown(raw, true)}; got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

// FuzzTarget: nothing makes the readers of URLs panic, show a secret part, or
// accept a target without an origin.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{
		"https://u:p@example.com/a?b=c#d", "http://[::1%25lo]:80", "http://0x7f.1", "//x", "http://１２７.1/", "https://a/%3F%23", "http:?", "h://@/?",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if shown := Shown(raw, false); strings.ContainsAny(shown, "?#@") && !strings.Contains(raw, "@") {
			t.Errorf("%q is shown as %q", raw, shown)
		}
		_ = Shown(raw, true)
		got, err := parseTarget(raw)
		if (err == nil) != (Origin(raw) != "") {
			t.Errorf("%q: %v, origin %q", raw, err, Origin(raw))
		}
		if err == nil && (got.host == "" || got.port == 0 || strings.ContainsAny(got.host, "%@/\\ ") || got.addr.Zone() != "") {
			t.Errorf("%q became %+v", raw, got)
		}
	})
}

// TestEmptyPort: a colon without a port is not part of the name that the
// receiver is asked for.
func TestEmptyPort(t *testing.T) {
	for raw, want := range map[string]string{
		"https://example.com:/x": "example.com", "https://example.com:8443/x": "example.com:8443", "http://[::1]:/": "[::1]",
	} {
		if to, err := parseTarget(raw); err != nil || to.url.Host != want {
			t.Errorf("%s: %v %v, want %s", raw, to.url, err, want)
		}
	}
}
