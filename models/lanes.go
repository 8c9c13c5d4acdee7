package models

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// Lanes are the webhooks' queues. A lane has at most one worker, which holds
// its lease. Code that fills a lane notes it in the lane's row, so a lost job
// only delays until the next sweep.
//
// A turn on a lane makes few statements and many turns make them at once, so
// they make them together.
type Lanes struct {
	s        *Store
	claims   *db.Batcher[*laneClaim]
	looks    *db.Batcher[*laneLook]
	dues     *db.Batcher[*laneDue]
	records  *db.Batcher[*laneOutcomes]
	releases *db.Batcher[*laneRelease]
	dueBytes int64 // of a lane that are read at once
}

// How many turns share a statement.
const (
	turnsTogether = 128
	duesTogether  = 32 // each may read dueBytes
)

// laneWithin is the maximum time of a statement that turns share.
const laneWithin = 15 * time.Second

func newLanes(s *Store, memoryShare float64) *Lanes {
	x := &Lanes{s: s, dueBytes: int64(dueBytes * memoryShare)}
	x.claims = db.NewBatcher(turnsTogether, nil, laneWithin, x.claim)
	x.looks = db.NewBatcher(turnsTogether, nil, laneWithin, x.look)
	x.dues = db.NewBatcher(duesTogether, nil, laneWithin, x.due)
	x.records = db.NewBatcher(recordTogether, (*laneOutcomes).size, laneWithin, x.record)
	x.releases = db.NewBatcher(turnsTogether, nil, laneWithin, x.release)
	return x
}

// queuedFor is how long a queued job is believed to be about to start.
const queuedFor = 10 * time.Second

// fillLanes notes that lanes have something due now. It returns those for which
// a job must be queued: no worker has them and none is queued. Those whose
// queue is full are left to the sweep.
func (s *Store) fillLanes(tx *gorm.DB, ids map[int64]struct{}, now time.Time) ([]LaneRef, error) {
	sorted := make([]int64, 0, len(ids))
	for id := range ids {
		sorted = append(sorted, id)
	}
	slices.Sort(sorted) // all transactions lock in the same order
	if len(sorted) == 0 {
		return nil, nil
	}
	waiting, err := waitingLanes(tx)
	if err != nil {
		return nil, err
	}
	var lanes []Lane
	err = tx.Raw("select * from lanes where "+s.db.InIDs("webhook_id")+" order by webhook_id"+s.db.ForUpdate(), db.JSON(sorted)).Find(&lanes).Error
	if err != nil {
		return nil, err
	}
	var refs []LaneRef
	var queue []int64
	for _, lane := range lanes {
		if !after(lane.LeasedUntil, now) && !after(lane.QueuedUntil, now) && waiting.add(lane.ref()) {
			queue = append(queue, lane.WebhookID)
			refs = append(refs, lane.ref())
		}
	}
	err = tx.Exec("update lanes set next_due_at = ? where "+s.db.InIDs("webhook_id")+" and (next_due_at is null or next_due_at > ?)",
		now, db.JSON(sorted), now).Error
	if err == nil && len(queue) > 0 {
		err = tx.Exec("update lanes set queued_until = ? where "+s.db.InIDs("webhook_id"), now.Add(queuedFor), db.JSON(queue)).Error
	}
	return refs, err
}

func after(t *time.Time, now time.Time) bool { return t != nil && t.After(now) }

// markMax is further ahead than any lease or mark can be, unless the clock was
// set back since: then it counts for nothing.
const markMax = 10 * time.Minute

const dueAndFree = "next_due_at <= ? and (leased_until is null or leased_until <= ? or leased_until > ?) " +
	"and (queued_until is null or queued_until <= ? or queued_until > ?)"

// Sweep returns at most limit lanes that have something due and that no worker
// has or is about to have, and counts them as queued. Those that wait longest
// come first; those whose queue is full, or whose job waits in it, are left.
func (x *Lanes) Sweep(ctx context.Context, limit int) ([]LaneRef, error) {
	now, err := x.s.Now(ctx)
	if err != nil {
		return nil, err
	}
	args := []any{now, now, now.Add(markMax), now, now.Add(markMax)}
	var n int64
	err = x.s.db.WithContext(ctx).Model(&Lane{}).Where(dueAndFree, args...).Limit(1).Count(&n).Error
	if err != nil || n == 0 {
		return nil, err
	}
	waiting, err := waitingLanes(x.s.db.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	var lanes []Lane
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		return tx.Raw(`
		update lanes set queued_until = ? where webhook_id in (
			select webhook_id from lanes where `+dueAndFree+` and `+laneQueue+` not in ? and webhook_id not in `+x.s.db.JSONList("bigint")+`
			order by next_due_at limit ?`+x.s.db.SkipLocked()+`)
		returning *`, slices.Concat([]any{now.Add(queuedFor)}, args, []any{waiting.full(), db.JSON(waiting.ids()), limit})...).Scan(&lanes).Error
	})
	slices.SortFunc(lanes, func(a, b Lane) int {
		return cmp.Or(a.NextDueAt.Compare(*b.NextDueAt), cmp.Compare(a.WebhookID, b.WebhookID))
	})
	refs := make([]LaneRef, len(lanes))
	for i, lane := range lanes {
		refs[i] = lane.ref()
	}
	return refs, err
}

// Recover is for the start. It frees the leases of a killed process, where no
// other process can be at work: with SQLite, whose folder is locked by the
// instance. With PostgreSQL the leases of killed instances expire by
// themselves.
func (x *Lanes) Recover(ctx context.Context) error {
	db := x.s.db.WithContext(ctx)
	back, err := x.setBack(db)
	if err == nil && back {
		err = x.Reschedule(ctx)
	}
	if err != nil || x.s.db.Shared() {
		return err
	}
	return db.Exec("update lanes set leased_until = null, queued_until = null where leased_until is not null or queued_until is not null").Error
}
