package triggers

import (
	"time"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// triggerLine is one event in the list with its outcome.
type triggerLine struct {
	web.EventRef
	Location  string
	Community string
	Badge     web.Badge
	Note      string
	Matched   string                  // whether it matched, in words; empty: not known, or Webhooks says it
	Webhooks  []models.MatchedWebhook // that it matched, the first of them
	More      int64                   // others that it matched
	Into      string                  // path of the newer one that it was merged into
}

func newTriggerLine(e models.Event, delay time.Duration, now time.Time) triggerLine {
	line := triggerLine{EventRef: web.NewEventRef(e)}
	due := e.ReceivedAt.Add(delay)
	switch {
	case e.MergedInto != nil:
		line.Badge = web.Badge{Class: "st-none", Text: "Merged"}
	case e.DispatchedAt == nil && due.After(now):
		line.Badge, line.Note = web.Badge{Class: "st-info", Text: "Waiting"}, "due "+deliveries.At(due, now)
	case e.DispatchedAt == nil:
		line.Badge, line.Note = web.Badge{Class: "st-info", Text: "Waiting"}, "due now"
	default:
		line.Badge, line.Note = web.Badge{Class: "st-none", Text: "Dispatched"}, deliveries.At(*e.DispatchedAt, now)
	}
	return line
}

// match says which webhooks the event matched, or, when one is asked about,
// whether it matched that one.
func (l *triggerLine) match(m models.Matches, requested bool) {
	switch {
	case l.DispatchedAt == nil || l.MergedInto != nil:
		return
	case requested && m.N > 0:
		l.Matched = "matched"
	case requested:
		l.Matched = "not for this webhook"
	case m.N > 0:
		l.Webhooks, l.More = m.First, m.N-int64(len(m.First))
	default:
		l.Matched = "none matched"
	}
}
