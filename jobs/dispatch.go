package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// takeLimit is how many due events one transaction of dispatch takes at most.
const takeLimit = 1000

// How long dispatch sleeps at most: another instance may have accepted events
// or changed the settings without a word to us.
const (
	pollOnArrival = 500 * time.Millisecond
	pollInterval  = 900 * time.Millisecond
	errorPause    = time.Second
)

// dispatcher turns events into deliveries. Every instance runs one; the
// database's lock lets one at a time do it, so none waits for a leader.
type dispatcher struct {
	store   *models.Store
	runner  *runner
	log     *slog.Logger
	arrived <-chan struct{} // an event was accepted here
	changed <-chan struct{} // an administrator changed something here
	index   *index
	// mostBytes is takeBytes, or less with little memory.
	mostBytes int
}

func (d *dispatcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		result, err := d.once(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.log.ErrorContext(ctx, "dispatch failed; retrying", slog.Any("error", err))
			d.sleep(ctx, errorPause, false)
		case !result.More:
			wait := min(result.Wait, pollInterval)
			if result.OnArrival {
				wait = min(result.Wait, pollOnArrival)
			}
			d.sleep(ctx, wait, result.OnArrival)
		}
	}
}

// once runs dispatch if it is time, and hands over the lanes it filled.
func (d *dispatcher) once(ctx context.Context) (models.TakeResult, error) {
	started := time.Now()
	result, err := d.store.Events.Take(ctx, takeLimit, func(t models.Take) (models.Decision, error) {
		return d.decide(ctx, t)
	})
	if err != nil || result.Events == 0 {
		return result, err
	}
	d.log.DebugContext(ctx, "dispatched", slog.Int("events", result.Events), slog.Int("lanes", len(result.Lanes)),
		slog.Duration("took", time.Since(started)))
	d.runner.offer(result.Lanes)
	return result, nil
}

func (d *dispatcher) sleep(ctx context.Context, wait time.Duration, onArrival bool) {
	if wait <= 0 {
		return
	}
	arrived := d.arrived
	if !onArrival {
		arrived = nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-arrived:
	case <-d.changed:
	}
}
