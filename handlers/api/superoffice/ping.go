package superoffice

import (
	"context"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// ping is what came of a test event that was really sent.
type ping struct {
	ok     bool
	reason string // why not, as a sentence
	// message is the reason with all that the target answered.
	message string
}

// testResult is what programs are told of a ping.
type testResult struct {
	Success bool
	Message string
}

// test pings the target of the definition in the body.
func (s *API) test(ctx context.Context, c *call) (answer, error) {
	d, err := readDefinition(c.body)
	if err != nil {
		return answer{}, err
	}
	return s.tryOut(ctx, c, d)
}

// tryOut pings a definition. One of a saved webhook may leave out what is
// secret, and may be tried although the feature is off.
func (s *API) tryOut(ctx context.Context, c *call, d *definition) (answer, error) {
	var old *models.Webhook
	var stored models.Opened
	if d.WebhookID == 0 {
		if err := s.enabled(ctx); err != nil {
			return answer{}, err
		}
	} else {
		w, err := s.visible(ctx, c, d.WebhookID)
		if err != nil {
			return answer{}, err
		}
		if stored, err = s.Store.Webhooks.Open(w); err != nil {
			return answer{}, err
		}
		old = &w
	}
	checked, err := s.check(ctx, d, old, stored, c.place(), true)
	if err != nil {
		return answer{}, err
	}
	p, err := s.ping(ctx, checked)
	return answer{value: testResult{p.ok, p.message}}, err
}

// ping sends the test event to what a definition says.
func (s *API) ping(ctx context.Context, c checked) (ping, error) {
	f, id, at := s.format, s.format.NewID(), s.Now()
	events := f.Samples(c.input.Events)
	types := make([]string, len(events))
	for i := range events {
		events[i].OccurredAt, types[i] = at, events[i].Type
	}
	body, _, err := f.Build(events, wire.Draft{
		ID: id, WebhookName: c.input.Name, Target: c.effective.URL, Options: c.input.Options,
	})
	if err != nil {
		return ping{}, err
	}
	custom := make([]wire.Header, len(c.effective.Headers))
	for i, h := range c.effective.Headers {
		custom[i] = wire.Header(h)
	}
	to := send.NewRecipient(f, c.effective.URL, c.effective.Secrets[:], custom)
	request := to.Request(wire.Request{ID: id, Body: body, At: at, EventTypes: types, Test: true, Options: c.input.Options})
	return s.judge(s.Sender.Do(ctx, request)), ctx.Err()
}

// judge says what an answer means.
func (s *API) judge(r send.Result) ping {
	response := wire.Response{Code: r.Code, Header: r.Header, Body: r.Body, ErrorClass: r.ErrorClass}
	p := ping{ok: s.format.Policy.Succeeded(response), reason: s.format.Policy.Explain(response)}
	if r.ErrorClass != "" && r.Error != "" {
		p.reason = r.Error // it knows more than the class says
	}
	p.message = answered(p.reason, r.Code, r.ResponseHeaders, r.Body)
	return p
}

// answered is what a target answered, headers and body, after what that means.
func answered(reason string, code int, headers []wire.Header, body []byte) string {
	const most = 8 << 10 // bytes
	var b strings.Builder
	b.WriteString(reason)
	if code != 0 {
		if reason != "" {
			b.WriteString("\n\n")
		}
		b.WriteString(statusLine(code))
		for _, h := range headers {
			b.WriteString("\n" + h.Name + ": " + h.Value)
		}
		if len(body) > 0 {
			b.WriteString("\n\n" + string(body))
		}
	}
	text := b.String()
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
