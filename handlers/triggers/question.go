package triggers

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// webhookQuestion is the question why a webhook did not fire, not yet answered:
// which event is meant?
type webhookQuestion struct {
	Webhook  models.Webhook
	Location string
	Unknown  string // the id that was asked about and that no event has
}

// webhookQuestion reads the question from the address; nil: there is none.
func (s *Pages) webhookQuestion(c *gin.Context) (*webhookQuestion, error) {
	id, ok := web.Positive(c.Query("webhook"))
	if !ok {
		return nil, nil //nolint:nilnil // nothing was asked
	}
	w, err := s.Store.Webhooks.GetAny(c.Request.Context(), s.Within(c), id)
	if err != nil {
		return nil, err
	}
	return &webhookQuestion{Webhook: w}, nil
}

// triggerUnknown answers about an event that is not on record.
func (s *Pages) triggerUnknown(c *gin.Context, id string) error {
	return s.showTriggerHistory(c, http.StatusNotFound, wording.Cut(id, 200))
}

// triggerAnswer explains why one webhook got an event or not, with the outcome.
type triggerAnswer struct {
	Webhook  models.Webhook
	Headline string // match or not, and whether it arrived
	Why      explanation
	Next     string // the next step, or advice
	Delivery *models.Delivery
	Into     string // path of the newer event that was sent instead, with the same question
}

// triggerAnswer explains one pair at the top of an event's page.
func (s *Pages) triggerAnswer(c *gin.Context, p *triggerEventPage, id int64) (*triggerAnswer, error) {
	w, err := s.Store.Webhooks.GetAny(c.Request.Context(), s.Within(c), id)
	if err != nil {
		return nil, err
	}
	a := &triggerAnswer{Webhook: w}
	if p.Unlogged() {
		a.Headline = "It was not logged: trigger history was off when the event was dispatched."
		return a, nil
	}
	if p.Event.MergedInto != nil {
		a.Headline = "It was not sent on its own: a newer event about the same item arrived within the dispatch delay."
		if p.Into.EventID != "" {
			a.Into = questionAbout(id, p.Into.ID)
		}
		return a, nil
	}
	i := slices.IndexFunc(p.Matched, func(r triggerResult) bool { return r.ID == id })
	if i >= 0 {
		r := p.Matched[i]
		a.Why, a.Delivery = r.Why, r.Delivery
		a.Headline, a.Next = matchedHeadline(p, r)
		return a, nil
	}
	if i = slices.IndexFunc(p.Unmatched, func(r triggerResult) bool { return r.ID == id }); i >= 0 {
		a.Why = p.Unmatched[i].Why
	} else if a.Why, err = s.explainMoved(c, p.Event, w); err != nil {
		return nil, err
	}
	a.Headline = "It did not match."
	if p.Waiting() {
		a.Headline = "It would not match as it is now."
	}
	return a, nil
}

// elsewhere explains a webhook that was not at the event's location.
func (s *Pages) explainMoved(c *gin.Context, e models.Event, w models.Webhook) (explanation, error) {
	history, err := s.Store.Webhooks.History(c.Request.Context(), models.AllLocations(), w.ID, triggerVersions)
	if err != nil {
		return explanation{}, err
	}
	if len(history) == 0 {
		return explanation{}, errors.New("a webhook without any version")
	}
	then := history[len(history)-1] // the first of all, if it came later
	for _, v := range history {
		if e.MatchVersion == nil || v.Version <= *e.MatchVersion {
			then = v
			break
		}
	}
	if then.Deleted {
		return explanation{Class: "Deleted", Words: plainWords("The webhook had been deleted when the event was matched.")}, nil
	}
	places, err := s.LocationNames(c, e.Location, then.Location)
	if err != nil {
		return explanation{}, err
	}
	one := triggerCase{Then: then, Webhook: w, Here: places.Of(e.Location), There: places.Of(then.Location)}
	if f, ok := wire.Lookup(then.Type); ok {
		one.Format = f
	}
	return explainTrigger(e, one), nil
}

// matchedHeadline says whether a match was delivered, and the next step.
func matchedHeadline(p *triggerEventPage, r triggerResult) (headline, next string) {
	switch r.Outcome {
	case models.DeliveryDelivered:
		return "It did fire: it matched, and the receiver accepted it.", fmt.Sprintf("%s, %s. If the receiver shows nothing, check its response.", r.Badge.Text, r.Note)
	case models.StateHeld:
		return "It matched and is held because the webhook cannot send.", web.Capitalized(strings.TrimSuffix(r.Note, ".")) + ". It goes out once the webhook can send again."
	case models.DeliveryPending:
		return "It matched and is about to be sent.", web.Capitalized(r.Note) + "."
	case models.DeliveryRetrying:
		return "It matched, but has not arrived yet.", r.Badge.Text + ", " + r.Note + "."
	case models.DeliveryFailed:
		return "It matched, but the delivery failed.", r.Badge.Text + ", " + r.Note + ". The delivery's page says what to do, and lets you resend it."
	case models.DeliveryDropped:
		return "It matched, but the delivery was dropped before it was sent.", web.Capitalized(r.Note) + "."
	}
	if p.Waiting() {
		return "It matches as it is now.", r.Badge.Text + ", " + r.Note + "."
	}
	return "It matched, but no delivery is on record.", web.Capitalized(r.Note) + "."
}

// questionAbout is the address of the answer for a webhook and an event.
func questionAbout(webhook, event int64) string {
	return web.TriggerPath(event) + "?webhook=" + web.FormatID(webhook)
}

// Ask is the address of the answer for the webhook that is asked about.
func (p *triggerHistoryPage) Ask(event int64) string {
	return questionAbout(p.Question.Webhook.ID, event)
}
