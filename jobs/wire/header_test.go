package wire

import (
	"strings"
	"testing"
)

func TestReservedHeader(t *testing.T) {
	for name, want := range map[string]bool{
		"Host": true, "host": true, "Content-Length": true, "content-type": true, "Connection": true,
		"Transfer-Encoding": true, "TE": true, "Upgrade": true, "user-agent": true, "Proxy-Authorization": true,
		"webhook-id": true, "Webhook-Signature": true, "WEBHOOK-TEST": true, "Expect": true, "Trailer": true,
		"Authorization": false, "X-Team": false, "Cookie": false, "Webhook": false, "Contents": false, "Tea": false, "": false,
	} {
		if got := ReservedHeader(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func TestCheckHeader(t *testing.T) {
	for _, h := range []Header{
		{"Authorization", "Bearer abc"}, {"X-Team", ""}, {"x_under!#", "a:b,c"}, {"X-Long", strings.Repeat("v", 4096)},
	} {
		if err := CheckHeader(h.Name, h.Value); err != nil {
			t.Errorf("%s: %v", h.Name, err)
		}
	}
	const secret = "hunter2hunter2"
	for _, h := range []Header{
		{"", "v"},
		{"With Space", "v"},
		{"Colon:", "v"},
		{"Bréak", "v"},
		{"New\nLine", "v"},
		{strings.Repeat("n", 129), "v"},
		{"Host", "v"},
		{"webhook-signature", "v"},
		{"X-A", secret + "\r\nX-B: c"},
		{"X-A", secret + "\x00"},
		{"X-A", " " + secret},
		{"X-A", secret + "é"},
		{"X-A", strings.Repeat(secret, 400)},
	} {
		err := CheckHeader(h.Name, h.Value)
		if err == nil || !strings.HasSuffix(err.Error(), ".") || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v; want a sentence without the value", h, err)
		}
	}
}
