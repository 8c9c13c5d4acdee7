package triggers

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

type triggerEventPage struct {
	web.Page
	Event     models.Event
	Location  string
	Community string
	Actor     string
	Now       time.Time
	Due       time.Time // when it falls due, if nothing merges with it
	Delay     time.Duration
	Into      *web.EventRef  // the newer event that was sent instead; nil: none
	Merged    []web.EventRef // older ones that were merged into it
	Summary   string
	Matched   []triggerResult
	Unmatched []triggerResult
	Code      []deliveries.CodePart
	Question  *triggerAnswer // of one webhook, at the top; nil: none was asked about
	CanSend   bool           // the event can be sent to webhooks by hand
	Once      string         // names the form that does so
	Erase     string         // path of the question whether to erase its content
}

// Gone tells that the content was erased.
func (p *triggerEventPage) Gone() bool { return p.Event.Erased() }

// Waiting tells an event that was not dispatched yet.
func (p *triggerEventPage) Waiting() bool { return p.Event.DispatchedAt == nil }

// DelayWords is the dispatch delay in words.
func (p *triggerEventPage) DelayWords() string { return waitWords(p.Delay) }

// Waited is how long it lay before it was dispatched, in words.
func (p *triggerEventPage) Waited() string {
	if p.Waiting() {
		return ""
	}
	return waitWords(p.Event.DispatchedAt.Sub(p.Event.ReceivedAt))
}

func waitWords(d time.Duration) string {
	if d < time.Second {
		return web.Took(d)
	}
	return wording.PauseWords(d)
}

// Unlogged reports whether an event was dispatched while trigger history was
// off. Its outcome is not shown.
func (p *triggerEventPage) Unlogged() bool { return p.Event.DispatchedAt != nil && !p.Event.Logged }

// Show shows one event: its content, the webhooks of its location that it
// matched, the outcomes, and why the others did not get it.
func (s *Pages) Show(c *gin.Context) error {
	ctx := c.Request.Context()
	settings, err := s.Store.Settings.Get(ctx)
	if err != nil {
		return err
	}
	e, err := s.eventByNumber(c)
	if err != nil {
		return err
	}
	p := &triggerEventPage{
		Page:  web.Page{Title: triggerTitle(e), Nav: "triggers"},
		Event: e, Delay: settings.DispatchDelay, Due: e.ReceivedAt.Add(settings.DispatchDelay),
	}
	if p.Now, err = s.Store.Now(ctx); err != nil {
		return err
	}
	places, err := s.LocationNames(c, e.Location)
	if err != nil {
		return err
	}
	p.Location = places.Of(e.Location)
	if e.Community != "" {
		names, err := s.CommunityNames(ctx, []string{e.Location}, []string{e.Community})
		if err != nil {
			return err
		}
		p.Community = names.Of(e.Location, e.Community)
	}
	if event, err := wire.Decode(e.Payload, e.OccurredAt); err == nil {
		p.Actor = event.Actor.DisplayName
	}
	if user, _ := web.UserOf(c); user.Role == models.RoleAdministrator {
		p.Code = deliveries.PrettyCode(e.Payload)
	}
	if !p.Unlogged() {
		if err = s.triggerMerges(c, p); err != nil {
			return err
		}
	}
	if p.Into == nil && !p.Unlogged() {
		user, _ := web.UserOf(c)
		p.CanSend, p.Once = user.Role == models.RoleAdministrator && unsendable(e) == "", rand.Text()
		if err = s.triggerResults(ctx, s.Within(c), p, settings.GenericEnabled); err != nil {
			return err
		}
		p.Summary = triggerSummary(p)
	}
	if e.DispatchedAt != nil && !e.Erased() {
		p.Erase = erasePath(e.ID)
	}
	if requested, ok := web.Positive(c.Query("webhook")); ok {
		if p.Question, err = s.triggerAnswer(c, p, requested); err != nil {
			return err
		}
	}
	return s.Render(c, http.StatusOK, "trigger_event", p)
}

// eventByNumber is the event whose number is in the address.
func (s *Pages) eventByNumber(c *gin.Context) (models.Event, error) {
	number, ok := web.Positive(c.Param("event"))
	if !ok {
		return models.Event{}, models.ErrNotFound
	}
	return s.Store.Events.ByID(c.Request.Context(), s.Within(c), number)
}

// triggered is the trigger of a webhook; nil: none was logged.
func triggered(rows []models.TriggerRow, webhook int64) *models.TriggerRow {
	i := slices.IndexFunc(rows, func(r models.TriggerRow) bool { return r.WebhookID == webhook && r.Delivery.SentBy == "" })
	if i < 0 {
		return nil
	}
	return &rows[i]
}

// triggerMerges fills in the events that were merged with this one.
func (s *Pages) triggerMerges(c *gin.Context, p *triggerEventPage) error {
	ctx := c.Request.Context()
	if id := p.Event.MergedInto; id != nil {
		into, err := s.Store.Events.ByID(ctx, s.Within(c), *id)
		if errors.Is(err, models.ErrNotFound) {
			into, err = models.Event{}, nil // removed when its time was over
		}
		if err != nil {
			return err
		}
		ref := web.NewEventRef(into)
		p.Into = &ref
	}
	merged, err := s.Store.Events.MergedFrom(ctx, p.Event.ID)
	p.Merged = web.EventRefs(merged)
	return err
}

// triggerResults explains every webhook of the location as it was when the
// event was matched, or, before that, as it is now.
func (s *Pages) triggerResults(ctx context.Context, within models.LocationSet, p *triggerEventPage, enabled bool) error {
	cases, err := s.triggerCases(ctx, within, p.Event)
	if err != nil {
		return err
	}
	rows, err := s.Store.Events.Triggers(ctx, p.Event.ID)
	if err != nil {
		return err
	}
	for _, one := range cases {
		result := newTriggerResult(p.Event, one, triggered(rows, one.Webhook.ID), enabled, p.Now)
		for _, row := range rows {
			if row.WebhookID == one.Webhook.ID && row.Delivery.SentBy != "" {
				result.byHand(row, enabled, p.Now)
			}
		}
		result.withhold(within, one)
		if f, known := wire.Lookup(one.Webhook.Type); known && p.CanSend {
			result.CanSend = carries(f, one.Webhook, p.Event)
			result.HeldWhy, result.HeldUntil = deliveries.WillBeHeld(one.Webhook, enabled, p.Now)
		}
		if result.Why.Match {
			p.Matched = append(p.Matched, result)
		} else {
			p.Unmatched = append(p.Unmatched, result)
		}
	}
	return nil
}
