// Package follow reports the activity of systems that send no webhooks: it
// reads their databases and posts what happened to the ingest API of a running
// instance.
//
// It promises that an event is reported before the place reached is stored, so
// that a crash of either side repeats events, whose ids stay the same, and loses
// none; that only the follower that holds the source's lease works; and that it
// writes nothing to the other system but to take rows out of an outbox. It knows
// Sitehooks by its APIs.
package follow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sitehooks/sitehooks/app/client"
)

// Options are what followers of all systems have in common.
type Options struct {
	Name     string // of the source, a slug
	URL      string // of the instance, without a slash at the end
	Token    string // with the scope ingest
	Location string // of the source and its events; empty: main
	Every    time.Duration
	Log      *slog.Logger
}

// event is an event to be posted: a line of JSON, with its end.
type event struct {
	id   string
	line []byte
}

// batch is what a system had to report after a place.
type batch struct {
	events []event
	place  json.RawMessage // to be stored after the events
	behind time.Duration   // between what was read last and now
	more   bool            // the system has more, which must not wait
}

// system is a system that is followed.
type system interface {
	// begin finds the place of a follower that has none.
	begin(ctx context.Context) (json.RawMessage, error)
	// next reads what happened after a place. Called again with the same place,
	// it returns the same events.
	next(ctx context.Context, place json.RawMessage) (batch, error)
	// accepted is called after all events of the newest batch were stored.
	accepted(ctx context.Context) error
	// pause waits until there may be something new, or until the time has passed.
	pause(ctx context.Context, d time.Duration)
}

// systemError is an error of the followed system, as opposed to the instance.
type systemError struct{ err error }

func (e *systemError) Error() string { return e.err.Error() }
func (e *systemError) Unwrap() error { return e.err }

// longestPause is the longest time between two tries.
const longestPause = time.Minute

// follower is one run of a follower. All its fields belong to the goroutine of
// run.
type follower struct {
	Options
	system system
	cursor cursors
	poster poster
	wait   func(ctx context.Context, d time.Duration)
	now    func() time.Time

	held       bool // the lease is ours
	standingBy bool // another follower has it, which the log says already
	place      json.RawMessage
	reportedAt time.Time // of the last report
	caughtUpAt time.Time // up to then everything was reported
	failing    string    // why, as the log has it; empty: nothing fails
}

func newFollower(o Options, s system) *follower {
	c := &client.Client{Base: o.URL, Token: o.Token}
	return &follower{
		Options: o, system: s, wait: wait, now: time.Now,
		cursor: newCursors(c, o),
		poster: poster{client: c, source: o.Name, log: o.Log},
	}
}

// run follows until ctx ends, or until the instance refuses what would be
// refused again.
func (f *follower) run(ctx context.Context) error {
	pause := time.Duration(0)
	for ctx.Err() == nil {
		more, err := f.round(ctx)
		switch {
		case ctx.Err() != nil:
		case err == nil:
			pause = 0
			f.recovered(ctx)
			if !more {
				f.system.pause(ctx, f.Every)
			}
		case !temporary(err):
			f.release(ctx)
			return fmt.Errorf("follow: %w", err)
		default:
			pause = nextPause(pause, err)
			f.failed(ctx, err, pause)
			f.wait(ctx, pause)
		}
	}
	f.release(ctx)
	return nil
}

// round reads and reports once. more: the next round must not wait.
func (f *follower) round(ctx context.Context) (more bool, err error) {
	if !f.held {
		if err := f.acquire(ctx); err != nil || !f.held {
			return false, err
		}
	}
	b, err := f.system.next(ctx, f.place)
	if err != nil {
		return false, &systemError{err}
	}
	if err := f.poster.post(ctx, b.events); err != nil {
		return false, err
	}
	if err := f.system.accepted(ctx); err != nil {
		return false, &systemError{err}
	}
	moved := string(b.place) != string(f.place)
	f.place, f.caughtUpAt = b.place, f.now().Add(-b.behind)
	if moved || f.failing != "" || f.poster.skipped > 0 || f.now().Sub(f.reportedAt) >= f.cursor.renew() {
		err = f.report(ctx, "")
	}
	return b.more && f.held, err
}

// acquire takes the lease, unless another follower has it.
func (f *follower) acquire(ctx context.Context) error {
	c, err := f.cursor.acquire(ctx)
	if other, is := errors.AsType[*leasedError](err); is {
		if !f.standingBy {
			f.Log.InfoContext(ctx, "another follower is at work; standing by", slog.String("source", f.Name), slog.String("holder", other.holder))
		}
		f.standingBy = true
		return nil
	}
	if err != nil {
		return err
	}
	if c.Place == nil {
		if c.Place, err = f.system.begin(ctx); err != nil {
			return &systemError{err}
		}
	}
	f.place = c.Place
	f.held, f.standingBy, f.reportedAt, f.caughtUpAt = true, false, time.Time{}, f.now()
	f.Log.InfoContext(ctx, "following", slog.String("source", f.Name), slog.String("to", f.URL))
	return nil
}

// report stores the place. why is why the other system cannot be read; empty:
// it can.
func (f *follower) report(ctx context.Context, why string) error {
	err := f.cursor.report(ctx, cursor{
		Place: f.place, BehindSeconds: int64(max(0, f.now().Sub(f.caughtUpAt)) / time.Second),
		Skipped: f.poster.skipped, LastSkipped: f.poster.lastSkipped, Error: why,
	})
	if _, is := errors.AsType[*leasedError](err); is {
		f.held = false // it lapsed, and another follower took it
		return nil
	}
	if err == nil {
		f.reportedAt, f.poster.skipped = f.now(), 0
	}
	return err
}

// release gives the lease back, so that the next follower need not wait for
// its end.
func (f *follower) release(ctx context.Context) {
	if !f.held {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := f.cursor.release(ctx); err != nil {
		f.Log.DebugContext(ctx, "the lease was not given back", slog.Any("error", err))
	}
}

// failed logs a failure once, and tells the instance of one of the other
// system.
func (f *follower) failed(ctx context.Context, err error, pause time.Duration) {
	if why := err.Error(); why != f.failing {
		f.failing = why
		f.Log.WarnContext(ctx, "waiting", slog.String("reason", why), slog.Duration("next_try_in", pause))
	}
	if other, is := errors.AsType[*systemError](err); is && f.held {
		_ = f.report(ctx, other.Error()) // the next try tells more
	}
}

func (f *follower) recovered(ctx context.Context) {
	if f.failing != "" {
		f.Log.InfoContext(ctx, "continuing")
		f.failing = ""
	}
}

// temporary says whether the same may succeed later.
func temporary(err error) bool {
	if refused, is := errors.AsType[*client.RefusedError](err); is {
		return refused.Status >= 500
	}
	_, fatal := errors.AsType[*fatalError](err)
	return !fatal
}

// fatalError is an error that stays until the follower is started in another
// way.
type fatalError struct{ text string }

func (e *fatalError) Error() string { return e.text }

// nextPause doubles the pause, or is as long as the instance asked for.
func nextPause(last time.Duration, err error) time.Duration {
	if later, is := errors.AsType[*client.LaterError](err); is && later.After > 0 {
		return min(later.After, longestPause)
	}
	return min(max(2*last, time.Second), longestPause)
}

// wait passes the time, or ends with ctx.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
