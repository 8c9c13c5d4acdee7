package models

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// groupEvents is how many events of concurrent requests are stored in one
// transaction, where each groupBytes of their payloads count as one more; one
// request alone may have more. Much at once would take the driver as much
// memory again, and longer than a group may take.
const (
	groupEvents = 1000
	groupBytes  = 8 << 10
)

// How long an event waits for a transaction that stores one with the same id,
// in a group, which must not be held up, and by itself.
const (
	lockWaitInGroup = "300ms"
	lockWaitAlone   = "1s"
)

// recordCall is one request on its way into the database.
type recordCall struct {
	events   []NewEvent
	accepted int
}

func (c *recordCall) size() int {
	bytes := 0
	for i := range c.events {
		bytes += len(c.events[i].Payload)
	}
	return len(c.events) + bytes/groupBytes
}

func newEvents(s *Store) *Events {
	x := &Events{s: s}
	x.records = db.NewBatcher(groupEvents, (*recordCall).size, s.db.WriteWithin(), x.record)
	return x
}

// Record stores events, all or none; they are durable when it returns. One
// whose id is known in its location already, or stands twice among them, counts
// as a duplicate and changes nothing but its Duplicate mark. Their order of
// receipt is that of the slice. Error: ErrLocked when another transaction is storing one of
// the same id and does not end.
//
// An event of a location that is not registered, and cannot be, refuses them
// all with a *LocationLimitError.
//
// Requests that come while another is being stored wait for their turn and then
// share one transaction: the cost is in the commit, not in the rows.
func (x *Events) Record(ctx context.Context, events []NewEvent) (accepted, duplicates int, err error) {
	defer wrap(&err, "record events")
	if err := x.s.Locations.admit(ctx, events); err != nil {
		return 0, len(events), err
	}
	call := &recordCall{events: events}
	if err := x.records.Do(ctx, call); err != nil {
		return 0, len(events), err
	}
	return call.accepted, len(events) - call.accepted, nil
}

// record stores the events of all calls in one transaction and marks those
// that were not new.
func (x *Events) record(ctx context.Context, calls []*recordCall, shared bool) error {
	var events []NewEvent
	for _, call := range calls {
		events = append(events, call.events...)
	}
	stored, err := x.store(ctx, events, shared)
	if errors.Is(err, errForgotten) {
		x.s.Locations.forget()
		stored, err = x.store(ctx, events, shared)
	}
	if err != nil {
		return err
	}
	for _, call := range calls {
		call.accepted = 0
		for i := range call.events {
			e := &call.events[i]
			key := eventKey{e.Location, e.EventID}
			_, isNew := stored[key]
			if e.Duplicate = !isNew; isNew {
				call.accepted++
				delete(stored, key)
			}
		}
	}
	return nil
}

// store returns the numbers of the events that were new.
func (x *Events) store(ctx context.Context, events []NewEvent, shared bool) (stored map[eventKey]int64, err error) {
	wait := lockWaitAlone
	if shared {
		wait = lockWaitInGroup
	}
	if x.s.db.SingleWriter() {
		return x.storeSQLite(ctx, events)
	}
	if err := x.s.Locations.registerApart(ctx, events); err != nil {
		return nil, err
	}
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := x.s.Locations.check(tx, events, wait)
		if err == nil {
			stored, err = x.s.recordIn(tx, events, now)
		}
		return err
	})
	return stored, db.AsLocked(err)
}

// storeSQLite needs one commit: nothing else writes meanwhile.
func (x *Events) storeSQLite(ctx context.Context, events []NewEvent) (stored map[eventKey]int64, err error) {
	var names []string
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		if names, err = x.s.Locations.register(tx, events, now); err != nil {
			return err
		}
		stored, err = x.s.recordIn(tx, events, now)
		return err
	})
	if err == nil {
		x.s.Locations.remember(names)
	}
	return stored, err
}

// recordIn stores events, which wait from then on, and returns the numbers of
// those that were new.
func (s *Store) recordIn(tx *gorm.DB, events []NewEvent, now time.Time) (stored map[eventKey]int64, err error) {
	stored = make(map[eventKey]int64, len(events))
	rows := eventRows(events, now)
	if err := db.Chunks(s.db, rows, func(chunk []Event) error { return s.insertEvents(tx, chunk, stored) }); err != nil {
		return nil, err
	}
	return stored, s.enqueue(tx, newlyPending(rows, stored))
}

// newlyPending are the events that were new, which wait from now on. Of those
// with the same key the first was.
func newlyPending(rows []Event, stored map[eventKey]int64) []pendingEvent {
	pending := make([]pendingEvent, 0, len(stored))
	for i, e := range rows {
		if id, isNew := stored[e.key()]; isNew && (i == 0 || rows[i-1].key() != e.key()) {
			pending = append(pending, pendingEvent{e.Location, e.ReceivedAt, id, e.MergeKey})
		}
	}
	return pending
}

// insertEvents adds the rows that were new to stored.
func (s *Store) insertEvents(tx *gorm.DB, rows []Event, stored map[eventKey]int64) error {
	insert := db.Insertion{
		Into: "insert into events (event_id, type, family, location, community, tags, merge_key, subject, title, source, via, " +
			"occurred_at, received_at, payload)",
		After: " on conflict (event_id, location) do nothing returning location, event_id, id",
	}
	scan := func(found *sql.Rows) error {
		var key eventKey
		var id int64
		if err := found.Scan(&key.location, &key.id, &id); err != nil {
			return err
		}
		stored[key] = id
		return nil
	}
	return s.db.Insert(tx, insert, scan,
		db.ColumnOf(rows, func(e Event) string { return e.EventID }),
		db.ColumnOf(rows, func(e Event) string { return e.Type }),
		db.ColumnOf(rows, func(e Event) string { return e.Family }),
		db.ColumnOf(rows, func(e Event) string { return e.Location }),
		db.ColumnOf(rows, func(e Event) string { return e.Community }),
		db.ColumnOf(rows, func(e Event) string { return db.JSON(e.Tags) }),
		db.ColumnOf(rows, func(e Event) string { return e.MergeKey }),
		db.ColumnOf(rows, func(e Event) string { return e.Subject }),
		db.ColumnOf(rows, func(e Event) string { return e.Title }),
		db.ColumnOf(rows, func(e Event) string { return e.Source }),
		db.ColumnOf(rows, func(e Event) string { return e.Via }),
		db.ColumnOf(rows, func(e Event) time.Time { return e.OccurredAt }),
		db.ColumnOf(rows, func(e Event) time.Time { return e.ReceivedAt }),
		db.ColumnOf(rows, func(e Event) []byte { return e.Payload }))
}

// mergeKey tells events of sources apart; all tokens are one source.
func (e *NewEvent) mergeKey() string {
	if e.MergeKey == "" || e.Source == "" {
		return e.MergeKey
	}
	return e.Source + ":" + e.MergeKey // a location has no colon
}

// eventRows are sorted by key, so that two requests with the same events cannot
// wait for each other; their order of receipt stands in the microseconds.
func eventRows(events []NewEvent, now time.Time) []Event {
	rows := make([]Event, len(events))
	for i, e := range events {
		rows[i] = Event{
			EventID: e.EventID, Type: e.Type, Family: e.Family, Location: e.Location, Community: e.Community, Tags: orEmpty(e.Tags),
			MergeKey: e.mergeKey(), Subject: e.Subject, Title: e.Title, Source: e.Source, Via: e.Via,
			OccurredAt: e.OccurredAt.UTC().Truncate(time.Microsecond),
			ReceivedAt: now.Add(time.Duration(i) * time.Microsecond), Payload: e.Payload,
		}
		if e.OccurredAt.IsZero() {
			rows[i].OccurredAt = rows[i].ReceivedAt
		}
	}
	slices.SortStableFunc(rows, func(a, b Event) int { return a.key().compare(b.key()) })
	return rows
}
