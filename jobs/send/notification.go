package send

import (
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// Recipient has the common parts of all requests to a webhook. Deliveries,
// tests and previews all go through it, so that none signs or hides
// differently.
type Recipient struct {
	format  *wire.Format
	secrets []string
	custom  []wire.Header
	to      *destination
}

// NewRecipient takes a webhook's URL, its secrets in clear and in order, of
// which empty ones are left out, and its own headers, which come after the
// type's. Secrets are hidden even when a receiver sends them back.
func NewRecipient(f *wire.Format, url string, secrets []string, custom iter.Seq2[string, string]) *Recipient {
	r := &Recipient{format: f}
	r.secrets = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return s == "" })
	redact := slices.Clone(r.secrets)
	for name, value := range custom {
		r.custom, redact = append(r.custom, wire.Header{Name: name, Value: value}), append(redact, value)
	}
	r.to = destinationOf(url, append(redact, urlSecrets(url, f.SecretURL)...))
	return r
}

// Headers are those of a request, as they are sent. Its secrets are filled in
// here.
func (r *Recipient) Headers(attempt wire.Request) []wire.Header {
	return slices.Concat(r.ownHeaders(attempt), r.custom)
}

// ownHeaders are those that hold no secret: the custom ones may.
func (r *Recipient) ownHeaders(attempt wire.Request) []wire.Header {
	attempt.Secrets = r.secrets
	headers := r.format.Headers(attempt)
	if attempt.Via != "" {
		headers = append(headers, wire.Header{Name: wire.ViaHeader, Value: attempt.Via})
	}
	return headers
}

// Request is ready for Client.Do.
func (r *Recipient) Request(attempt wire.Request) Request {
	own := r.ownHeaders(attempt)
	return Request{Headers: slices.Concat(own, r.custom), own: len(own), Body: attempt.Body, Timeout: r.format.Policy.Timeout, to: r.to}
}

// urlSecrets are the parts of a URL that only its receiver may know, as
// receivers repeat them in "no such page": its query with the longer values in
// it, and of a URL that is a secret also the path, the part of it after the
// plain words at its start, and each longer segment of that part.
func urlSecrets(raw string, secretURL bool) []string {
	const long = 8 // shorter ones are words, of which a body would lose too many
	u, err := url.Parse(raw)
	if err != nil {
		return nil
	}
	var parts []string
	add := func(text string) {
		if len(text) >= long {
			parts = append(parts, text)
		}
	}
	for _, values := range u.Query() {
		for _, v := range values {
			add(v)
		}
	}
	add(u.RawQuery)
	if !secretURL {
		return parts
	}
	add(raw)
	add(u.RequestURI())
	add(u.Path)
	words, more := true, true
	for rest := strings.TrimPrefix(u.Path, "/"); more; {
		var segment, after string
		segment, after, more = strings.Cut(rest, "/")
		if !isWord(segment) || !more {
			if words && more {
				add(rest) // T…/B…/…
			}
			words = false
			add(segment)
		}
		rest = after
	}
	return parts
}

// isWord says whether a part of a path is a word, such as services.
func isWord(segment string) bool {
	return strings.Trim(segment, "abcdefghijklmnopqrstuvwxyz-_") == ""
}
