package definition

import (
	"context"
	"slices"
	"time"

	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
)

// TestResult is the result of a test notification that was really sent. It is
// not recorded.
type TestResult struct {
	send.Result
	Delivered bool
	Reason    string // why not, as a sentence
	Body      []byte // that was sent
	Shown     string // the URL, as it may be shown
	Policy    wire.Policy
}

// Response is the answer as the type's policy reads it.
func (t *TestResult) Response() wire.Response {
	return wire.Response{Code: t.Code, Header: t.Header, Body: t.Result.Body, ErrorClass: t.ErrorClass}
}

// Test sends the type's test notification to a checked webhook. The error is of
// the system, or says that ctx ended meanwhile.
func (c *Checker) Test(ctx context.Context, w Checked) (TestResult, error) {
	return c.TestWith(ctx, w, w.Format.Samples(w.Input.Events))
}

// TestWith is Test with other events than the type's own test has.
func (c *Checker) TestWith(ctx context.Context, w Checked, events []wire.Event) (TestResult, error) {
	f, id, at := w.Format, w.Format.NewID(), c.now()
	for i := range events {
		events[i].OccurredAt = at
	}
	body, used, err := f.Build(events, wire.Draft{ID: id, WebhookName: w.Input.Name, Target: w.Effective.URL, Options: w.Input.Options})
	if err != nil {
		return TestResult{}, err
	}
	request := w.Recipient().Request(wire.Request{
		ID: id, Body: body, At: at, Test: true, EventTypes: typesOf(events[:used]), Options: w.Input.Options,
		Via: c.Webhooks.InstallationID(),
	})
	t := TestResult{Body: body, Shown: w.Input.URLShown, Policy: f.Policy}
	ask := func() { t.Result = c.Sender.Do(ctx, request) }
	if c.Waiting != nil {
		c.Waiting(ctx, ask)
	} else {
		ask()
	}
	t.Delivered, t.Reason = f.Policy.Succeeded(t.Response()), f.Policy.Explain(t.Response())
	if t.ErrorClass != "" && t.Error != "" {
		t.Reason = t.Error // it knows more than the class says
	}
	return t, ctx.Err()
}

func (c *Checker) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// Moved tells whether the URL leads to another host than the saved one.
func (w *Checked) Moved() bool {
	return w.Saved != nil && send.Origin(w.Effective.URL) != send.Origin(w.Saved.Opened.URL)
}

// Recipient is where requests made of the webhook go, and how they are signed.
func (w *Checked) Recipient() *send.Recipient {
	return send.NewRecipient(w.Format, w.Effective.URL, w.Effective.Secrets[:], w.Effective.CustomHeaders())
}

// typesOf are the types of events, each once.
func typesOf(events []wire.Event) []string {
	var types []string
	for _, e := range events {
		types = append(types, e.Type)
	}
	slices.Sort(types)
	return slices.Compact(types)
}
