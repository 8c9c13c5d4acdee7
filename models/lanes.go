package models

import (
	"context"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// Lanes are the webhooks' queues. A lane has at most one worker, which holds
// its lease. A transaction that fills a lane notes it in the lane's row, so
// that the sweep of any instance finds it.
//
// Many lanes ask the database at the same time, so they share its statements.
type Lanes struct {
	s        *Store
	reloads  *db.Batcher[*laneReload]
	dues     *db.Batcher[*laneDue]
	records  *db.Batcher[*laneOutcomes]
	releases *db.Batcher[*laneRelease]
	dueBytes int64 // of a lane that are read at once
}

// How many lanes share a statement.
const (
	turnsTogether = 128
	duesTogether  = 32 // each may read dueBytes
)

// laneWithin is the maximum time of a statement that lanes share.
const laneWithin = 15 * time.Second

func newLanes(s *Store, memoryShare float64) *Lanes {
	x := &Lanes{s: s, dueBytes: int64(dueBytes * memoryShare)}
	x.reloads = db.NewBatcher(turnsTogether, nil, laneWithin, x.reload)
	x.dues = db.NewBatcher(duesTogether, nil, laneWithin, x.due)
	x.records = db.NewBatcher(recordTogether, (*laneOutcomes).size, laneWithin, x.record)
	x.releases = db.NewBatcher(turnsTogether, nil, laneWithin, x.release)
	return x
}

// fillLanes notes that lanes have something due now, and returns them. The
// lock keeps a lane from being released until this transaction ends, and lets
// outcomes be recorded meanwhile.
func (s *Store) fillLanes(tx *gorm.DB, ids map[int64]struct{}, now time.Time) ([]LaneRef, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var lanes []filledLane
	err := tx.Raw(`
		select l.*, w.url_shown from lanes l join webhooks w on w.id = l.webhook_id
		where `+s.db.InIDs("l.webhook_id")+` order by l.webhook_id`+s.db.ForKeyShare("l"),
		db.JSON(slices.Sorted(maps.Keys(ids)))).Find(&lanes).Error // all transactions lock in the same order
	if err != nil {
		return nil, err
	}
	refs := make([]LaneRef, len(lanes))
	var late []int64
	for i, l := range lanes {
		refs[i] = l.ref()
		if l.NextDueAt == nil || l.NextDueAt.After(now) {
			late = append(late, l.WebhookID)
		}
	}
	if len(late) == 0 {
		return refs, nil
	}
	return refs, tx.Exec("update lanes set next_due_at = ? where "+s.db.InIDs("webhook_id")+" and (next_due_at is null or next_due_at > ?)",
		now, db.JSON(late), now).Error
}

// filledLane is a lane with the shown URL of its webhook.
type filledLane struct {
	Lane
	URLShown string
}

func (l filledLane) ref() LaneRef { return LaneRef{l.WebhookID, l.share(), l.URLShown, l.Paced} }

// leaseMax is further ahead than any lease can be, unless the clock was set
// back since: then the lease counts for nothing.
const leaseMax = 10 * time.Minute

// dueAndFree selects the lanes that have something due and that no worker has.
const dueAndFree = "l.next_due_at <= ? and (l.leased_until is null or l.leased_until <= ? or l.leased_until > ?)"

func freeArgs(now time.Time) []any { return []any{now, now, now.Add(leaseMax)} }

// SweepQuery selects lanes for an instance.
type SweepQuery struct {
	Full    []string // shares in which it has no place
	Waiting []int64  // the lanes that it knows already
	Limit   int
}

// Sweep returns lanes that have something due and that no worker has, those
// that have waited longest first.
func (x *Lanes) Sweep(ctx context.Context, q SweepQuery) (_ []LaneRef, err error) {
	defer wrap(&err, "sweep lanes")
	tx := x.s.db.WithContext(ctx)
	now, err := x.s.db.Now(tx)
	if err != nil {
		return nil, err
	}
	var lanes []filledLane
	err = tx.Raw(`
		select l.*, coalesce(w.url_shown, '') as url_shown from lanes l left join webhooks w on w.id = l.webhook_id
		where `+dueAndFree+` and `+laneShare+` not in ? and l.webhook_id not in `+x.s.db.JSONList("bigint")+`
		order by l.next_due_at, l.webhook_id limit ?`,
		append(freeArgs(now), append(q.Full, ""), db.JSON(q.Waiting), q.Limit)...).Find(&lanes).Error
	if err != nil {
		return nil, err
	}
	refs := make([]LaneRef, len(lanes))
	for i, l := range lanes {
		refs[i] = l.ref()
	}
	return refs, nil
}

// Recover is for the start. It frees the leases of a killed process, where no
// other process can be at work: with SQLite, whose folder is locked by the
// instance. With PostgreSQL the leases of killed instances expire by
// themselves.
func (x *Lanes) Recover(ctx context.Context) (err error) {
	defer wrap(&err, "recover lanes")
	tx := x.s.db.WithContext(ctx)
	back, err := x.setBack(tx)
	if err == nil && back {
		err = x.Reschedule(ctx)
	}
	if err != nil || x.s.db.Shared() {
		return err
	}
	return tx.Exec("update lanes set leased_until = null where leased_until is not null").Error
}
