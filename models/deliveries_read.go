package models

import (
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// deliveryColumns are those of a delivery d, without the body.
const deliveryColumns = "d.id, d.public_id, d.webhook_id, d.location, d.event_types, d.via, d.items, d.created_at, d.event_id, d.dispatch_id, d.body_id"

// complete fills in what follows from other rows about the deliveries. They are
// read by id: joined, PostgreSQL would read all that wait or failed.
func (s *Store) complete(tx *gorm.DB, rows []Delivery) error {
	if len(rows) == 0 {
		return nil
	}
	ids, at := make([]int64, len(rows)), make(map[int64]*Delivery, len(rows))
	for i := range rows {
		ids[i], at[rows[i].ID] = rows[i].ID, &rows[i]
	}
	tx = tx.Session(&gorm.Session{NewDB: true})
	if err := s.sentBy(tx, rows); err != nil {
		return err
	}
	var ends []deliveryEnd
	var attempts []Attempt
	var queue []queuedDelivery
	err := errors.Join(
		tx.Find(&ends, s.db.InIDs("delivery_id"), db.JSON(ids)).Error,
		tx.Select("delivery_id, started_at, duration_us, code, error_class, arrived").Order("delivery_id, started_at").
			Find(&attempts, s.db.InIDs("delivery_id"), db.JSON(ids)).Error,
		tx.Find(&queue, s.db.InIDs("delivery_id"), db.JSON(ids)).Error)
	if err != nil {
		return err // a row of which only a part was read is among them
	}
	for i := range rows {
		rows[i].State = DeliveryDelivered
	}
	for _, e := range ends {
		at[e.DeliveryID].ended(e)
	}
	for _, a := range attempts {
		at[a.DeliveryID].tried(a)
	}
	for _, q := range queue {
		at[q.DeliveryID].queued(q)
	}
	return nil
}

// sentBy fills in who sent the deliveries by hand.
func (s *Store) sentBy(tx *gorm.DB, rows []Delivery) error {
	ids := make([]int64, len(rows))
	for i, d := range rows {
		ids[i] = d.DispatchID
	}
	var manual []dispatch
	err := tx.Select("id, sent_by").Find(&manual, "sent_by <> '' and "+s.db.InIDs("id"), db.JSON(ids)).Error
	by := make(map[int64]string, len(manual))
	for _, d := range manual {
		by[d.ID] = d.SentBy
	}
	for i := range rows {
		rows[i].SentBy = by[rows[i].DispatchID]
	}
	return err
}

func (d *Delivery) ended(e deliveryEnd) { d.State, d.FinishedAt, d.Reason = e.State, &e.At, e.Reason }

func (d *Delivery) tried(a Attempt) {
	took := time.Duration(a.DurationUS) * time.Microsecond
	d.Tries++
	d.LastAt, d.LastCode, d.LastError, d.LastMS = &a.StartedAt, a.Code, a.ErrorClass, int(took.Milliseconds())
	if end := a.StartedAt.Add(took); a.Arrived && d.State == DeliveryDelivered {
		d.FinishedAt = &end
	}
}

func (d *Delivery) queued(q queuedDelivery) {
	d.DueAt, d.Resend, d.ScheduledAt, d.Round, d.Paced, d.Subject = &q.DueAt, q.Resend, q.ScheduledAt, q.Round, q.Paced, q.Subject
	switch {
	case q.Resend && q.ScheduledAt == nil: // it had ended
		return
	case q.Round > 0:
		d.State, d.FinishedAt = DeliveryRetrying, nil
	default:
		d.State, d.FinishedAt = DeliveryPending, nil
	}
}
