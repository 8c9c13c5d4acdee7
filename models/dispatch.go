package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// Dispatch is one run of dispatch, in one transaction: Events.Dispatch begins
// it, the methods that read say what there is to do, Store writes what was
// decided, and Commit ends it. On SQLite, where a transaction blocks all other
// writes, it begins with Store, which checks that what was read is unchanged.
type Dispatch struct {
	Now      time.Time
	Settings Settings
	Version  int64 // of the webhooks' filters
	// MaxRows and MaxBytes are how much it should store.
	MaxRows, MaxBytes int
	// Careful says that only Rests are stored as deliveries, and that the
	// deliveries of new events are left as rests: one of them may not succeed.
	Careful bool

	s         *Store
	read      *gorm.DB
	tx        *db.OpenTx // nil: it has not begun
	locations []string   // whose turn it is
	all       bool       // no other location has anything to do
	tried     int64      // the only rest to be continued; 0: any
	resting   map[string]bool
	full      bool  // there are more events due than were read
	runs      int64 // before this one
	result    DispatchResult
}

// DispatchResult is the outcome of a run.
type DispatchResult struct {
	Events int  // dispatched
	More   bool // there may be more to do: run again at once
	// Wait is how long nothing will be due, as far as is known now.
	Wait time.Duration
	// OnArrival says that an event that arrives may be due at once.
	OnArrival bool
	Lanes     []LaneRef // to be queued
}

// DispatchOptions say how a run goes.
type DispatchOptions struct {
	// Exclusive holds the turn to write from the beginning, on SQLite.
	Exclusive bool
	// Careful counts a try of a rest before it is continued. See Dispatch.
	Careful bool
	// Arrived says that an event has arrived that is due at once, as far as is
	// known: a run is worth its transaction.
	Arrived bool
}

// ErrChanged says that a run has to be begun again: what it had read changed,
// or PostgreSQL ended its transaction for a deadlock.
var ErrChanged = errors.New("webhooks, settings or events changed during dispatch")

// Dispatch begins a run if it is time. The Dispatch is nil when it is not, or
// when another instance dispatches now.
func (x *Events) Dispatch(ctx context.Context, o DispatchOptions) (*Dispatch, DispatchResult, error) {
	result, due, err := DispatchResult{OnArrival: true}, true, error(nil)
	if !o.Arrived {
		result, due, err = x.due(ctx)
	}
	if err != nil || !due {
		return nil, result, dispatchError(err)
	}
	result.Wait = busyWait
	d := &Dispatch{s: x.s, MaxRows: x.s.dispatchRows(), MaxBytes: dispatchBytes, Careful: o.Careful, result: DispatchResult{OnArrival: result.OnArrival}}
	if o.Careful {
		if d.tried, err = x.tryRest(ctx); err != nil {
			return nil, result, dispatchError(err)
		}
	}
	d.read = x.s.db.WithContext(ctx)
	if o.Exclusive || !x.s.db.SingleWriter() {
		if d.tx, err = x.s.db.Begin(ctx); err != nil {
			return nil, result, dispatchError(errors.Join(err, d.untried(ctx)))
		}
		d.read = d.tx.DB
	}
	if ready, err := d.begin(); err != nil || !ready {
		d.Rollback()
		return nil, result, dispatchError(errors.Join(err, d.untried(ctx)))
	}
	return d, DispatchResult{}, nil
}

// dispatchError says where an error came from, and that a deadlock calls for
// another run.
func dispatchError(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(db.AsAgain(err), db.ErrAgain) {
		err = errors.Join(ErrChanged, err)
	}
	return fmt.Errorf("dispatch: %w", err)
}

// How much one transaction of dispatch stores at most. SQLite lets nobody else
// write meanwhile: its transactions take about 50 ms.
const (
	dispatchRowsPostgres = 2000
	dispatchRowsSQLite   = 600
	dispatchBytes        = 4 << 20
)

func (s *Store) dispatchRows() int {
	if s.db.SingleWriter() {
		return dispatchRowsSQLite
	}
	return dispatchRowsPostgres
}

// begin locks the run and reads what decides. On PostgreSQL the transaction
// uses indexes from then on: the pending events grow faster than the
// statistics, and the planner would keep reading the whole of a table that was
// small before.
func (d *Dispatch) begin() (ready bool, err error) {
	var run dispatchRun
	res := d.read.Raw("select *" + d.s.db.PreferIndex() + " from dispatch_runs where id = 1" + d.s.db.SkipLocked()).Scan(&run)
	if res.Error != nil || res.RowsAffected == 0 {
		return false, res.Error
	}
	if d.Settings, err = d.s.Settings.get(d.read); err != nil {
		return false, err
	}
	d.Now, err = d.s.db.Now(d.read)
	if err != nil || !timeToRun(run.NextAt, d.Now, d.Settings.DispatchInterval) && d.Settings.DispatchInterval > 0 {
		return false, err
	}
	// Held until the deliveries are stored: a webhook that is moved or deleted
	// meanwhile waits, and then drops them too.
	lock := ""
	if d.tx != nil {
		lock = d.s.db.ForShare()
	}
	if d.Version, err = matchVersion(d.read, lock); err != nil {
		return false, err
	}
	d.runs = run.Runs
	return true, d.takeTurns(run.LastLocation)
}

// Number is that of the run, once it is stored: runs of all instances are counted.
func (d *Dispatch) Number() int64 { return d.runs + 1 }

// Commit ends the run.
func (d *Dispatch) Commit() (DispatchResult, error) {
	return d.result, dispatchError(d.tx.Commit())
}

// Rollback ends the run without a trace, unless it has ended.
func (d *Dispatch) Rollback() { d.tx.Rollback() }

// busyWait is how long to leave another instance alone that runs dispatch.
const busyWait = 100 * time.Millisecond

// due looks without a lock whether a run is worth its transaction.
func (x *Events) due(ctx context.Context) (DispatchResult, bool, error) {
	tx := x.s.db.WithContext(ctx)
	settings, err := x.s.Settings.get(tx)
	if err != nil {
		return DispatchResult{}, false, err
	}
	now, err := x.s.db.Now(tx)
	if err != nil {
		return DispatchResult{}, false, err
	}
	if settings.DispatchInterval > 0 {
		var run dispatchRun
		if err := tx.Take(&run, 1).Error; err != nil {
			return DispatchResult{}, false, err
		}
		wait := min(run.NextAt.Sub(now), settings.DispatchInterval)
		return DispatchResult{Wait: wait}, timeToRun(run.NextAt, now, settings.DispatchInterval), nil
	}
	var resting bool
	if err := tx.Raw("select exists (select 1 from dispatch_rest where set_aside_at is null)").Scan(&resting).Error; err != nil {
		return DispatchResult{}, false, err
	}
	oldest, err := x.oldest(tx)
	if err != nil {
		return DispatchResult{}, false, err
	}
	wait := untilDue(oldest, settings.DispatchDelay, now)
	if resting {
		wait = 0
	}
	return DispatchResult{Wait: wait, OnArrival: settings.DispatchDelay == 0}, wait <= 0, nil
}

// untilDue is how long the oldest event waits still; without one, an hour.
func untilDue(oldest *time.Time, delay time.Duration, now time.Time) time.Duration {
	if oldest == nil {
		return time.Hour
	}
	if oldest.After(now.Add(future)) {
		return 0
	}
	return oldest.Add(delay).Sub(now)
}

// timeToRun also runs when the next time lies further ahead than the interval,
// as it does after the clock was set back.
func timeToRun(next, now time.Time, interval time.Duration) bool {
	return !next.After(now) || next.Sub(now) > interval
}

// dispatchRun is when dispatch runs next, and the location whose turn was last.
type dispatchRun struct {
	ID           int64
	NextAt       time.Time
	LastAt       *time.Time
	LastLocation string
	Runs         int64
}

// dispatchedEvent is an event whose dispatch no delivery tells.
type dispatchedEvent struct {
	EventID    int64 `gorm:"primaryKey;autoIncrement:false"` // Event.ID
	DispatchID int64
	MergedInto *int64
}

// dispatch is what one transaction of dispatch decided by, or one that sent
// events by hand.
type dispatch struct {
	ID           int64
	At           time.Time
	MatchVersion int64
	Logged       bool // trigger history was on
	// SentBy is the member that sent its deliveries by hand; empty: nobody did.
	SentBy string
	SendID int64 // ManualSend.ID of a filter; 0: none
}
