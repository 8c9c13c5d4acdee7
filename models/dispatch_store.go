package models

import (
	"database/sql"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// NewDelivery is a delivery to be stored, and the events inside it.
type NewDelivery struct {
	Delivery
	Events []int64
	// Unlogged says that trigger history was off at the dispatch of its events.
	Unlogged bool
	// Unbuilt says why no body could be made; it is stored as failed then.
	Unbuilt string
}

// Decision is what a run stores.
type Decision struct {
	// Events are those decided upon; the others stay due. Of events that merge,
	// all or none are among them.
	Events     []Event
	MergedInto map[int64]int64 // older event → the newest, which is sent
	Deliveries []NewDelivery
	// Rests are left to be stored by later runs. One with an ID replaces what
	// is stored of it.
	Rests []Rest
	Done  []int64 // rests of which nothing is left
}

// Store writes a decision, and when dispatch runs next. Error: ErrChanged when
// it has to be made anew.
func (d *Dispatch) Store(n Decision, events int) (err error) {
	if d.tx == nil {
		if d.tx, err = d.s.db.Begin(d.read.Statement.Context); err != nil {
			return dispatchError(err)
		}
		if err = d.stillSame(); err != nil {
			return dispatchError(err)
		}
	}
	d.result.Events = len(n.Events)
	d.result.More = d.full || len(n.Events) < events || len(n.Rests) > 0 || len(d.resting) > 0 || !d.all
	for _, store := range []func(Decision) error{d.storeEvents, d.storeBodies, d.storeDeliveries, d.storeRests} {
		if err := store(n); err != nil {
			return dispatchError(err)
		}
	}
	filled := map[int64]struct{}{}
	for _, n := range n.Deliveries {
		filled[n.WebhookID] = struct{}{}
	}
	if d.result.Lanes, err = d.s.fillLanes(d.tx.DB, filled, d.Now); err != nil {
		return dispatchError(err)
	}
	return dispatchError(d.storeRun())
}

// stillSame fails with ErrChanged when a decision that was made before its
// transaction began may be another one in it.
func (d *Dispatch) stillSame() error {
	version, err := matchVersion(d.tx.DB, "")
	if err != nil {
		return err
	}
	settings, err := d.s.Settings.get(d.tx.DB)
	if err != nil {
		return err
	}
	var run dispatchRun
	if err := d.tx.Take(&run, 1).Error; err != nil {
		return err
	}
	if version != d.Version || settings != d.Settings || run.Runs != d.runs {
		return ErrChanged
	}
	return nil
}

func (d *Dispatch) storeRun() error {
	next := d.Now.Add(d.Settings.DispatchInterval)
	if d.result.More {
		next = d.Now
	}
	d.result.Wait = next.Sub(d.Now)
	switch {
	case d.Settings.DispatchInterval > 0 || d.result.More:
	case d.Settings.DispatchDelay == 0: // what is pending has arrived since
		d.result.Wait = untilDue(nil, 0, d.Now)
	default:
		oldest, err := d.s.Events.oldest(d.tx.DB)
		if err != nil {
			return err
		}
		d.result.Wait = untilDue(oldest, d.Settings.DispatchDelay, d.Now)
	}
	last := ""
	if len(d.locations) > 0 {
		last = d.locations[len(d.locations)-1]
	}
	return d.tx.Exec("update dispatch_runs set next_at = ?, last_at = ?, last_location = ?, runs = runs + 1 where id = 1", next, d.Now, last).Error
}

// endedTogether is how many events end their waiting in one statement:
// PostgreSQL compares each with all of them.
const endedTogether = 128

// storeEvents notes that the events are dispatched. It fails with ErrChanged
// when one of them no longer waits.
func (d *Dispatch) storeEvents(n Decision) error {
	if len(n.Events) == 0 {
		return nil
	}
	for chunk := range slices.Chunk(n.Events, endedTogether) {
		where, args := d.s.pendingWhere(chunk)
		ended := d.tx.Exec("delete from pending_events where "+where, args...)
		if ended.Error != nil {
			return ended.Error
		}
		if ended.RowsAffected < int64(len(chunk)) {
			return ErrChanged
		}
	}
	if err := d.s.countEvents(d.tx.DB, n.Events); err != nil {
		return err
	}
	by := dispatch{At: d.Now, MatchVersion: d.Version, Logged: d.Settings.TriggerHistory}
	if err := d.tx.Create(&by).Error; err != nil {
		return err
	}
	for i := range n.Rests {
		if n.Rests[i].DispatchID == 0 {
			n.Rests[i].DispatchID = by.ID
		}
	}
	evident := map[int64]bool{}
	for i := range n.Deliveries {
		if n := &n.Deliveries[i]; n.DispatchID == 0 {
			n.DispatchID = by.ID
			for _, id := range n.Events {
				evident[id] = evident[id] || len(n.Events) == 1 || by.Logged
			}
		}
	}
	// The dispatch of the others is told by no delivery, or not yet.
	others := slices.DeleteFunc(slices.Clone(n.Events), func(e Event) bool { return evident[e.ID] })
	return db.Chunks(d.s.db, others, func(chunk []Event) error {
		return d.s.db.Insert(d.tx.DB, db.Insertion{Into: "insert into dispatched_events (event_id, dispatch_id, merged_into)"}, nil,
			db.ColumnOf(chunk, func(e Event) int64 { return e.ID }),
			db.ColumnOf(chunk, func(Event) int64 { return by.ID }),
			db.ColumnOf(chunk, func(e Event) *int64 {
				if into, merged := n.MergedInto[e.ID]; merged {
					return &into
				}
				return nil
			}))
	})
}

// storeBodies stores what bodies have in common, each once.
func (d *Dispatch) storeBodies(n Decision) error {
	var bodies []*Body
	known := map[*Body]bool{}
	for _, n := range n.Deliveries {
		if n.Shared != nil && n.Shared.ID == 0 && !known[n.Shared] {
			bodies, known[n.Shared] = append(bodies, n.Shared), true
		}
	}
	return db.Chunks(d.s.db, bodies, func(chunk []*Body) error {
		stored := 0
		scan := func(rows *sql.Rows) error {
			stored++
			return rows.Scan(&chunk[stored-1].ID)
		}
		return d.s.db.Insert(d.tx.DB, db.Insertion{Into: "insert into bodies (body)", After: " returning id"}, scan,
			db.ColumnOf(chunk, func(b *Body) []byte { return b.Body }))
	})
}

// storeDeliveries stores the built deliveries, and those that could not be
// built, with triggers for those of several events.
func (d *Dispatch) storeDeliveries(n Decision) error {
	var triggers []Trigger
	err := db.Chunks(d.s.db, n.Deliveries, func(chunk []NewDelivery) error {
		ids, err := d.s.insertDeliveries(d.tx.DB, chunk, d.Now)
		for i, id := range ids {
			if n := chunk[i]; len(n.Events) > 1 && !n.Unlogged {
				for _, event := range n.Events {
					triggers = append(triggers, Trigger{EventID: event, WebhookID: n.WebhookID, DeliveryID: id})
				}
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return db.Chunks(d.s.db, triggers, func(chunk []Trigger) error {
		return d.s.db.Insert(d.tx.DB, db.Insertion{Into: "insert into triggers (event_id, webhook_id, delivery_id)"}, nil,
			db.ColumnOf(chunk, func(t Trigger) int64 { return t.EventID }),
			db.ColumnOf(chunk, func(t Trigger) int64 { return t.WebhookID }),
			db.ColumnOf(chunk, func(t Trigger) int64 { return t.DeliveryID }))
	})
}

// insertDeliveries queues the built deliveries; the others have failed. It
// returns the ids in the order of the rows.
func (s *Store) insertDeliveries(tx *gorm.DB, rows []NewDelivery, now time.Time) (ids []int64, err error) {
	insert := db.Insertion{
		Into:  "insert into deliveries (public_id, webhook_id, location, event_id, dispatch_id, event_types, via, items, created_at, body, body_id, payload_at, payload_bytes)",
		After: " returning id",
	}
	scan := func(found *sql.Rows) error {
		ids = append(ids, 0)
		return found.Scan(&ids[len(ids)-1])
	}
	err = s.db.Insert(tx, insert, scan,
		db.ColumnOf(rows, func(n NewDelivery) string { return n.PublicID }),
		db.ColumnOf(rows, func(n NewDelivery) int64 { return n.WebhookID }),
		db.ColumnOf(rows, func(n NewDelivery) string { return n.Location }),
		db.ColumnOf(rows, func(n NewDelivery) *int64 { return n.only() }),
		db.ColumnOf(rows, func(n NewDelivery) int64 { return n.DispatchID }),
		db.ColumnOf(rows, func(n NewDelivery) string { return n.EventTypes }),
		db.ColumnOf(rows, func(n NewDelivery) string { return n.Via }),
		db.ColumnOf(rows, func(n NewDelivery) int { return n.Items }),
		db.ColumnOf(rows, func(NewDelivery) time.Time { return now }),
		db.ColumnOf(rows, func(n NewDelivery) []byte {
			if n.Body == nil {
				return []byte{}
			}
			return n.Body
		}),
		db.ColumnOf(rows, func(n NewDelivery) *int64 { return n.sharedID() }),
		db.ColumnOf(rows, func(n NewDelivery) int { return int(n.PayloadAt) }),
		db.ColumnOf(rows, func(n NewDelivery) int { return int(n.PayloadBytes) }))
	if err != nil {
		return nil, err
	}
	if len(ids) != len(rows) {
		return nil, errors.New("the database did not give each delivery an id")
	}
	var queue []queuedDelivery
	for i, n := range rows {
		rows[i].ID, rows[i].CreatedAt, rows[i].DueAt, rows[i].State = ids[i], now, &now, DeliveryPending
		if n.Unbuilt == "" {
			queue = append(queue, queuedDelivery{DeliveryID: ids[i], WebhookID: n.WebhookID, DueAt: now, Subject: n.Subject, Bytes: n.bytes()})
			continue
		}
		err := tx.Create(&deliveryEnd{DeliveryID: ids[i], WebhookID: n.WebhookID, State: DeliveryFailed, At: now, Reason: n.Unbuilt}).Error
		if err != nil {
			return nil, err
		}
	}
	return ids, s.queueDeliveries(tx, queue)
}

// Whole is the delivery as it is read once it is stored.
func (n NewDelivery) Whole() Delivery {
	d := n.Delivery
	d.EventID, d.BodyID = n.only(), n.sharedID()
	d.join()
	return d
}

// bytes is how much of it a lane reads.
func (n NewDelivery) bytes() int {
	return len(n.SharedBytes()) + len(n.Body) + int(n.PayloadBytes)
}

// only is the event of a delivery that has one.
func (n NewDelivery) only() *int64 {
	if len(n.Events) != 1 {
		return nil
	}
	return &n.Events[0]
}

func (n NewDelivery) sharedID() *int64 {
	if n.Shared == nil {
		return nil
	}
	return &n.Shared.ID
}

// storeRests stores what is left, and forgets what is done.
func (d *Dispatch) storeRests(n Decision) error {
	if len(n.Done) > 0 {
		if err := d.tx.Delete(&Rest{}, n.Done).Error; err != nil {
			return err
		}
	}
	for _, r := range n.Rests {
		if r.Body != nil {
			r.BodyID = r.Body.ID
		}
		r.Tries, r.Reason = 0, "" // it got on
		if r.ID == 0 {
			if err := d.tx.Create(&r).Error; err != nil {
				return err
			}
			continue
		}
		err := d.tx.Model(&Rest{}).Where("id = ?", r.ID).Select("event_ids", "webhook_ids", "body_id", "tries", "reason").Updates(&r).Error
		if err != nil {
			return err
		}
	}
	return nil
}
