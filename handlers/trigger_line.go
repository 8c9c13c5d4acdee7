package handlers

import (
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// triggerLine is one event in the list with what became of it.
type triggerLine struct {
	eventRef
	Location  string
	Community string
	Badge     Badge
	Note      string
	Matched   string // how many webhooks it matched, in words; empty: not known
	Into      string // path of the newer one that it was merged into
}

func newTriggerLine(e models.Event, delay time.Duration, now time.Time) triggerLine {
	line := triggerLine{eventRef: newEventRef(e)}
	due := e.ReceivedAt.Add(delay)
	switch {
	case e.MergedInto != nil:
		line.Badge = Badge{"st-none", "Merged"}
	case e.DispatchedAt == nil && due.After(now):
		line.Badge, line.Note = Badge{"st-info", "Waiting"}, "due "+deliveryClock(due, now)
	case e.DispatchedAt == nil:
		line.Badge, line.Note = Badge{"st-info", "Waiting"}, "due now"
	default:
		line.Badge, line.Note = Badge{"st-none", "Dispatched"}, deliveryClock(*e.DispatchedAt, now)
	}
	return line
}

// match says how many webhooks the event matched, or, when one is asked about,
// whether it matched that one.
func (l *triggerLine) match(n int64, asked bool) {
	switch {
	case l.DispatchedAt == nil || l.MergedInto != nil:
		return
	case asked && n > 0:
		l.Matched = "matched"
	case asked:
		l.Matched = "not for this webhook"
	case n > 0:
		l.Matched = count(n) + " matched"
	default:
		l.Matched = "none matched"
	}
}
