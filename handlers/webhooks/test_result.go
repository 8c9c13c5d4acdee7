package webhooks

import (
	"errors"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// testShown is a test notification that was really sent, with the response.
type testShown struct {
	Delivered bool
	Reason    string // why not, in words
	Do        string // advice
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

// showTest puts the result of a test into words.
func showTest(t definition.TestResult) *testShown {
	shown := &testShown{
		Delivered: t.Delivered, Reason: t.Reason, At: t.StartedAt, Took: t.Duration,
		URL: t.Shown, Request: t.RequestHeaders, Body: deliveries.PrettyCode(t.Body),
		Response: t.ResponseHeaders, Answer: deliveries.PrettyCode(t.Result.Body), Truncated: t.Truncated,
		Answered: t.ErrorClass == "",
	}
	shown.describe(t.Policy, t.Response())
	return shown
}

// Test sends the test notification of a saved webhook and shows the response on
// its page.
func (s *Pages) Test(c *gin.Context) error {
	w, f, err := s.savedWebhook(c)
	if err != nil {
		return err
	}
	r := s.request(c)
	saved, err := r.Open(w)
	if errors.Is(err, models.ErrWrongKey) {
		return s.showWebhook(c, w, lockedTest(w))
	}
	if err != nil {
		return err
	}
	var form struct {
		Sample string `form:"sample"` // the activity of the test; empty: the type's own
	}
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	events, err := sampleOf(f, form.Sample, w.Events)
	if err != nil {
		return err
	}
	t, err := r.TestWith(c.Request.Context(), saved.Unchanged(f), events)
	if err != nil {
		return err
	}
	return s.showWebhook(c, w, showTest(t))
}

// lockedTest is the test that could not be sent, because no key opens the
// webhook's secrets.
func lockedTest(w models.Webhook) *testShown {
	return &testShown{
		Reason: web.Capitalized(models.LockedWhy) + ".", Do: lockedDo,
		Badge: web.Badge{Class: "st-bad", Text: "Not sent"}, At: time.Now(), URL: w.URLShown,
	}
}

// lockedDo is the advice about secrets that no key opens.
const lockedDo = "Start every instance with both keys (SITEHOOKS_SECRET_KEY=new,old), then run sitehooks rekey."

// describe finds the badge and the advice for the response.
func (t *testShown) describe(policy wire.Policy, r wire.Response) {
	switch {
	case t.Delivered:
		t.Badge = web.Badge{Class: "st-ok", Text: deliveries.StatusText(r.Code)}
	case t.Answered:
		t.Badge = web.Badge{Class: "st-bad", Text: deliveries.StatusText(r.Code)}
		t.Do = deliveries.Advice(policy, r.ErrorClass, r.Code)
	default:
		fault := deliveries.FaultOf(r.ErrorClass)
		t.Badge, t.Do = web.Badge{Class: "st-bad", Text: fault.Word}, fault.Do
	}
}
