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
func (x *Deliveries) Resend(ctx context.Context, by Actor, publicID string) (err error) {
	defer wrap(&err, "resend delivery %s", publicID)
	return x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		var d Delivery
		if err := found(tx.Select("id, webhook_id, location").Take(&d, "public_id = ?", publicID)); err != nil {
			return err
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
		err = tx.Model(&Lane{}).Where("webhook_id = ?", w.ID).
			Update("next_due_at", now).Error
		if err != nil {
			return err
		}
		if err := x.resend(tx, d.ID, now); err != nil {
			return err
		}
		return auditAt(tx, by, now, w.Location, "delivery.resent", "delivery "+publicID, label(w))
	})
}

// resend makes the next attempt of a delivery one by hand, due now.
func (x *Deliveries) resend(tx *gorm.DB, id int64, now time.Time) error {
	res := tx.Model(&queuedDelivery{}).Where("delivery_id = ?", id).Updates(map[string]any{
		"due_at": now, "resend": true, "scheduled_at": gorm.Expr("case when resend then scheduled_at else due_at end"),
	})
	if res.Error != nil || res.RowsAffected > 0 {
		return res.Error
	}
	// gorm does not insert what a select finds.
	res = tx.Exec(requeue+"select "+requeued+" from deliveries d where d.id = ? and "+hasBody+x.s.db.ForShare(), now, false, id)
	if res.Error == nil && res.RowsAffected == 0 {
		return ErrErased // it was read before it was locked, and may be erased or gone since
	}
	return res.Error
}

const (
	requeue = "insert into delivery_queue (delivery_id, webhook_id, due_at, round, tries, resend, paced, subject, bytes) "
	// requeued are the columns for an ended delivery d, with a time and whether
	// it is paced.
	requeued = "d.id, d.webhook_id, cast(? as timestamptz), 0, (select count(*) from attempts a where a.delivery_id = d.id), true, cast(? as boolean), 0, length(d.body) + d.payload_bytes + coalesce((select length(b.body) from bodies b where b.id = d.body_id), 0)"
)

// Resendable is the effect of resending all deliveries that match a query.
type Resendable struct {
	Send int64 // are sent again
	// Delivery.ID of the newest and the oldest one looked at; others are left
	// out. From 0: there are no older ones.
	Through, From int64
	Waiting       int64 // left out: wait for an attempt anyway
	Blocked       int64 // left out: their webhook cannot send, was moved or deleted
}

// Resendable counts the deliveries that ResendAll would send. It looks at the
// newest that match webhook, state and time, at most ScanMax.
func (x *Deliveries) Resendable(ctx context.Context, q DeliveryQuery) (_ Resendable, err error) {
	defer wrap(&err, "count deliveries to resend")
	q.Location = q.Within.narrow(q.Location)
	db := x.s.db.WithContext(ctx)
	var r Resendable
	settings, err := x.s.Settings.get(db)
	if err != nil {
		return r, err
	}
	can, canArgs, err := x.s.canSend(db, settings)
	if err != nil {
		return r, err
	}
	if err := db.Model(&Delivery{}).Select("coalesce(max(id), 0)").Scan(&r.Through).Error; err != nil {
		return r, err
	}
	if q.Before > 0 {
		r.Through = min(r.Through, q.Before-1)
	}
	q.Before = r.Through + 1
	if r.From, err = x.floor(db, q); err != nil {
		return r, err
	}
	query, err := x.where(db, q, r.From, settings)
	if err != nil {
		return r, err
	}
	// By webhook first: there are fewer of them.
	query = query.Select(`d.webhook_id, d.location, count(*) as n, count(`+inQueue+`) as waiting,
		count(case when `+inQueue+` is null and `+hasBody+` then 1 end) as idle`).Where("d.id >= ?", r.From).Group("d.webhook_id, d.location")
	var n struct{ Send, Waiting, Blocked int64 }
	err = db.Raw(`select coalesce(sum(d.waiting), 0) as waiting, coalesce(sum(case when w.id is not null then d.idle else 0 end), 0) as send,
		coalesce(sum(case when w.id is null then d.n - d.waiting else 0 end), 0) as blocked
		from (?) d left join webhooks w on w.id = d.webhook_id and w.location = d.location and `+can, append([]any{query}, canArgs...)...).Scan(&n).Error
	r.Send, r.Waiting, r.Blocked = n.Send, n.Waiting, n.Blocked
	return r, err
}

// canSend is the condition that the deliveries of a webhook w are not held.
func (s *Store) canSend(db *gorm.DB, settings Settings) (text string, args []any, err error) {
	holds, args, err := s.holds(db, settings)
	return "w.deleted_at is null and not " + holds, args, err
}

// Resending is a number of deliveries that were resent together.
type Resending struct {
	At    time.Time // names it: all of them fall due at this moment
	Total int64
}

// ResendAll asks for one attempt by hand of each delivery that matches, has
// nothing ahead of it and is among those that Resendable looked at. They go out
// as slowly as held deliveries. The parameter what names the filter in words,
// for the audit log.
func (x *Deliveries) ResendAll(ctx context.Context, by Actor, q DeliveryQuery, counted Resendable, what string) (_ Resending, err error) {
	defer wrap(&err, "resend deliveries")
	var r Resending
	q.Location = q.Within.narrow(q.Location)
	err = x.s.db.TxLong(ctx, func(tx *gorm.DB) error {
		r = Resending{}
		settings, err := x.s.Settings.get(tx)
		if err != nil {
			return err
		}
		if err := x.lockWebhooks(tx, q.WebhookID); err != nil {
			return err
		}
		if r.At, err = x.s.db.Now(tx); err != nil {
			return err
		}
		q.Before = counted.Through + 1
		if r.Total, err = x.resendMany(tx, q, counted.From, settings, r.At); err != nil || r.Total == 0 {
			return err
		}
		resent := tx.Model(&queuedDelivery{}).Select("webhook_id").Where("resend and due_at = ?", r.At)
		err = tx.Model(&Lane{}).Where("webhook_id in (?)", resent).Updates(map[string]any{"next_due_at": r.At, "paced": true}).Error
		if err != nil {
			return err
		}
		return auditResent(tx, by, r.At, what)
	})
	return r, err
}

// auditResent writes an entry for each location whose deliveries were resent at a
// time, so that its members see it.
func auditResent(tx *gorm.DB, by Actor, at time.Time, what string) error {
	var rows []struct {
		Location string
		N        int64
	}
	err := tx.Table("delivery_queue q").Select("w.location, count(*) as n").Joins("join webhooks w on w.id = q.webhook_id").
		Where("q.resend and q.due_at = ?", at).Group("w.location").Order("w.location").Find(&rows).Error
	for _, row := range rows {
		if err == nil {
			err = auditAt(tx, by, at, row.Location, "delivery.resent", strconv.FormatInt(row.N, 10)+" deliveries", what)
		}
	}
	return err
}

// resendMany queues ended deliveries whose webhook can send. An erased body
// cannot be sent again, nor one of another location.
func (x *Deliveries) resendMany(tx *gorm.DB, q DeliveryQuery, from int64, settings Settings, now time.Time) (int64, error) {
	query, err := x.where(tx, q, from, settings)
	if err != nil {
		return 0, err
	}
	can, args, err := x.s.canSend(tx, settings)
	if err != nil {
		return 0, err
	}
	query = query.Select("d.id").Where("d.id >= ? and "+inQueue+" is null", from).
		Where("exists (select 1 from webhooks w where w.id = d.webhook_id and w.location = d.location and "+can+")", args...)
	res := tx.Exec(requeue+"select "+requeued+" from deliveries d where d.id in (?) and "+hasBody+x.s.db.ForShare(), now, true, query)
	return res.RowsAffected, res.Error
}

// lockWebhooks locks the rows that all transactions lock first, in order: none
// of them is paused or deleted meanwhile. One, or with 0 all.
func (x *Deliveries) lockWebhooks(tx *gorm.DB, id int64) error {
	if x.s.db.SingleWriter() {
		return nil
	}
	hooks := tx.Model(&Webhook{}).Clauses(forUpdate).Where("id = ?", id)
	if id == 0 {
		hooks = tx.Model(&Webhook{}).Clauses(forUpdate).Where("deleted_at is null").Order("id")
	}
	var ids []int64
	return hooks.Pluck("id", &ids).Error
}

// Unsent is what is left of a resending.
type Unsent struct {
	N    int64 // deliveries that had no attempt yet
	Held int64 // of these, those that cannot be sent as things are
	Most int64 // the most of the others that one webhook gets
}

// Unsent counts those of a resending that had no attempt yet, of webhooks of the
// locations.
func (x *Deliveries) Unsent(ctx context.Context, within LocationSet, at time.Time) (n Unsent, err error) {
	defer wrap(&err, "count resent deliveries")
	db := x.s.db.WithContext(ctx)
	settings, err := x.s.Settings.get(db)
	if err != nil {
		return n, err
	}
	can, args, err := x.s.canSend(db, settings)
	if err != nil {
		return n, err
	}
	_, slugs := within.sql("location")
	err = db.Raw(`select coalesce(sum(d.n), 0) as n, coalesce(sum(case when w.id is null then d.n else 0 end), 0) as held,
			coalesce(max(case when w.id is null then 0 else d.n end), 0) as most
		from (select webhook_id, count(*) as n from delivery_queue where resend and due_at = ? and `+within.webhooks("webhook_id")+` group by webhook_id) d
		left join webhooks w on w.id = d.webhook_id and `+can, slices.Concat([]any{at}, slugs, args)...).Scan(&n).Error
	return n, err
}
