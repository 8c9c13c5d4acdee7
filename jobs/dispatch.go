package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// dispatchEvents is how many due events one transaction dispatches at most,
// besides those that merge with them.
const dispatchEvents = 1000

// How long dispatch sleeps at most: another instance may have accepted events
// or changed the settings without a word to us.
const (
	pollOnArrival = 500 * time.Millisecond
	pollInterval  = 900 * time.Millisecond
	errorPause    = time.Second
	// gather is the least time between two runs on arrival: events that arrive
	// meanwhile share one, which costs much the same for one as for many.
	gather = 10 * time.Millisecond
)

// dispatcher turns events into deliveries. Every instance runs one; the
// database's lock lets one at a time do it, so none waits for a leader.
type dispatcher struct {
	store   *models.Store
	runner  *runner
	log     *slog.Logger
	arrived chan struct{}   // an event was accepted here
	changed <-chan struct{} // an administrator changed something here
	index   *index
	gather  time.Duration // the constant of this name, or longer in tests
	// mostBytes is dispatchBytes, or less with little memory.
	mostBytes int
	// careful is true from the start, and after an error, until nothing is left
	// to do: see models.Dispatch. An event that ended the process before it
	// was dispatched does so three times at most.
	careful bool
	// onArrival is true when the newest run said that an event that arrives may
	// be due at once.
	onArrival bool
	since     int64 // this instance made all runs from this one on
}

func (d *dispatcher) run(ctx context.Context) {
	var ran time.Time // when the newest run began that dispatched something
	for ctx.Err() == nil {
		began := time.Now()
		result, err := d.once(ctx)
		if result.Events > 0 {
			ran = began
		}
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
			if result.OnArrival {
				d.sleep(ctx, d.gather-time.Since(ran), false)
			}
		}
	}
}

// once runs dispatch if it is time. When what it read changed meanwhile, it does so
// again, while nobody else can write.
func (d *dispatcher) once(ctx context.Context) (models.DispatchResult, error) {
	o := models.DispatchOptions{Careful: d.careful}
	select {
	case <-d.arrived: // what arrived by now will be read
		o.Arrived = d.onArrival
	default:
	}
	result, err := d.attempt(ctx, o)
	for i := 0; i < 3 && errors.Is(err, models.ErrChanged); i++ {
		o.Exclusive = true
		result, err = d.attempt(ctx, o)
	}
	d.onArrival = result.OnArrival
	d.careful = err != nil || d.careful && result.More
	return result, err
}

// attempt is one transaction of dispatch.
func (d *dispatcher) attempt(ctx context.Context, o models.DispatchOptions) (result models.DispatchResult, err error) {
	run, result, err := d.store.Events.Dispatch(ctx, o)
	if err != nil || run == nil {
		return result, err
	}
	defer func() { err = d.ended(ctx, run, recover(), err) }()
	rests, err := run.Rests()
	if err != nil {
		return result, err
	}
	due, err := run.Due(dispatchEvents)
	if err != nil {
		return result, err
	}
	groups := merge(due)
	if err := d.reindex(run); err != nil {
		return result, err
	}
	work, decided := d.match(run, groups)
	d.resume(work, rests)
	if err := work.read(run.Payloads); err != nil {
		return result, err
	}
	decided.Deliveries, decided.Rests, decided.Done = work.build(run)
	if err := run.Store(decided, len(due)); err != nil {
		return result, err
	}
	if result, err = d.commit(run, decided.Deliveries); err == nil && result.Events > 0 {
		d.log.DebugContext(ctx, "dispatched", slog.Int("events", result.Events), slog.Int("deliveries", len(decided.Deliveries)), slog.Int("lanes", len(result.Lanes)))
	}
	return result, err
}

// commit ends a run, and hands over what it stored.
func (d *dispatcher) commit(run *models.Dispatch, built []models.NewDelivery) (models.DispatchResult, error) {
	runs := &d.runner.runs
	runs.committing.Store(run.Number())
	result, err := run.Commit()
	if err != nil {
		runs.committing.Store(runs.committed().run)
		return result, err
	}
	if run.Number() != runs.committed().run+1 { // another instance dispatched, or this one and did not learn of it
		d.since = run.Number()
	}
	d.runner.handOver(run.Number(), d.since, result.Lanes, built)
	runs.newest.Store(&dispatchedAt{run.Number(), run.Now})
	return result, nil
}

// ended turns a panic into an error, and lets a run that failed count.
func (d *dispatcher) ended(ctx context.Context, run *models.Dispatch, panicked any, err error) error {
	if panicked != nil {
		err = fmt.Errorf("dispatch: panic: %v", panicked)
		d.log.ErrorContext(ctx, "dispatch panicked", slog.Any("panic", panicked), slog.String("stack", string(debug.Stack())))
	}
	if err == nil {
		return nil
	}
	return errors.Join(err, run.Failed(ctx, err))
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
		poke(d.arrived) // it is not read yet
	case <-d.changed:
	}
}
