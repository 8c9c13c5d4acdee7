package triggers

import (
	"fmt"
	"time"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// triggerResult is one webhook of an event's location: why it got the event or
// not, and the outcome.
type triggerResult struct {
	ID       int64
	Key      string // empty: it has none
	Name     string // as it was when the event was matched
	Type     string // in words
	Owner    string
	Gone     bool // deleted since
	Moved    bool // to a location that may not be seen
	Why      explanation
	Delivery *models.Delivery // nil: none is on record
	Inside   string           // the other events in the delivery
	// Outcome is a delivery's state, or held; empty: no delivery is on record.
	Outcome string
	Badge   web.Badge
	Note    string
	Hand    []sentByHand // what was sent of it by hand, the oldest first
	CanSend bool         // the event can be sent to it by hand
	// HeldWhy says in a sentence why what is sent to it now would be held, HeldUntil
	// until when; empty: it goes out.
	HeldWhy, HeldUntil string
}

// newTriggerResult puts the explanation and the record together; row is nil
// when no trigger was logged.
func newTriggerResult(e models.Event, c triggerCase, row *models.TriggerRow, enabled bool, now time.Time) triggerResult {
	r := triggerResult{
		ID: c.Webhook.ID, Key: c.Webhook.Key, Name: c.Then.Name, Type: c.Then.Type, Owner: c.Webhook.OwnerName,
		Gone: c.Webhook.DeletedAt != nil, Why: explainTrigger(e, c),
	}
	if c.Format != nil {
		r.Type = c.Format.Label
	}
	if row == nil {
		r.Badge, r.Note = unsentTrigger(e, c, r.Why, enabled, now)
		return r
	}
	// A delivery on record overrides the result of the current filter.
	if !r.Why.Match {
		r.Why = explanation{Match: true, Words: plainWords("A delivery was recorded")}
	}
	d := row.Delivery
	r.Delivery = &d
	r.Inside = "alone"
	if others := d.Items - 1; others > 0 {
		r.Inside = "with " + web.Plural(int64(others), "other event", "other events")
	}
	held := ""
	if deliveries.Pending(d) {
		held = deliveries.HeldWhy(row.Webhook, enabled, now)
	}
	r.Outcome = d.State
	if held != "" {
		r.Outcome = models.StateHeld
	}
	r.Badge = deliveries.Badge(d, held != "")
	r.Note = deliveries.Note(d, held, now)
	if d.State == models.DeliveryDelivered {
		r.Note = fmt.Sprintf("in %s, %s", deliveries.TookAbout(d.LastMS), attemptOrdinal(d.Tries))
	}
	return r
}

// withhold leaves out what belongs to another location: a webhook that moved there
// keeps here only the name that it had, and its name of before it came here is not
// shown.
func (r *triggerResult) withhold(within models.LocationSet, c triggerCase) {
	if within.Has(c.Webhook.Location) {
		if !within.Has(c.Then.Location) {
			r.Name = c.Webhook.Name
		}
		return
	}
	r.Moved, r.Key, r.Owner, r.Delivery = true, "", "", nil
	for i := range r.Hand {
		r.Hand[i].Delivery.PublicID = ""
	}
}

// unsentTrigger says why a match has no delivery on record; empty if the event
// did not match.
func unsentTrigger(e models.Event, c triggerCase, why explanation, enabled bool, now time.Time) (web.Badge, string) {
	switch {
	case !why.Match:
		return web.Badge{}, ""
	case e.DispatchedAt == nil:
		if held := deliveries.HeldWhy(c.Webhook, enabled, now); held != "" {
			return web.Badge{Class: "st-held", Text: "Will be held"}, held
		}
		return web.Badge{Class: "st-info", Text: "Will be sent"}, "if nothing changes until then"
	case e.Unfinished:
		return web.Badge{Class: "st-info", Text: "Being created"}, "dispatch has not created this delivery yet"
	default:
		return web.Badge{Class: "st-none", Text: "No longer kept"}, "its delivery is older than the retention period"
	}
}

func attemptOrdinal(tries int) string {
	if tries <= 1 {
		return "first attempt"
	}
	return "attempt " + wording.Count(int64(tries))
}
