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
func (x *Events) Stalled(ctx context.Context) (*time.Time, error) {
	db := x.s.db.WithContext(ctx)
	settings, err := x.s.Settings.get(db)
	if err != nil {
		return nil, err
	}
	now, err := x.s.now(db)
	if err != nil {
		return nil, err
	}
	var run dispatchRun
	if err := db.Take(&run, 1).Error; err != nil {
		return nil, err
	}
	since := run.NextAt.Add(-settings.DispatchInterval) // when it ran last
	if settings.DispatchInterval == 0 {
		oldest, err := x.oldest(db)
		if err != nil || oldest == nil {
			return nil, err
		}
		since = oldest.Add(settings.DispatchDelay)
	}
	if now.Sub(since) <= 3*settings.DispatchInterval+stalledAfter {
		return nil, nil //nolint:nilnil // it runs
	}
	return &since, nil
}
