package triggers

import (
	"time"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// triggerLine is one event in the list with its outcome.
type triggerLine struct {
	web.EventRef
	Location  string
	Community string
	Badge     web.Badge
	Note      string
	Matched   string // how many webhooks it matched, in words; empty: not known
	Into      string // path of the newer one that it was merged into
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

// match says how many webhooks the event matched, or, when one is asked about,
// whether it matched that one.
func (l *triggerLine) match(n int64, requested bool) {
	switch {
	case l.DispatchedAt == nil || l.MergedInto != nil:
		return
	case requested && n > 0:
		l.Matched = "matched"
	case requested:
		l.Matched = "not for this webhook"
	case n > 0:
		l.Matched = wording.Count(n) + " matched"
	default:
		l.Matched = "none matched"
	}
}
