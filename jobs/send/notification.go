package send

import (
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
	if n.Format.SecretURL {
		redact = append(redact, n.URL)
	}
	return Request{
		URL: n.URL, Headers: n.Headers(), Body: n.Attempt.Body, Timeout: n.Format.Policy.Timeout, Redact: redact,
	}
}

func (n Notification) secrets() []string {
	return slices.DeleteFunc(slices.Clone(n.Secrets), func(s string) bool { return s == "" })
}
