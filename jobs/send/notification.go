package send

import (
	"net/url"
	"path"
	"slices"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// Notification is what a request to a webhook is made of. Deliveries, tests
// and previews all go through it, so that none signs or hides differently.
type Notification struct {
	Format  *wire.Format
	URL     string
	Secrets []string      // in clear, in order; empty ones are left out
	Custom  []wire.Header // the webhook's own, after the type's
	Attempt wire.Request  // its Secrets are filled in here
}

// Headers are those of the request, as they are sent.
func (n Notification) Headers() []wire.Header {
	n.Attempt.Secrets = n.secrets()
	return slices.Concat(n.Format.Headers(n.Attempt), n.Custom)
}

// Request is ready for Client.Do. What must not be shown even when a receiver
// sends it back is among its redactions.
func (n Notification) Request() Request {
	redact := n.secrets()
	for _, h := range n.Custom {
		redact = append(redact, h.Value)
	}
	redact = append(redact, urlSecrets(n.URL, n.Format.SecretURL)...)
	return Request{
		URL: n.URL, Headers: n.Headers(), Body: n.Attempt.Body, Timeout: n.Format.Policy.Timeout, Redact: redact,
	}
}

// urlSecrets are the parts of a URL that only its receiver may know, as
// receivers repeat them in "no such page": its query with the longer values in
// it, and of a URL that is a secret also path and last segment.
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
	if secretURL {
		add(raw)
		add(u.RequestURI())
		add(u.Path)
		add(path.Base(u.Path))
	}
	return parts
}

func (n Notification) secrets() []string {
	return slices.DeleteFunc(slices.Clone(n.Secrets), func(s string) bool { return s == "" })
}
