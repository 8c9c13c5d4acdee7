package models

import (
	"context"
	"time"
)

// stalledAfter is how much longer than three intervals dispatch may keep from
// running before somebody is told: what a killed instance had in hand comes
// free within it.
const stalledAfter = 5 * time.Second

// Stalled tells since when dispatch has not run although it should have; nil:
// it runs. On arrival it has to run only when something is due.
func (x *Events) Stalled(ctx context.Context, at Standing) (*time.Time, error) {
	interval := at.Settings.DispatchInterval
	since := at.nextRun.Add(-interval) // when it ran last
	if interval == 0 {
		oldest, err := x.oldest(x.s.db.WithContext(ctx))
		if err != nil || oldest == nil {
			return nil, err
		}
		since = oldest.Add(at.Settings.DispatchDelay)
	}
	if at.Now.Sub(since) <= 3*interval+stalledAfter {
		return nil, nil //nolint:nilnil // it runs
	}
	return &since, nil
}
