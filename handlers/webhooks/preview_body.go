package webhooks

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// nextBody builds one body of the newest matches, in the order in which
// dispatch would take them; for a type of one event a body, of the newest. It
// is nil when nothing of them is left.
func nextBody(w definition.Checked, newest []models.Event) (body []byte, types []string, id string, err error) {
	var events []wire.Event
	for _, e := range newest {
		if e.Erased() {
			continue // its content was removed on request
		}
		decoded, err := wire.Decode(e.Payload, e.OccurredAt)
		if err != nil {
			return nil, nil, "", fmt.Errorf("decode event %s: %w", e.EventID, err)
		}
		events = append(events, decoded)
	}
	return fitBody(w, events)
}

// fitBody builds one body of as many of the events as fit, the first ones; it
// is nil when there are none.
func fitBody(w definition.Checked, events []wire.Event) (body []byte, types []string, id string, err error) {
	if len(events) == 0 {
		return nil, nil, "", nil
	}
	id = w.Format.NewID()
	for {
		some := slices.Clone(events)
		slices.SortStableFunc(some, func(a, b wire.Event) int { return a.OccurredAt.Compare(b.OccurredAt) })
		var used int
		body, used, err = w.Format.Build(some, wire.Draft{ID: id, WebhookName: w.Input.Name, Target: w.Effective.URL, Options: w.Input.Options})
		if err != nil {
			return nil, nil, "", err
		}
		if used == len(some) {
			for _, e := range some {
				types = append(types, e.Type)
			}
			return body, types, id, nil
		}
		events = events[:used] // fewer fit: the newest ones
	}
}

// requestLines shows the request as HTTP/1.1 writes it. Values of custom
// headers are starred and the URL's query is left out, as everywhere.
func requestLines(w definition.Checked, r wire.Request) []string {
	u, err := url.Parse(w.Effective.URL)
	if err != nil {
		return nil // checked before
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if w.Format.SecretURL {
		path = "/…"
	} else if u.RawQuery != "" {
		path += "?…"
	}
	lines := []string{"POST " + path + " HTTP/1.1", "Host: " + u.Host}
	starred := w
	starred.Effective.Headers = nil
	for _, h := range w.Effective.Headers {
		starred.Effective.Headers = append(starred.Effective.Headers, models.Header{Name: h.Name, Value: "••••••"})
	}
	for _, h := range starred.Recipient().Headers(r) {
		lines = append(lines, h.Name+": "+h.Value)
	}
	return lines
}

func signedWith(w definition.Checked) string {
	const fresh = " ID, timestamp and signature are generated on sending."
	o := w.Effective
	switch {
	case w.Generated:
		return "Signed with a secret generated when you save." + fresh
	case len(w.Format.Secrets) == 0:
		return ""
	case o.Secrets[0] != "" && o.Secrets[1] != "":
		return "Signed with both secrets." + fresh
	case o.Secrets[0] != "":
		return "Signed with secret 1." + fresh
	case o.Secrets[1] != "":
		return "Signed with secret 2." + fresh
	default:
		return "Not signed: no secret is set."
	}
}
