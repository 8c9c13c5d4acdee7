package models

import (
	"context"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/sitehooks/sitehooks/models/db"
)

// Rest is deliveries that a run has decided upon and that are still to be
// stored: of events, in the order of receipt, to webhooks that all get them.
type Rest struct {
	ID         int64 // 0: it is not stored yet
	DispatchID int64 // of the run that decided; 0: this one
	Location   string
	EventIDs   []int64 `gorm:"serializer:json"`
	WebhookIDs []int64 `gorm:"serializer:json"`
	// BodyID is the body of all these deliveries, which others of the same
	// events have got already; 0: there is none.
	BodyID int64
	Tries  int
	// Reason says why the last try failed, and SetAsideAt when it was the last.
	Reason     string
	SetAsideAt *time.Time

	Events []Event `gorm:"-"`
	Body   *Body   `gorm:"-"`
	Logged bool    `gorm:"-"` // trigger history was on
}

// TableName is where rests are.
func (Rest) TableName() string { return "dispatch_rest" }

// restsRead is how many rests one run reads at most, shared out among the
// locations.
const restsRead = 64

// Rests are the oldest ones of the locations whose turn it is, with events.
// Long payloads, and those that no body is built from, are left out.
func (d *Dispatch) Rests() ([]Rest, error) {
	rests, err := d.readRests()
	return rests, dispatchError(err)
}

func (d *Dispatch) readRests() ([]Rest, error) {
	if len(d.resting) == 0 {
		return nil, nil
	}
	var rests []Rest
	query := d.read.Where("id = ?", d.tried)
	if !d.Careful {
		oldest := "id in (select id from (select id, row_number() over (partition by location order by id) as n from dispatch_rest" +
			" where set_aside_at is null and " + d.s.db.In("location", "text") + ") r where n <= ?)"
		query = d.read.Where(oldest, db.JSON(d.locations), max(1, restsRead/len(d.locations)))
	}
	if err := query.Order("id").Find(&rests, "set_aside_at is null").Error; err != nil {
		return nil, err
	}
	for i := range rests {
		if err := d.fillRest(&rests[i]); err != nil {
			return nil, err
		}
	}
	return rests, nil
}

func (d *Dispatch) fillRest(r *Rest) (err error) {
	var by dispatch
	if err := d.read.Take(&by, r.DispatchID).Error; err != nil {
		return err
	}
	r.Logged = by.Logged
	if r.BodyID != 0 {
		r.Body = &Body{}
		if err := d.read.Take(r.Body, r.BodyID).Error; err != nil {
			return err
		}
	}
	r.Events, err = d.eventsByID(r.EventIDs)
	slices.SortFunc(r.Events, func(a, b Event) int { return slices.Index(r.EventIDs, a.ID) - slices.Index(r.EventIDs, b.ID) })
	return err
}

// restTries is how often a rest is tried before it is set aside.
const restTries = 3

// tryRest chooses a rest to be continued, and counts the try before anything is
// done that may end the process. Those that were tried often enough are set
// aside. It returns 0 when there is none.
func (x *Events) tryRest(ctx context.Context) (id int64, err error) {
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		id = 0
		var run dispatchRun
		res := tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate, Options: clause.LockingOptionsSkipLocked}).Find(&run, 1)
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		const stopped = "Sitehooks stopped while it dispatched the events."
		err = tx.Model(&Rest{}).Where("set_aside_at is null and tries >= ?", restTries).
			Updates(map[string]any{"set_aside_at": now, "reason": gorm.Expr("case when reason = '' then ? else reason end", stopped)}).Error
		if err != nil {
			return err
		}
		order := clause.Expr{SQL: "case when location > ? then 0 else 1 end, location, id", Vars: []any{run.LastLocation}}
		var rests []Rest
		err = tx.Clauses(clause.OrderBy{Expression: order}).Limit(1).Find(&rests, "set_aside_at is null").Error
		if err != nil || len(rests) == 0 {
			return err
		}
		id = rests[0].ID
		if rests[0].Tries > 0 {
			if err := splitRest(tx, rests[0]); err != nil {
				return err
			}
		}
		return tx.Model(&Rest{ID: id}).Update("tries", gorm.Expr("tries + 1")).Error
	})
	return id, err
}

// splitRest makes one rest for each event of a rest that failed, so that one of
// them does not keep back the others.
func splitRest(tx *gorm.DB, r Rest) error {
	if len(r.EventIDs) == 1 || r.BodyID != 0 {
		return nil
	}
	for _, event := range r.EventIDs[1:] {
		one := Rest{DispatchID: r.DispatchID, Location: r.Location, EventIDs: []int64{event}, WebhookIDs: r.WebhookIDs}
		if err := tx.Create(&one).Error; err != nil {
			return err
		}
	}
	return tx.Model(&Rest{}).Where("id = ?", r.ID).Select("event_ids").Updates(&Rest{EventIDs: r.EventIDs[:1]}).Error
}

// Failed says that a run which continued a rest failed. What is wrong with the
// database as a whole does not count as a try.
func (d *Dispatch) Failed(ctx context.Context, failure error) (err error) {
	defer wrap(&err, "record failed dispatch")
	d.Rollback()
	if d.tried == 0 {
		return nil
	}
	if db.Unable(failure) != "" || errors.Is(failure, ErrChanged) || ctx.Err() != nil {
		return d.untried(ctx)
	}
	return d.s.db.Tx(context.WithoutCancel(ctx), func(tx *gorm.DB) error {
		return tx.Model(&Rest{ID: d.tried}).Update("reason", failure.Error()).Error
	})
}

// untried takes the try of a run back that says nothing about the rest.
func (d *Dispatch) untried(ctx context.Context) error {
	if d.tried == 0 {
		return nil
	}
	return d.s.db.Tx(context.WithoutCancel(ctx), func(tx *gorm.DB) error {
		return tx.Model(&Rest{ID: d.tried}).Update("tries", gorm.Expr("tries - 1")).Error
	})
}

// SetAside are the rests that were tried in vain, the newest first and at most
// limit.
func (x *Events) SetAside(ctx context.Context, limit int) (_ []Rest, err error) {
	defer wrap(&err, "list deliveries set aside")
	var rests []Rest
	return rests, x.s.db.WithContext(ctx).Order("id desc").Limit(limit).Find(&rests, "set_aside_at is not null").Error
}

// TryAgain has dispatch continue all rests that were set aside, and returns how
// many.
func (x *Events) TryAgain(ctx context.Context, by Actor) (n int64, err error) {
	defer wrap(&err, "try deliveries set aside again")
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		res := tx.Model(&Rest{}).Where("set_aside_at is not null").Updates(map[string]any{"set_aside_at": nil, "tries": 0, "reason": ""})
		if n = res.RowsAffected; res.Error != nil || n == 0 {
			return res.Error
		}
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		return audit(tx, by, now, "dispatch.retried", "events set aside", "")
	})
	return n, err
}
