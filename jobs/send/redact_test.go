package send

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

func TestDoRedactsAnEcho(t *testing.T) {
	const secret, token = `s3cret "&<é/+ value`, "tok.abcdef-0123456789"
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("X-Signed-With"))
		w.Header().Set("Set-Cookie", "session=42")
		w.Header().Set("Webhook-Signature", "v1,abc")
		echo, _ := json.Marshal(r.Header)
		_, _ = w.Write(echo)
		for _, form := range []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret),
			base64.StdEncoding.EncodeToString([]byte(secret)), "token is " + token,
		} {
			_, _ = io.WriteString(w, "\n"+form)
		}
	})
	got := do(t, local(t), Request{
		URL: srv.URL, Redact: []string{secret, "Bearer " + token, "", "ab"},
		Headers: []wire.Header{
			{Name: "Authorization", Value: "Bearer " + token},
			{Name: "X-Signed-With", Value: secret},
			{Name: "webhook-signature", Value: "v1,visible"},
			{Name: "X-Api-Key", Value: "k"},
			{Name: "X-Empty-Token", Value: ""},
		},
	})
	var all strings.Builder
	all.Write(got.Body)
	for _, h := range slices.Concat(got.RequestHeaders, got.ResponseHeaders) {
		all.WriteString("\n" + h.Name + ": " + h.Value)
	}
	recorded := all.String()
	for _, leak := range []string{"s3cret", token, "session=42", base64.StdEncoding.EncodeToString([]byte(secret))} {
		if strings.Contains(recorded, leak) {
			t.Errorf("%q is recorded in %s", leak, recorded)
		}
	}
	for _, visible := range []string{
		"webhook-signature: v1,visible", "Webhook-Signature: v1,abc", "Authorization: ***", "X-Api-Key: ***", "Set-Cookie: ***",
		"X-Signed-With: ***", "X-Echo: ***", "X-Empty-Token: \n", "token is ***",
	} {
		if !strings.Contains(recorded+"\n", visible) {
			t.Errorf("%q is missing in %s", visible, recorded)
		}
	}
	if got.Header.Get("Set-Cookie") != "session=42" {
		t.Error("the policy's headers were changed")
	}
}

func TestSensitive(t *testing.T) {
	for name, want := range map[string]bool{
		"Authorization": true, "proxy-authorization": true, "Cookie": true, "Set-Cookie": true, "X-API-KEY": true,
		"X-Auth": true, "X-Client-Secret": true, "Password": true, "X-Access-Token": true,
		"webhook-signature": false, "X-SuperOffice-Signature": false, "Content-Type": false, "X-Request-Id": false,
	} {
		if got := sensitive(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestRedactionAtTheCut puts a secret at every place around the end of the kept
// text, in several spellings: no part of it may stay.
func TestRedactionAtTheCut(t *testing.T) {
	const secret = "0123456789/abcdef="
	escaped := &strings.Builder{}
	for _, c := range secret {
		fmt.Fprintf(escaped, "\\u%04X", c)
	}
	spelt := map[string]string{
		"plain": secret, "PHP": strings.ReplaceAll(secret, "/", `\/`), "JSON": escaped.String(), "URL": url.QueryEscape(secret), "HTML": html.EscapeString("<" + secret),
		"hex": hex.EncodeToString([]byte(secret)), "base64": base64.StdEncoding.EncodeToString([]byte(secret)), "base32": base32.StdEncoding.EncodeToString([]byte(secret)),
		"base64 of PHP": base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(secret, "/", `\/`))), "numbers": fmt.Sprintf("%d", []byte(secret)),
	}
	red := newRedactor([]string{secret})
	for name, text := range spelt {
		before := ""
		if name == "PHP" {
			before = farEscapes
		}
		for start := maxBody - len(text) - 2; start < maxBody+2; start++ {
			raw := []byte(before + strings.Repeat("\n", start-len(before)) + text + strings.Repeat("\n", 100))
			clean := red.body(raw[:maxBody+1], true)
			rest := strings.Trim(strings.ReplaceAll(strings.TrimPrefix(string(clean), before), mask, ""), "\n[]=*")
			// The beginning of an escape, one digit or half a number tell nothing yet.
			if len(rest) > 1 && !slices.Contains([]string{"48", "&l", "&lt", "&lt;", `\u`, `\u0`, `\u00`, `\u003`}, rest) || len(clean) > maxBody {
				t.Errorf("%s at %d: %d bytes, %q", name, start-maxBody, len(clean), rest)
			}
		}
	}
}

// TestOtherTextAtTheCut: the end of a text that went on is kept when no secret
// begins there.
func TestOtherTextAtTheCut(t *testing.T) {
	red := newRedactor([]string{"0123456789/abcdef="})
	for text, want := range map[string]string{
		"nothing of it is here.": "nothing of it is here.", "this is: 01234": "this is: " + mask,
	} {
		if got := red.body([]byte(text), true); string(got) != want {
			t.Errorf("%q is kept as %q", text, got)
		}
	}
}

// TestBytesOfAKey: the bytes that a key's digits stand for are hidden, unless
// they are so few that the key is text.
func TestBytesOfAKey(t *testing.T) {
	for plain, want := range map[string]string{"eight888": mask, "seven77": "seven77", "short": "short"} {
		red := newRedactor([]string{base64.RawStdEncoding.EncodeToString([]byte(plain))})
		if got := red.text("it says " + plain); got != "it says "+want {
			t.Errorf("with %q as bytes of a key: %q", plain, got)
		}
	}
}

func TestBodyIsText(t *testing.T) {
	red := newRedactor(nil)
	for raw, want := range map[string]string{
		"":              "",
		"a\x00b":        "a\uFFFDb",
		"a\xff\xfeb":    "a\uFFFDb",
		"\xed\xa0\x80x": "\uFFFDx",
	} {
		if got := red.body([]byte(raw), false); string(got) != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
	for _, raw := range [][]byte{make([]byte, maxBody+1), bytes.Repeat([]byte("€"), maxBody), bytes.Repeat([]byte{0x80}, maxBody*2)} {
		if got := red.body(raw, false); len(got) > maxBody || !utf8.Valid(got) {
			t.Errorf("%d bytes of %q…", len(got), raw[:3])
		}
	}
	if got := red.body(bytes.Repeat([]byte("€"), maxBody), false); len(got) != maxBody-1 || bytes.Contains(got, []byte("\uFFFD")) {
		t.Errorf("a character was cut: %d bytes, ending in %q", len(got), got[len(got)-6:])
	}
}

// FuzzRedact: the result is valid text, short enough, and without the secret.
func FuzzRedact(f *testing.F) {
	f.Add([]byte("before secret after"), "secret")
	f.Add([]byte("sesecret\x00\xff"), "secret\xff")
	f.Add([]byte("aaaaaaaaa"), "aaaa")
	f.Add([]byte(`\u{1f600}\ud83d\ude00\x41\101&#x2f;&quot;%u0041%2f=41=?utf-8?b?YWFhYQ==?= =?utf-8?q?a?=`), "aaaa")
	f.Add([]byte("00000000  61 61 61 61  |aaaa|\n00000010: 6161 6161  aaaa\n[97 97,-97 97] 0x61, 0xa ME======@:E_W z"), "aaaa")
	f.Fuzz(func(t *testing.T, raw []byte, secret string) {
		red := newRedactor([]string{secret})
		raw = append(raw, secret...)
		clean := red.body(bytes.Repeat(raw, 2), false)
		if len(clean) > maxBody || !utf8.Valid(clean) || bytes.IndexByte(clean, 0) >= 0 {
			t.Errorf("kept %q", clean)
		}
		if clean := red.body(raw[:len(raw)-len(secret)/2], true); !utf8.Valid(clean) {
			t.Errorf("kept of what was cut: %q", clean)
		}
		// Masks and the text around a secret can form a new one.
		if len(secret) >= minSecret && utf8.ValidString(secret) && !strings.ContainsAny(secret, "*\x00\uFFFD") && bytes.Contains(clean, []byte(secret)) {
			t.Errorf("%q is in %q", secret, clean)
		}
	})
}
