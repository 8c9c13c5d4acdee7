package models

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"
)

// Lanes are the webhooks' queues. A lane has at most one worker, who holds
// its lease; whoever fills a lane says so in the lane's row, so a lost job
// only delays until the next sweep.
type Lanes struct{ s *Store }

// queuedFor is how long a queued job is believed to be about to start.
const queuedFor = 10 * time.Second

// fillLanes notes that lanes have something due now. It returns those for
// which a job must be queued: nobody works on them and none is queued. Those
// whose queue is full are left to the sweep.
func (s *Store) fillLanes(tx *gorm.DB, ids map[int64]struct{}, now time.Time) ([]LaneRef, error) {
	sorted := make([]int64, 0, len(ids))
	for id := range ids {
		sorted = append(sorted, id)
	}
	slices.Sort(sorted) // everybody locks in the same order
	if len(sorted) == 0 {
		return nil, nil
	}
	waiting, err := waitingLanes(tx)
	if err != nil {
		return nil, err
	}
	var refs []LaneRef
	for chunk := range slices.Chunk(sorted, insertChunk) {
		var lanes []Lane
		if err := tx.Raw("select * from lanes where webhook_id in ? order by webhook_id"+s.lock(), chunk).Scan(&lanes).Error; err != nil {
			return nil, err
		}
		var queue []int64
		for _, lane := range lanes {
			if !after(lane.LeasedUntil, now) && !after(lane.QueuedUntil, now) && waiting.add(lane.ref()) {
				queue = append(queue, lane.WebhookID)
				refs = append(refs, lane.ref())
			}
		}
		err := tx.Model(&Lane{}).Where("webhook_id in ? and (next_due_at is null or next_due_at > ?)", chunk, now).
			Update("next_due_at", now).Error
		if err == nil && len(queue) > 0 {
			err = tx.Model(&Lane{}).Where("webhook_id in ?", queue).Update("queued_until", now.Add(queuedFor)).Error
		}
		if err != nil {
			return nil, err
		}
	}
	return refs, nil
}

func after(t *time.Time, now time.Time) bool { return t != nil && t.After(now) }

// markMax is further ahead than any lease or mark can be, unless the clock was
// set back since: then it counts for nothing.
const markMax = 10 * time.Minute

const dueAndFree = "next_due_at <= ? and (leased_until is null or leased_until <= ? or leased_until > ?) " +
	"and (queued_until is null or queued_until <= ? or queued_until > ?)"

// Sweep returns at most limit lanes that have something due and that nobody
// works on or is about to, and counts them as queued. Those that wait longest
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
	lock := x.s.lock()
	if lock != "" {
		lock += " skip locked"
	}
	var lanes []Lane
	err = x.s.db.WithContext(ctx).Raw(`
		update lanes set queued_until = ? where webhook_id in (
			select webhook_id from lanes where `+dueAndFree+` and `+laneQueue+` not in ? and webhook_id not in `+x.s.listed("bigint")+`
			order by next_due_at limit ?`+lock+`)
		returning *`, slices.Concat([]any{now.Add(queuedFor)}, args, []any{waiting.full(), jsonList(waiting.ids()), limit})...).Scan(&lanes).Error
	slices.SortFunc(lanes, func(a, b Lane) int {
		return cmp.Or(a.NextDueAt.Compare(*b.NextDueAt), cmp.Compare(a.WebhookID, b.WebhookID))
	})
	refs := make([]LaneRef, len(lanes))
	for i, lane := range lanes {
		refs[i] = lane.ref()
	}
	return refs, err
}

// Recover is for the start. It frees what a killed process left behind, where
// no other can be at work: with SQLite, whose folder is locked by whoever
// serves it. With PostgreSQL the leases of the dead end by themselves.
func (x *Lanes) Recover(ctx context.Context) error {
	db := x.s.db.WithContext(ctx)
	back, err := x.setBack(db)
	if err == nil && back {
		err = x.Reschedule(ctx)
	}
	if err != nil || x.s.pool != nil {
		return err
	}
	return db.Exec("update lanes set leased_until = null, queued_until = null where leased_until is not null or queued_until is not null").Error
}

// Claim takes a lane's lease for a holder; false: somebody else has it.
func (x *Lanes) Claim(ctx context.Context, id int64, holder string, lease time.Duration) (bool, error) {
	now, err := x.s.Now(ctx)
	if err != nil {
		return false, err
	}
	res := x.s.db.WithContext(ctx).Model(&Lane{}).
		Where("webhook_id = ? and (leased_until is null or leased_until <= ? or leased_until > ?)", id, now, now.Add(markMax)).
		Updates(map[string]any{"leased_by": holder, "leased_until": now.Add(lease), "queued_until": nil})
	return res.RowsAffected == 1, res.Error
}

// Renew prolongs a holder's lease; false: it was lost.
func (x *Lanes) Renew(ctx context.Context, id int64, holder string, lease time.Duration) (bool, error) {
	now, err := x.s.Now(ctx)
	if err != nil {
		return false, err
	}
	res := x.s.db.WithContext(ctx).Model(&Lane{}).
		Where("webhook_id = ? and leased_by = ? and leased_until > ?", id, holder, now).
		Update("leased_until", now.Add(lease))
	return res.RowsAffected == 1, res.Error
}

// Work is a lane and its webhook as they are now.
type Work struct {
	Now     time.Time
	Webhook Webhook
	Lane    Lane
	CanSend bool
}

// Look reads a lane.
func (x *Lanes) Look(ctx context.Context, id int64) (Work, error) {
	db := x.s.db.WithContext(ctx)
	var w Work
	var err error
	if w.Now, err = x.s.now(db); err != nil {
		return w, err
	}
	if w.Webhook, err = x.s.Webhooks.Get(ctx, id); err != nil {
		if errors.Is(err, ErrNotFound) {
			err = nil // deleted: nothing to do
		}
		return w, err
	}
	if err := db.Take(&w.Lane, "webhook_id = ?", id).Error; err != nil {
		return w, err
	}
	settings, err := x.s.Settings.get(db)
	w.CanSend = w.Webhook.State == WebhookActive && (settings.GenericEnabled || !x.s.needsFeature(w.Webhook.Type))
	return w, err
}

// DueQuery selects due deliveries of a lane.
type DueQuery struct {
	Limit    int
	UnderWay []int64 // ids of those that are on their way already
	// OneFailed asks, after a failure, for the next attempt of what failed
	// alone; when nothing that failed is left to be tried, for one other.
	OneFailed bool
}

// dueBytes bounds the bodies that are read at once, and so a lane's memory; a
// single larger body comes alone.
const dueBytes = 1 << 20

// Due reads the deliveries of a lane that are due, oldest first, with bodies.
func (x *Lanes) Due(ctx context.Context, w Work, q DueQuery) ([]Delivery, error) {
	db := x.s.db.WithContext(ctx)
	// A webhook that was moved gets nothing of where it was.
	query := db.Model(&Delivery{}).Select("id, length(body) as length").Order("due_at, id").Limit(q.Limit).
		Where("webhook_id = ? and due_at <= ? and location = ?", w.Webhook.ID, w.Now, w.Webhook.Location)
	if len(q.UnderWay) > 0 {
		query = query.Where("id not in "+x.s.listed("bigint"), jsonList(q.UnderWay))
	}
	if q.OneFailed {
		retry, err := firstDue(db, w.Webhook.ID, true)
		if err != nil {
			return nil, err
		}
		if query = query.Limit(1); retry != nil {
			query = query.Where("state = ?", DeliveryRetrying)
		}
	}
	var due []struct {
		ID     int64
		Length int
	}
	if err := query.Find(&due).Error; err != nil || len(due) == 0 {
		return nil, err
	}
	var ids []int64
	for bytes, i := 0, 0; i < len(due) && (i == 0 || bytes+due[i].Length <= dueBytes); i++ {
		bytes += due[i].Length
		ids = append(ids, due[i].ID)
	}
	var rows []Delivery
	return rows, db.Order("due_at, id").Find(&rows, "id in ? and due_at is not null", ids).Error
}

// firstDue is when the first delivery of a lane is due; nil: none is. It may
// be asked for those only that were tried before.
func firstDue(db *gorm.DB, id int64, retrying bool) (*time.Time, error) {
	db = db.Select("due_at").Order("due_at, id").Limit(1).Where("webhook_id = ? and due_at is not null", id)
	if retrying {
		db = db.Where("state = ?", DeliveryRetrying)
	}
	var d Delivery
	err := db.Find(&d).Error
	return d.DueAt, err
}

// Release says how a lane's turn ended.
type Release struct {
	Slow bool // it belongs into the slow queue
	// HoldOthers: while the newest attempt failed, only the next attempt of
	// what failed counts as due.
	HoldOthers bool
	// Stuck: it could not be worked on; the sweep is to try again later.
	Stuck bool
}

// Release gives a lane's lease back. In the same transaction it looks once
// more, so that what was added meanwhile is not overlooked; again asks for
// another job at once. What is due now comes behind what waited meanwhile.
func (x *Lanes) Release(ctx context.Context, id int64, holder string, r Release) (again []LaneRef, err error) {
	err = x.s.tx(ctx, func(tx *gorm.DB) error {
		again = nil
		var lane Lane
		res := tx.Raw("select * from lanes where webhook_id = ?"+x.s.lock(), id).Scan(&lane)
		if res.Error != nil || res.RowsAffected == 0 || lane.LeasedBy != holder {
			return res.Error
		}
		now, err := x.s.now(tx)
		if err != nil {
			return err
		}
		next, err := x.nextDue(tx, id, r.HoldOthers && lane.FailuresInRow > 0)
		if err != nil {
			return err
		}
		lane.Slow = r.Slow
		paced, err := stillPaced(tx, lane)
		if err != nil {
			return err
		}
		if !paced {
			lane.PacedThrough = 0
		}
		set := map[string]any{"leased_until": nil, "leased_by": "", "next_due_at": next, "slow": r.Slow, "paced_through": lane.PacedThrough}
		if next != nil && !next.After(now) {
			set["next_due_at"] = now
			room, err := hasRoom(tx, lane.ref().Queue)
			if err != nil {
				return err
			}
			if room || r.Stuck {
				set["queued_until"] = now.Add(queuedFor)
			}
			if room && !r.Stuck {
				again = []LaneRef{lane.ref()}
			}
		}
		return tx.Model(&Lane{}).Where("webhook_id = ?", id).Updates(set).Error
	})
	return again, err
}

// nextDue is when a lane may have something to send; nil: nothing, or its
// webhook cannot send, and whoever lets it will say so in the lane's row.
func (x *Lanes) nextDue(tx *gorm.DB, id int64, hold bool) (*time.Time, error) {
	var w Webhook
	res := tx.Raw("select * from webhooks where id = ? and deleted_at is null", id).Scan(&w)
	if res.Error != nil || res.RowsAffected == 0 || w.State != WebhookActive {
		return nil, res.Error
	}
	settings, err := x.s.Settings.get(tx)
	if err != nil || !settings.GenericEnabled && x.s.needsFeature(w.Type) {
		return nil, err
	}
	if hold {
		if due, err := firstDue(tx, id, true); err != nil || due != nil {
			return due, err
		}
	}
	return firstDue(tx, id, false)
}
