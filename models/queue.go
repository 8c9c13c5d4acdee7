package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

const (
	// onSchedule is the condition that a row q of delivery_queue belongs to the
	// schedule. The other rows are ended deliveries that are resent.
	onSchedule = "(not q.resend or q.scheduled_at is not null)"
	// inQueue is the row of a delivery d there, if it has one.
	inQueue = "(select q.delivery_id from delivery_queue q where q.delivery_id = d.id)"
)

// firstQueued is a column of the row in the queue of a webhook that is due
// first; null: nothing waits. Those that are paced have a part of the index of
// their own. It is looked up for each webhook: joined, PostgreSQL would read all
// that waits.
func firstQueued(column, webhook string) string {
	first := func(paced string) string {
		return "select * from (select * from delivery_queue where webhook_id = " + webhook +
			" and paced = " + paced + " order by due_at, delivery_id limit 1) as one"
	}
	return "(select " + column + " from (" + first("false") + " union all " + first("true") + ") as half order by due_at, delivery_id limit 1)"
}

// dueNow is the due time of a delivery that is released, given the time twice.
const dueNow = "case when due_at > ? then cast(? as timestamptz) else due_at end"

// release makes a webhook's waiting deliveries due now, their schedule begun
// anew. They go out slowly.
func release(tx *gorm.DB, id int64, now time.Time) (int64, error) {
	err := tx.Model(&Lane{}).Where("webhook_id = ?", id).Updates(map[string]any{
		"next_due_at": now, "paced": true, "slow": false, "failures_in_row": 0, "failing_since": nil,
	}).Error
	if err != nil {
		return 0, err
	}
	// One that had ended keeps resend: it is only resent.
	res := tx.Model(&queuedDelivery{}).Where("webhook_id = ?", id).Updates(map[string]any{
		"paced": true, "due_at": gorm.Expr(dueNow, now, now), "round": 0,
		"resend": gorm.Expr("resend and scheduled_at is null"), "scheduled_at": nil,
	})
	if res.Error != nil {
		return 0, res.Error
	}
	return res.RowsAffected, tx.Model(&Lane{}).Where("webhook_id = ?", id).Update("released", res.RowsAffected).Error
}

// Releasing is how far the sending of released deliveries is.
type Releasing struct{ Total, Left int64 }

// Releasing returns how far a webhook is with what a resume released; Left 0:
// nothing of it waits for its first attempt.
func (x *Webhooks) Releasing(ctx context.Context, row WebhookRow) (r Releasing, err error) {
	defer wrap(&err, "count what is released of webhook %d", row.ID)
	if row.Lane.Released == 0 || !row.Lane.Paced {
		return r, nil
	}
	err = x.s.db.WithContext(ctx).Model(&queuedDelivery{}).
		Where("webhook_id = ? and paced and round = 0", row.ID).Count(&r.Left).Error
	r.Total = max(row.Lane.Released, r.Left)
	return r, err
}

// drop ends a webhook's waiting deliveries without sending them; one that is
// only resent is as it was before. It returns how many waited, and how many of
// these are dropped.
func drop(tx *gorm.DB, id int64, now time.Time, reason string) (waited, dropped int64, err error) {
	// The next look at the lane finds the remaining deliveries.
	err = tx.Model(&Lane{}).Where("webhook_id = ?", id).Updates(map[string]any{
		"next_due_at": now, "failures_in_row": 0, "failing_since": nil,
	}).Error
	if err != nil {
		return 0, 0, err
	}
	return dequeue(tx, now, reason, "q.webhook_id = ?", id)
}

// dequeue ends deliveries that wait. No other transaction may remove these from
// the queue meanwhile.
func dequeue(tx *gorm.DB, now time.Time, reason, which string, args ...any) (waited, dropped int64, err error) {
	ended := tx.Exec("insert into delivery_ends (delivery_id, webhook_id, state, at, reason) "+
		"select q.delivery_id, q.webhook_id, '"+DeliveryDropped+"', cast(? as timestamptz), ? from delivery_queue q where "+onSchedule+" and "+which+" on conflict do nothing",
		append([]any{now, reason}, args...)...)
	if ended.Error != nil {
		return 0, 0, ended.Error
	}
	// Dispatch may have added others.
	gone := tx.Exec("delete from delivery_queue as q where (not "+onSchedule+" or exists (select 1 from delivery_ends e where e.delivery_id = q.delivery_id)) and "+which, args...)
	return gone.RowsAffected, ended.RowsAffected, gone.Error
}

// queueDeliveries adds deliveries that were never tried.
func (s *Store) queueDeliveries(tx *gorm.DB, rows []queuedDelivery) error {
	return db.Chunks(s.db, rows, func(chunk []queuedDelivery) error {
		insert := db.Insertion{
			Into:  "insert into delivery_queue (delivery_id, webhook_id, due_at, subject, bytes, round, tries, resend, paced)",
			Fixed: ", 0, 0, false, false",
		}
		return s.db.Insert(tx, insert, nil,
			db.ColumnOf(chunk, func(q queuedDelivery) int64 { return q.DeliveryID }),
			db.ColumnOf(chunk, func(q queuedDelivery) int64 { return q.WebhookID }),
			db.ColumnOf(chunk, func(q queuedDelivery) time.Time { return q.DueAt }),
			db.ColumnOf(chunk, func(q queuedDelivery) int64 { return q.Subject }),
			db.ColumnOf(chunk, func(q queuedDelivery) int { return q.Bytes }))
	})
}
