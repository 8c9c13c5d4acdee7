package models

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"
)

// ErrErased refuses to resend a delivery whose content was erased.
var ErrErased = errors.New("the content was erased")

// Resend asks for one attempt by hand, filters not applied. The schedule of a
// delivery that still waits goes on as it was if that fails. Errors: ErrNotFound, also when its
// webhook was deleted; ErrNotActive; ErrMoved; ErrErased.
func (x *Deliveries) Resend(ctx context.Context, by Actor, publicID string) error {
	return x.s.tx(ctx, func(tx *gorm.DB) error {
		var d Delivery
		if err := found(tx.Take(&d, "public_id = ?", publicID)); err != nil {
			return err
		}
		if len(d.Body) == 0 {
			return ErrErased
		}
		w, now, err := x.s.Webhooks.lockedNow(tx, d.WebhookID)
		if err != nil {
			return err
		}
		if w.Location != d.Location {
			return ErrMoved
		}
		settings, err := x.s.Settings.get(tx)
		if err != nil {
			return err
		}
		if x.s.heldWhy(w, settings) != "" {
			return ErrNotActive
		}
		err = tx.Exec(`update deliveries set due_at = ?, resend = true,
			scheduled_at = case when resend then scheduled_at else due_at end where id = ?`, now, d.ID).Error
		if err != nil {
			return err
		}
		err = tx.Model(&Lane{}).Where("webhook_id = ?", w.ID).
			Updates(map[string]any{"next_due_at": now, "queued_until": nil}).Error
		if err != nil {
			return err
		}
		return audit(tx, by, now, "delivery.resent", "delivery "+publicID, label(w))
	})
}

// ResendMax is how many deliveries are resent in one go.
const ResendMax = 50_000

// Resendable says what resending all that match a query would do.
type Resendable struct {
	Send    int64 // are sent again; at most ResendMax, the newest
	More    bool  // there are more than that
	Through int64 // Delivery.ID of the newest one now; later ones are left out
	// Left out, counted up to ResendMax each:
	Waiting int64 // wait for an attempt anyway
	Blocked int64 // their webhook cannot send, was moved or deleted
}

// Resendable counts what ResendAll would send. Its Before is not looked at.
func (x *Deliveries) Resendable(ctx context.Context, q DeliveryQuery) (Resendable, error) {
	db := x.s.db.WithContext(ctx)
	var r Resendable
	settings, err := x.s.Settings.get(db)
	if err != nil {
		return r, err
	}
	hooks, err := x.s.canSend(db, settings)
	if err != nil {
		return r, err
	}
	if err := db.Model(&Delivery{}).Select("coalesce(max(id), 0)").Scan(&r.Through).Error; err != nil {
		return r, err
	}
	q.Before = r.Through + 1
	count := func(into *int64, limit int, narrow func(*gorm.DB) *gorm.DB) error {
		query, err := x.where(db.Model(&Delivery{}).Select("id"), q, settings)
		if err != nil {
			return err
		}
		return db.Raw("select count(*) from (?) x", narrow(query).Limit(limit)).Scan(into).Error
	}
	err = errors.Join(
		count(&r.Send, ResendMax+1, func(tx *gorm.DB) *gorm.DB { return resendable(tx, hooks) }),
		count(&r.Waiting, ResendMax, func(tx *gorm.DB) *gorm.DB { return tx.Where("due_at is not null") }),
		count(&r.Blocked, ResendMax, func(tx *gorm.DB) *gorm.DB {
			return tx.Where("due_at is null and (webhook_id not in ? or "+hasMoved+")", append(hooks, 0))
		}),
	)
	if r.Send > ResendMax {
		r.Send, r.More = ResendMax, true
	}
	return r, err
}

// hasMoved is a delivery whose webhook listens to another location by now.
const hasMoved = "exists (select 1 from webhooks w where w.id = deliveries.webhook_id and w.location <> deliveries.location)"

// resendable keeps what is finished and whose webhook can send. An erased body
// cannot be sent again, nor one of another location.
func resendable(tx *gorm.DB, hooks []int64) *gorm.DB {
	return tx.Where("due_at is null and webhook_id in ? and length(body) > 0 and not "+hasMoved, append(hooks, 0))
}

// canSend returns the webhooks whose deliveries are not held, in order.
func (s *Store) canSend(db *gorm.DB, settings Settings) ([]int64, error) {
	var hooks []Webhook
	if err := db.Select("id", "type", "state").Order("id").Find(&hooks, "deleted_at is null").Error; err != nil {
		return nil, err
	}
	var ids []int64
	for _, w := range hooks {
		if s.heldWhy(w, settings) == "" {
			ids = append(ids, w.ID)
		}
	}
	return ids, nil
}

// Resending is a number of deliveries that were resent together.
type Resending struct {
	At    time.Time // names it: all of them fall due at this moment
	Total int64
}

// ResendAll asks for one attempt by hand of each delivery that matches and has
// nothing ahead of it, at most ResendMax, the newest; those after the delivery
// through are left out. They go out as slowly as what was held. What names the
// filter in words, for the audit log.
func (x *Deliveries) ResendAll(ctx context.Context, by Actor, q DeliveryQuery, through int64, what string) (Resending, error) {
	var r Resending
	err := x.s.tx(ctx, func(tx *gorm.DB) error {
		settings, err := x.s.Settings.get(tx)
		if err != nil {
			return err
		}
		if err := x.lockWebhooks(tx, q.WebhookID); err != nil {
			return err
		}
		hooks, err := x.s.canSend(tx, settings)
		if err != nil {
			return err
		}
		now, err := x.s.now(tx)
		if err != nil {
			return err
		}
		r.At, q.Before = now, through+1
		query, err := x.where(tx.Model(&Delivery{}).Select("id"), q, settings)
		if err != nil {
			return err
		}
		res := tx.Model(&Delivery{}).Where("id in (?)", resendable(query, hooks).Order("id desc").Limit(ResendMax)).
			Updates(map[string]any{"due_at": now, "resend": true})
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		r.Total = res.RowsAffected
		if err := fillPaced(tx, hooks, through, now); err != nil {
			return err
		}
		return audit(tx, by, now, "delivery.resent", strconv.FormatInt(r.Total, 10)+" deliveries", what)
	})
	return r, err
}

// lockWebhooks takes the rows that everybody locks first, in order: none of
// them is paused or deleted meanwhile. One, or with 0 all.
func (x *Deliveries) lockWebhooks(tx *gorm.DB, id int64) error {
	if x.s.lock() == "" {
		return nil
	}
	var ids []int64
	if id != 0 {
		return tx.Raw("select id from webhooks where id = ?"+x.s.lock(), id).Scan(&ids).Error
	}
	return tx.Raw("select id from webhooks where deleted_at is null order by id" + x.s.lock()).Scan(&ids).Error
}

// fillPaced notes in the lanes that something is due now that has to go out
// slowly, up to the delivery through.
func fillPaced(tx *gorm.DB, hooks []int64, through int64, now time.Time) error {
	for chunk := range slices.Chunk(hooks, insertChunk) {
		err := tx.Exec(`update lanes set next_due_at = ?, queued_until = null,
			paced_through = case when paced_through < ? then ? else paced_through end
			where webhook_id in (select webhook_id from deliveries where webhook_id in ? and due_at = ? and resend)`,
			now, through, through, chunk, now).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// Unsent counts those of a resending that had no attempt yet, and how many of
// these cannot be sent as things are.
func (x *Deliveries) Unsent(ctx context.Context, at time.Time) (left, held int64, err error) {
	db := x.s.db.WithContext(ctx)
	settings, err := x.s.Settings.get(db)
	if err != nil {
		return 0, 0, err
	}
	hooks, err := x.s.canSend(db, settings)
	if err != nil {
		return 0, 0, err
	}
	err = errors.Join(
		db.Model(&Delivery{}).Where("due_at is not null and due_at = ? and resend", at).Count(&left).Error,
		db.Model(&Delivery{}).Where("due_at is not null and due_at = ? and resend and webhook_id not in ?", at, append(hooks, 0)).Count(&held).Error,
	)
	return left, held, err
}
