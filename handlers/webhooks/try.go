package webhooks

import (
	"context"
	"errors"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// trial is a test notification that was really sent, and what came back.
// Nothing of it is recorded.
type trial struct {
	Delivered bool
	Reason    string // why not, in words
	Do        string // what to do about it
	Badge     web.Badge
	At        time.Time
	Took      time.Duration
	URL       string // as shown
	Request   []wire.Header
	Body      []deliveries.CodePart
	Response  []wire.Header
	Answer    []deliveries.CodePart
	Truncated bool
	Answered  bool
}

// tryWebhook sends the test notification of a type to what the form says.
func (s *Pages) tryWebhook(ctx context.Context, f *wire.Format, w checkedWebhook) (trial, error) {
	id, at := f.NewID(), time.Now()
	events := f.Samples(w.Input.Events)
	for i := range events {
		events[i].OccurredAt = at
	}
	body, used, err := f.Build(events, wire.Draft{ID: id, WebhookName: w.Input.Name, Target: w.Effective.URL, Options: w.Input.Options})
	if err != nil {
		return trial{}, err
	}
	request := recipient(f, w.Effective).Request(wire.Request{
		ID: id, Body: body, At: at, Test: true, EventTypes: eventTypesOf(events[:used]), Options: w.Input.Options,
	})
	result := web.Untimed(ctx, func() send.Result { return s.Sender.Do(ctx, request) })
	response := wire.Response{Code: result.Code, Header: result.Header, Body: result.Body, ErrorClass: result.ErrorClass}
	t := trial{
		Delivered: f.Policy.Succeeded(response), Reason: f.Policy.Explain(response), At: result.StartedAt, Took: result.Duration,
		URL: w.Input.URLShown, Request: result.RequestHeaders, Body: deliveries.PrettyCode(body),
		Response: result.ResponseHeaders, Answer: deliveries.PrettyCode(result.Body), Truncated: result.Truncated,
		Answered: result.ErrorClass == "",
	}
	t.describe(f.Policy, response, result.Error)
	return t, nil
}

// Test sends the test notification of a saved webhook and shows on its
// page what came back.
func (s *Pages) Test(c *gin.Context) error {
	w, f, err := s.savedWebhook(c)
	if err != nil {
		return err
	}
	opened, err := s.Store.Webhooks.Open(w)
	if errors.Is(err, models.ErrWrongKey) {
		return s.showWebhook(c, w, lockedTrial(w))
	}
	if err != nil {
		return err
	}
	in := models.WebhookInput{Name: w.Name, Events: w.Events, Options: w.Options, URLShown: w.URLShown}
	t, err := s.tryWebhook(c.Request.Context(), f, checkedWebhook{Input: in, Effective: opened})
	if err != nil {
		return err
	}
	return s.showWebhook(c, w, &t)
}

// lockedTrial is the test that could not be sent, because no key opens the
// webhook's secrets.
func lockedTrial(w models.Webhook) *trial {
	return &trial{
		Reason: web.Capitalized(models.LockedWhy) + ".", Do: lockedDo,
		Badge: web.Badge{Class: "st-bad", Text: "Not sent"}, At: time.Now(), URL: w.URLShown,
	}
}

// lockedDo is what to do about secrets that no key opens.
const lockedDo = "Start every instance with both keys (SITEHOOKS_SECRET_KEY=new,old), then run sitehooks rekey."

// describe finds the badge and the advice for what came back; why is in words
// for people, empty when there was an answer.
func (t *trial) describe(policy wire.Policy, r wire.Response, why string) {
	switch {
	case t.Delivered:
		t.Badge = web.Badge{Class: "st-ok", Text: deliveries.StatusText(r.Code)}
	case t.Answered:
		t.Badge = web.Badge{Class: "st-bad", Text: deliveries.StatusText(r.Code)}
		t.Do = deliveries.Advice(policy, r.ErrorClass, r.Code)
	default:
		fault := deliveries.FaultOf(r.ErrorClass)
		t.Badge, t.Do = web.Badge{Class: "st-bad", Text: fault.Word}, fault.Do
		if why != "" {
			t.Reason = why // it knows more than the class says
		}
	}
}

// recipient is what the form says.
func recipient(f *wire.Format, o models.Opened) *send.Recipient {
	custom := make([]wire.Header, len(o.Headers))
	for i, h := range o.Headers {
		custom[i] = wire.Header(h)
	}
	return send.NewRecipient(f, o.URL, o.Secrets[:], custom)
}

func eventTypesOf(events []wire.Event) []string {
	var types []string
	for _, e := range events {
		types = append(types, e.Type)
	}
	return web.Unique(types)
}
