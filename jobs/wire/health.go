package wire

import "time"

// Health is how a webhook fares over all its deliveries. Zero: its newest
// attempt succeeded, or there was none. Times that are zero stand for none.
type Health struct {
	FailuresInRow int
	// FailingSince is the first failure of the row. Under a rule with Apart it
	// is the failure that a later one is measured against and, once the rule's
	// clock runs, Apart before the clock's start.
	FailingSince  time.Time
	LastFailureAt time.Time
}

// failed is the health after one more failed attempt. Attempts may end in
// another order than they began, so at may lie before the last.
func (b BrokenRule) failed(h Health, at time.Time) Health {
	next := Health{FailuresInRow: h.FailuresInRow + 1, FailingSince: at, LastFailureAt: at}
	if h.FailingSince.IsZero() {
		return next
	}
	if h.LastFailureAt.After(at) {
		next.LastFailureAt = h.LastFailureAt
	}
	next.FailingSince = h.FailingSince
	if b.Apart == 0 || b.running(h) || at.Sub(h.FailingSince) < b.Apart {
		return next
	}
	for _, earlier := range []time.Time{h.FailingSince, h.LastFailureAt} {
		if gap := at.Sub(earlier); gap >= b.Apart && gap <= b.Within {
			next.FailingSince = at.Add(-b.Apart)
			return next
		}
	}
	// The failure measured against is too old to start the clock with; the
	// next one is measured against the last that is not.
	next.FailingSince = at
	if at.Sub(h.LastFailureAt) <= b.Within {
		next.FailingSince = h.LastFailureAt
	}
	return next
}

// running says whether the clock of After has started. Until it has, the last
// failure is always less than Apart after the one measured against.
func (b BrokenRule) running(h Health) bool {
	return h.LastFailureAt.Sub(h.FailingSince) >= b.Apart
}

// broken says whether the health at this moment breaks the webhook.
func (b BrokenRule) broken(h Health, at time.Time) bool {
	if b.After == 0 && b.Count == 0 {
		return false
	}
	clock := at.Sub(h.FailingSince) - b.Apart
	return h.FailuresInRow >= b.Count && b.running(h) && clock >= b.After
}
