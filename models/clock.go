package models

import (
	"context"

	"gorm.io/gorm"
)

// ClockStep is how far behind a time seen before the clock must be to count as
// set back. Less makes nothing wait much longer.
const ClockStep = future

// Reschedule is for after the clock was set back: deliveries scheduled before
// would wait until the clock reaches the old time. Those that were created,
// tried last or requested at a time in the future become due. It may be called
// any number of times.
func (x *Lanes) Reschedule(ctx context.Context) (err error) {
	defer wrap(&err, "reschedule deliveries")
	return x.s.db.TxLong(ctx, func(tx *gorm.DB) error {
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		// A first attempt is due when its delivery is made. By webhook, because that
		// is how due deliveries are found.
		err = tx.Exec(`update delivery_queue set due_at = ? where webhook_id in (select webhook_id from lanes) and paced in (false, true)
			and due_at > ? and (resend or round = 0 or exists (
				select 1 from attempts a where a.delivery_id = delivery_queue.delivery_id and a.started_at > ?))`, now, now, now.Add(ClockStep)).Error
		if err != nil {
			return err
		}
		return tx.Model(&Lane{}).Where("next_due_at > ?", now).Update("next_due_at", now).Error
	})
}

// setBack reports whether the clock was set back while no instance ran: a run
// of dispatch, the newest delivery or the hour of an attempt is yet to come.
func (x *Lanes) setBack(tx *gorm.DB) (back bool, err error) {
	now, err := x.s.db.Now(tx)
	if err != nil {
		return false, err
	}
	soon := now.Add(ClockStep)
	// gorm has no exists without a table.
	err = tx.Raw(`select exists (select 1 from dispatch_runs where last_at > ?)
		or exists (select 1 from deliveries where id = (select max(id) from deliveries) and created_at > ?)
		or exists (select 1 from webhook_hours where hour > ?)`, soon, soon, soon).Scan(&back).Error
	return back, err
}
