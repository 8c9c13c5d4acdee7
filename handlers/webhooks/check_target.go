package webhooks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

func (c *webhookCheck) url(ctx context.Context, sender targetChecker) {
	raw := c.form.URL
	if raw == "" && c.format.SecretURL && c.old != nil {
		raw = c.opened.URL // empty keeps it
	}
	switch {
	case raw == "":
		c.faults.Add("url", "Enter the URL that the receiver gave you, for example https://example.com/hooks.")
	case c.faults["url"] != "":
	case c.format.HTTPSOnly && !strings.HasPrefix(strings.ToLower(raw), "https://"):
		c.faults.Add("url", "This type sends to https addresses only.")
	default:
		if err := sender.CheckURL(ctx, raw); err != nil {
			c.faults.Add("url", web.Sentence(err))
		}
	}
	c.moved = c.old != nil && c.faults["url"] == "" && send.Origin(raw) != send.Origin(c.opened.URL)
	c.out.Effective.URL = raw
	c.out.Input.URL, c.out.Input.URLShown = raw, send.Shown(raw, c.format.SecretURL)
}

type targetChecker interface {
	CheckURL(ctx context.Context, raw string) error
}

func (c *webhookCheck) secrets() {
	for i := range c.format.Secrets {
		typed, name := c.form.Secrets[i], secretName(i)
		switch {
		case typed != "":
			if err := c.format.CheckSecret(typed); err != nil {
				c.faults.Add(name, web.Sentence(err))
			}
			c.out.Input.Secrets[i].Set, c.out.Effective.Secrets[i] = typed, typed
		case c.form.Removed[i]:
			c.out.Input.Secrets[i].Clear = true
		case c.opened.Secrets[i] != "" && c.moved:
			c.faults.Add(name, movedSecret)
		default:
			c.out.Effective.Secrets[i] = c.opened.Secrets[i]
		}
	}
	// Two that were saved alike do not keep anybody from saving something else.
	typed, both := c.form.Secrets[0]+c.form.Secrets[1] != "", c.out.Effective.Secrets
	if typed && both[0] != "" && both[0] == both[1] {
		c.faults.Add(secretName(1), "This is the same as secret 1. Enter or generate another, or leave it empty.")
	}
	if c.format.AlwaysSigns && both == [2]string{} {
		c.lastSecret()
	}
}

// lastSecret keeps the last secret of a type that always signs from being
// removed, and makes one where there was none.
func (c *webhookCheck) lastSecret() {
	for i, removed := range c.form.Removed {
		if removed {
			c.faults.Add(secretName(i), c.format.Label+" webhooks are always signed, so at least one secret is required. Enter or generate another one.")
			return
		}
	}
	if c.faults[secretName(0)] == "" && c.faults[secretName(1)] == "" {
		secret := c.format.NewSecret()
		c.out.Input.Secrets[0].Set, c.out.Effective.Secrets[0], c.out.Generated = secret, secret, true
	}
}

// headers checks the custom headers. An empty value keeps the saved one.
func (c *webhookCheck) headers() {
	typed := splitHeaders(c.form.Headers)
	if len(typed) > headersMax {
		c.faults.Add("headers", fmt.Sprintf("There are %d headers; a webhook can have up to %d.", len(typed), headersMax))
		return
	}
	if lost := c.lostHeaders(typed); len(lost) > 0 {
		c.faults.Add("headers", movedHeaders+web.JoinWords(lost)+".")
	}
	same := len(typed) == len(c.opened.Headers)
	seen := map[string]bool{}
	for i, h := range typed {
		if key := strings.ToLower(h.Name); seen[key] {
			c.faults.Add("headers", h.Name+" appears twice.")
		} else {
			seen[key] = true
		}
		if h.Value == "" {
			h = c.savedHeader(h)
		}
		if err := wire.CheckHeader(h.Name, h.Value); err != nil {
			c.faults.Add("headers", web.Sentence(err))
		}
		same = same && h == c.opened.Headers[i]
		typed[i] = h
	}
	c.out.Effective.Headers = typed
	if !same {
		c.out.Input.Headers = typed
	}
}

// lostHeaders names the headers whose saved values another host may not get.
func (c *webhookCheck) lostHeaders(typed []models.Header) []string {
	var names []string
	for _, h := range typed {
		if c.moved && h.Value == "" && c.savedAt(h) >= 0 {
			names = append(names, h.Name)
		}
	}
	return names
}

func (c *webhookCheck) savedAt(h models.Header) int {
	return slices.IndexFunc(c.opened.Headers, func(o models.Header) bool { return strings.EqualFold(o.Name, h.Name) })
}

// savedHeader fills in the saved value of a header that was left empty.
func (c *webhookCheck) savedHeader(h models.Header) models.Header {
	i := c.savedAt(h)
	switch {
	case i < 0:
		c.faults.Add("headers", valueMissing(c.form.Headers, h.Name))
	case c.moved:
		// lostHeaders says so.
	default:
		h.Value = c.opened.Headers[i].Value
	}
	return h
}

// valueMissing says that a typed header has no value, or not even a colon.
func valueMissing(typed, name string) string {
	number := 0
	for line := range strings.Lines(typed) {
		number++
		if strings.TrimSpace(line) == name {
			return fmt.Sprintf("Line %d has no colon. Write Name: value.", number)
		}
	}
	return fmt.Sprintf("Write a value after “%s:”.", web.Cut(strings.ToValidUTF8(name, "?"), 80))
}
