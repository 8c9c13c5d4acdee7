package webhooks

import (
	"context"
	"slices"
	"time"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// heldSpan is a time in which a webhook could not send, so that its new
// deliveries were held.
type heldSpan struct{ From, To time.Time }

// webhooksHeld returns when each of some webhooks could not send since a time,
// oldest first: paused, broken, or with its type switched off.
func (s *Pages) webhooksHeld(ctx context.Context, rows []models.WebhookRow, at models.Snapshot, since time.Time) (map[int64][]heldSpan, error) {
	var changed []int64
	for _, w := range rows {
		if w.StateAt != nil && w.StateAt.After(since) {
			changed = append(changed, w.ID)
		}
	}
	states, err := s.Store.Webhooks.StateChanges(ctx, changed, since)
	if err != nil {
		return nil, err
	}
	var history []models.SettingChange
	if at.SwitchedAt.After(since) {
		if history, err = s.Store.Settings.History(ctx, models.EnableGenericWebhooks); err != nil {
			return nil, err
		}
	}
	now := at.Now
	off := offSpans(history, at.Settings.GenericEnabled, since, now)
	held := map[int64][]heldSpan{}
	for _, w := range rows {
		from := since
		if w.CreatedAt.After(from) {
			from = w.CreatedAt
		}
		spans := stateSpans(w.Webhook, states[w.ID], from, now)
		if web.NeedsFeature(w.Type) {
			spans = append(spans, within(off, from, now)...)
		}
		held[w.ID] = joinSpans(spans)
	}
	return held, nil
}

// stateSpans are the times in which a webhook's state kept it from sending.
// Without changes it was all the time as it is now.
func stateSpans(w models.Webhook, changes []models.StateChange, from, now time.Time) []heldSpan {
	if len(changes) == 0 {
		changes = []models.StateChange{{At: from, State: w.State, Deleted: w.DeletedAt != nil}}
	}
	var spans []heldSpan
	for i, c := range changes {
		to := now
		if i+1 < len(changes) {
			to = changes[i+1].At
		}
		if c.State != models.WebhookActive && !c.Deleted {
			spans = append(spans, heldSpan{c.At, to})
		}
	}
	return within(spans, from, now)
}

// offSpans are the times in which a setting was False; its history comes newest
// first, and on is its current value.
func offSpans(history []models.SettingChange, on bool, since, now time.Time) []heldSpan {
	var spans []heldSpan
	to := now
	for _, change := range history {
		if !on {
			spans = append(spans, heldSpan{change.At, to})
		}
		if to, on = change.At, change.OldValue == "True"; to.Before(since) {
			break
		}
	}
	if !on {
		spans = append(spans, heldSpan{since, to})
	}
	return within(spans, since, now)
}

// within cuts spans to those between two times.
func within(spans []heldSpan, from, to time.Time) []heldSpan {
	var list []heldSpan
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

// joinSpans makes one of spans that overlap, oldest first.
func joinSpans(spans []heldSpan) []heldSpan {
	slices.SortFunc(spans, func(a, b heldSpan) int { return a.From.Compare(b.From) })
	var list []heldSpan
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
func heldFor(spans []heldSpan) (d time.Duration) {
	for _, s := range spans {
		d += s.To.Sub(s.From)
	}
	return d
}

// heldBar is a grey bar as high as the picture, behind the others: from when
// to when a webhook was held, in the picture's own units.
type heldBar struct{ X, W string }

// heldThin is the least width of such a bar that can be seen.
const heldThin = 1.5

// heldBars draws spans into a picture that begins at since and has a step for
// each span of time.
func heldBars(spans []heldSpan, since time.Time, span time.Duration, steps int) []heldBar {
	var bars []heldBar
	place := func(t time.Time) float64 { return sparkStep * float64(t.Sub(since)) / float64(span) }
	for _, s := range within(spans, since, since.Add(time.Duration(steps)*span)) {
		x := place(s.From)
		bars = append(bars, heldBar{tenth(x), tenth(max(heldThin, place(s.To)-x))})
	}
	return bars
}

// heldWords says how long spans are in all; empty: there are none.
func heldWords(spans []heldSpan) string {
	if d := heldFor(spans); d > 0 {
		return web.Span(d)
	}
	return ""
}
