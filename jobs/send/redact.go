package send

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

const (
	mask      = "***"
	minSecret = 4 // bytes; shorter ones cannot be told from other text
)

// redactor replaces secrets in what is recorded, in the forms in which a
// receiver may hand them back.
type redactor struct {
	forms   []string // longest first
	first   [256]bool
	longest int
}

func newRedactor(secrets []string) redactor {
	forms := map[string]bool{}
	for _, s := range secrets {
		parts := []string{s}
		// "Bearer abc": a receiver may hand back what follows the scheme.
		if scheme, token, ok := strings.Cut(s, " "); ok && slices.Contains([]string{"bearer", "basic", "token"}, strings.ToLower(scheme)) {
			parts = append(parts, token)
		}
		for _, p := range parts {
			addForms(forms, p)
		}
	}
	red := redactor{forms: slices.SortedFunc(maps.Keys(forms), func(a, b string) int { return len(b) - len(a) })}
	for _, f := range red.forms {
		red.first[f[0]] = true
		red.longest = max(red.longest, len(f))
	}
	return red
}

func addForms(forms map[string]bool, secret string) {
	if len(secret) < minSecret {
		return
	}
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(secret) // a string always encodes
	escaped, _ := json.Marshal(secret)
	for _, f := range []string{
		secret, strings.Trim(plain.String(), "\"\n"), strings.Trim(string(escaped), `"`),
		url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
	} {
		if len(f) >= minSecret {
			forms[f] = true
		}
	}
}

// replace masks the secrets that begin in the first limit bytes of raw, and
// returns no more of raw than those bytes. Raw should go on for longest bytes
// after them, so that no part of a secret stays at the end.
func (r *redactor) replace(raw []byte, limit int) []byte {
	limit = min(limit, len(raw))
	clean := firstSecret(r, raw, limit)
	if clean == limit {
		return raw[:limit]
	}
	out := append(make([]byte, 0, limit), raw[:clean]...)
	for i := clean; i < limit; {
		if n := secretAt(r, raw[i:]); n > 0 {
			out = append(out, mask...)
			i += n
			continue
		}
		out = append(out, raw[i])
		i++
	}
	return out
}

// firstSecret is where the first secret begins in the first limit bytes of
// raw; limit: none does.
func firstSecret[Text string | []byte](r *redactor, raw Text, limit int) int {
	for i := range limit {
		if secretAt(r, raw[i:]) > 0 {
			return i
		}
	}
	return limit
}

// secretAt is the length of the secret that raw begins with; 0: none.
func secretAt[Text string | []byte](r *redactor, raw Text) int {
	if !r.first[raw[0]] {
		return 0
	}
	for _, f := range r.forms {
		if len(raw) >= len(f) && string(raw[:len(f)]) == f {
			return len(f)
		}
	}
	return 0
}

// text is s without secrets and fit for a database's text column.
func (r *redactor) text(s string) string {
	if firstSecret(r, s, len(s)) == len(s) && utf8.ValidString(s) && !strings.Contains(s, "\x00") {
		return s
	}
	return string(safe(r.replace([]byte(s), len(s))))
}

// body is what is kept of a response's body: whole characters, 64 KiB at most.
func (r *redactor) body(raw []byte) []byte { return r.bodyTo(raw, maxBody) }

// bodyTo is what is kept of its first limit bytes.
func (r *redactor) bodyTo(raw []byte, limit int) []byte {
	kept := safe(r.replace(raw, wholeRunes(raw, limit)))
	return bytes.Clone(kept[:wholeRunes(kept, maxBody)]) // without what else was read
}

// wholeRunes is how many of the first limit bytes end with a whole character.
func wholeRunes(raw []byte, limit int) int {
	if len(raw) <= limit {
		return len(raw)
	}
	n := limit
	for n > max(0, limit-utf8.UTFMax) && !utf8.RuneStart(raw[n]) {
		n--
	}
	return n
}

// headers are what is kept of headers: sensitive values starred, no secret
// anywhere, 32 KiB at most.
func (r *redactor) headers(list []wire.Header) []wire.Header {
	kept := make([]wire.Header, 0, len(list))
	size := 0
	for _, h := range list {
		value := r.text(h.Value)
		if value != "" && sensitive(h.Name) {
			value = mask
		}
		name := r.text(h.Name)
		if size += len(name) + len(value) + len(": \r\n"); size > maxHeaders {
			break
		}
		kept = append(kept, wire.Header{Name: name, Value: value})
	}
	return kept
}

// sensitive says whether a header of this name carries a credential. A
// signature is none: without its key it is worth nothing.
func sensitive(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(
		[]string{"token", "secret", "key", "auth", "password", "cookie"},
		func(part string) bool { return strings.Contains(name, part) },
	)
}

// safe makes any bytes text that every database takes: valid UTF-8 without
// NUL.
func safe(raw []byte) []byte {
	if utf8.Valid(raw) && bytes.IndexByte(raw, 0) < 0 {
		return raw
	}
	raw = bytes.ToValidUTF8(raw, []byte("\uFFFD"))
	return bytes.ReplaceAll(raw, []byte{0}, []byte("\uFFFD"))
}

// sortedHeaders lists headers by name; their order on the wire is not known.
func sortedHeaders(h http.Header) []wire.Header {
	var list []wire.Header
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			list = append(list, wire.Header{Name: name, Value: value})
		}
	}
	return list
}
