package send

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

const mask = "***"

// redactor replaces secrets in recorded text.
type redactor struct{ secrets *secrets }

func newRedactor(given []string) redactor { return redactor{newSecrets(given)} }

// replace masks the secrets in a text. cut: the text went on, so a possible
// beginning of a secret at its end is masked too.
func (r *redactor) replace(raw []byte, cut bool) []byte {
	parts := r.secrets.find(raw, cut)
	if len(parts) == 0 {
		return raw
	}
	out := make([]byte, 0, len(raw))
	end := 0
	for _, p := range parts {
		out = append(append(out, raw[end:p.from]...), mask...)
		end = p.to
	}
	return append(out, raw[end:]...)
}

// text is s without secrets and fit for a database's text column.
func (r *redactor) text(s string) string { return string(safe(r.replace([]byte(s), false))) }

// body is the kept part of a response's body: whole characters, 64 KiB at most.
// cut: the body went on.
func (r *redactor) body(raw []byte, cut bool) []byte {
	n := wholeRunes(raw, maxBody)
	clean := safe(r.replace(raw[:n], cut || n < len(raw)))
	return bytes.Clone(clean[:wholeRunes(clean, maxBody)]) // without the rest that was read
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

// headers are the kept headers: sensitive values starred, no secret anywhere,
// 32 KiB at most. The first own ones are of our making and hold none.
func (r *redactor) headers(list []wire.Header, own int) []wire.Header {
	clean := make([]wire.Header, 0, len(list))
	size := 0
	for i, h := range list {
		name, value := h.Name, h.Value
		if i >= own && !isDate(h) {
			name, value = r.text(name), r.text(value)
		}
		if value != "" && sensitive(h.Name) {
			value = mask
		}
		if size += len(name) + len(value) + len(": \r\n"); size > maxHeaders {
			break
		}
		clean = append(clean, wire.Header{Name: name, Value: value})
	}
	return clean
}

// isDate tells the header that nearly every answer has, in the form that holds
// nothing but a time.
func isDate(h wire.Header) bool {
	if h.Name != "Date" || len(h.Value) != len(http.TimeFormat) {
		return false
	}
	_, err := time.Parse(http.TimeFormat, h.Value)
	return err == nil
}

// sensitive says whether a header of this name carries a credential. A
// signature is none: without its key it is worth nothing.
func sensitive(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(
		[]string{"token", "secret", "key", "auth", "password", "cookie"},
		func(word string) bool { return strings.Contains(name, word) },
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
