package models

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// Release says how a lane's turn ended.
type Release struct {
	Slow bool // it belongs into the slow share
	// HoldOthers: while the newest attempt failed, only the next attempt of the
	// failed delivery counts as due.
	HoldOthers bool
	// Stuck: it could not be worked on, and is to be tried again later.
	Stuck bool
}

// stuckPause is how long a lane rests that could not be worked on.
const stuckPause = 10 * time.Second

// laneRelease is the end of a turn, and the next step.
type laneRelease struct {
	id     int64
	holder string
	Release
	unlessDue bool // keep the lease when something is due
	stillDue  bool
	again     []LaneRef
}

// Release gives a lane's lease back. In the same transaction it checks once
// more, so that deliveries added meanwhile are not overlooked; again is the
// lane when something is due at once. Nothing happens to the lane of another
// holder.
func (x *Lanes) Release(ctx context.Context, id int64, holder string, r Release) (again []LaneRef, err error) {
	defer wrap(&err, "release lane %d", id)
	c := &laneRelease{id: id, holder: holder, Release: r}
	err = x.releases.Do(ctx, c)
	return c.again, err
}

// ReleaseIdle gives a lane's lease back unless something is due; false: it is.
func (x *Lanes) ReleaseIdle(ctx context.Context, id int64, holder string, r Release) (_ bool, err error) {
	defer wrap(&err, "release lane %d", id)
	c := &laneRelease{id: id, holder: holder, Release: r, unlessDue: true}
	err = x.releases.Do(ctx, c)
	return err == nil && !c.stillDue, err
}

// laneHeld names a lane's lease.
type laneHeld struct {
	id     int64
	holder string
}

func (l Lane) held() laneHeld { return laneHeld{l.WebhookID, l.LeasedBy} }

func (x *Lanes) release(ctx context.Context, calls []*laneRelease, shared bool) error {
	held := make(map[laneHeld]*laneRelease, len(calls))
	ids := make([]int64, len(calls))
	for i, c := range calls {
		ids[i], held[laneHeld{c.id, c.holder}] = c.id, c
	}
	return x.s.db.TxBatch(ctx, shared, func(tx *gorm.DB) error {
		for _, c := range calls {
			c.again, c.stillDue = nil, false
		}
		var lanes []Lane
		err := tx.Raw("select * from lanes where "+x.s.db.InIDs("webhook_id")+" order by webhook_id"+x.s.db.ForUpdate(), db.JSON(ids)).Find(&lanes).Error
		if err != nil {
			return err
		}
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		lanes = slices.DeleteFunc(lanes, func(l Lane) bool { return held[l.held()] == nil })
		next, err := x.next(tx, lanes, held)
		if err != nil {
			return err
		}
		return x.letGo(tx, lanes, held, next, now)
	})
}

// letGo writes how lanes are left.
func (x *Lanes) letGo(tx *gorm.DB, lanes []Lane, held map[laneHeld]*laneRelease, next map[int64]laneNext, now time.Time) error {
	type left struct {
		lane Lane
		due  *time.Time
	}
	var rows []left
	for _, lane := range lanes {
		c, n := held[lane.held()], next[lane.WebhookID]
		due := n.dueAt()
		isDue := due != nil && !due.After(now)
		if c.stillDue = isDue && c.unlessDue; c.stillDue {
			continue
		}
		lane.Slow, lane.Paced = c.Slow, n.Paced
		switch {
		case isDue && c.Stuck:
			later := now.Add(stuckPause)
			due = &later
		case isDue:
			due = &now // behind the lanes that have waited meanwhile
			c.again = []LaneRef{filledLane{lane, n.URLShown}.ref()}
		}
		rows = append(rows, left{lane, due})
	}
	if len(rows) == 0 {
		return nil
	}
	list, args := x.s.db.Values(
		db.ColumnOf(rows, func(r left) int64 { return r.lane.WebhookID }),
		db.ColumnOf(rows, func(r left) *time.Time { return r.due }),
		db.ColumnOf(rows, func(r left) bool { return r.lane.Slow }),
		db.ColumnOf(rows, func(r left) bool { return r.lane.Paced }))
	return tx.Exec(`
		update lanes set leased_until = null, leased_by = '', next_due_at = v.column2, slow = v.column3, paced = v.column4,
			released = case when v.column4 then lanes.released else 0 end
		from `+list+` as v where lanes.webhook_id = v.column1`, args...).Error
}

// laneNext describes the deliveries that a lane may have to send.
type laneNext struct {
	WebhookID int64
	Due       *time.Time // the first that is due
	Retry     *time.Time // the first of those that were tried, where others are held back by them
	Paced     bool       // some of the deliveries released together wait
	State     string     // of the webhook
	Type      string
	URLShown  string
}

// dueAt is when a lane may have something to send; nil: nothing, or its webhook
// cannot send. The change that lets it send again updates the lane's row.
func (n laneNext) dueAt() *time.Time {
	if n.Retry != nil {
		return n.Retry
	}
	return n.Due
}

func (x *Lanes) next(tx *gorm.DB, lanes []Lane, held map[laneHeld]*laneRelease) (map[int64]laneNext, error) {
	var ids, holding []int64
	for _, lane := range lanes {
		ids = append(ids, lane.WebhookID)
		if held[lane.held()].HoldOthers && lane.FailuresInRow > 0 {
			holding = append(holding, lane.WebhookID)
		}
	}
	settings, err := x.s.Settings.get(tx)
	if err != nil {
		return nil, err
	}
	var rows []laneNext
	err = tx.Raw(`
		select l.webhook_id, w.state, w.type, w.url_shown, `+firstQueued("due_at", "l.webhook_id")+` as due,
			(select f.due_at from delivery_queue f where f.webhook_id = l.webhook_id and f.round > 0 and `+x.s.db.InIDs("l.webhook_id")+`
				order by f.due_at, f.delivery_id limit 1) as retry,
			(select p.delivery_id from delivery_queue p where p.webhook_id = l.webhook_id and p.paced = true limit 1) is not null as paced
		from lanes l
		join webhooks w on w.id = l.webhook_id and w.deleted_at is null
		where `+x.s.db.InIDs("l.webhook_id"), db.JSON(holding), db.JSON(ids)).Find(&rows).Error
	next := make(map[int64]laneNext, len(rows))
	for _, n := range rows {
		if !x.s.canNow(n.State, n.Type, settings) {
			n.Due, n.Retry = nil, nil
		}
		next[n.WebhookID] = n
	}
	return next, err
}
