package charts

import (
	"slices"
	"time"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// Span is a time in which a webhook could not send, so that its new
// deliveries were held.
type Span struct{ From, To time.Time }

// StateSpans are the times in which a webhook's state kept it from sending.
// Without changes it was all the time as it is now.
func StateSpans(w models.Webhook, changes []models.StateChange, from, now time.Time) []Span {
	if len(changes) == 0 {
		changes = []models.StateChange{{At: from, State: w.State, Deleted: w.DeletedAt != nil}}
	}
	var spans []Span
	for i, c := range changes {
		to := now
		if i+1 < len(changes) {
			to = changes[i+1].At
		}
		if c.State != models.WebhookActive && !c.Deleted {
			spans = append(spans, Span{c.At, to})
		}
	}
	return Within(spans, from, now)
}

// OffSpans are the times in which a setting was False; its history comes newest
// first, and on is its current value.
func OffSpans(history []models.SettingChange, on bool, since, now time.Time) []Span {
	var spans []Span
	to := now
	for _, change := range history {
		if !on {
			spans = append(spans, Span{change.At, to})
		}
		if to, on = change.At, change.OldValue == "True"; to.Before(since) {
			break
		}
	}
	if !on {
		spans = append(spans, Span{since, to})
	}
	return Within(spans, since, now)
}

// Within cuts spans to those between two times.
func Within(spans []Span, from, to time.Time) []Span {
	var list []Span
	for _, s := range spans {
		if s.From.Before(from) {
			s.From = from
		}
		if s.To.After(to) {
			s.To = to
		}
		if s.From.Before(s.To) {
			list = append(list, s)
		}
	}
	return list
}

// Join makes one of spans that overlap, oldest first.
func Join(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return a.From.Compare(b.From) })
	var list []Span
	for _, s := range spans {
		if n := len(list); n > 0 && !s.From.After(list[n-1].To) {
			if s.To.After(list[n-1].To) {
				list[n-1].To = s.To
			}
			continue
		}
		list = append(list, s)
	}
	return list
}

// heldFor is how long spans are in all.
func heldFor(spans []Span) (d time.Duration) {
	for _, s := range spans {
		d += s.To.Sub(s.From)
	}
	return d
}

// Bar is a grey bar as high as the picture, behind the others: from when
// to when a webhook was held, in the picture's own units.
type Bar struct{ X, W string }

// heldThin is the least width of such a bar that can be seen.
const heldThin = 1.5

// heldBars draws spans into a picture that begins at since and has a step for
// each span of time.
func heldBars(spans []Span, since time.Time, span time.Duration, steps int) []Bar {
	var bars []Bar
	place := func(t time.Time) float64 { return sparkStep * float64(t.Sub(since)) / float64(span) }
	for _, s := range Within(spans, since, since.Add(time.Duration(steps)*span)) {
		x := place(s.From)
		bars = append(bars, Bar{tenth(x), tenth(max(heldThin, place(s.To)-x))})
	}
	return bars
}

// heldWords says how long spans are in all; empty: there are none.
func heldWords(spans []Span) string {
	if d := heldFor(spans); d > 0 {
		return web.Span(d)
	}
	return ""
}
