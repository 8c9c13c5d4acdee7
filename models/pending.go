package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// pendingEvent is an event that waits for dispatch.
type pendingEvent struct {
	Location   string    `gorm:"primaryKey"`
	ReceivedAt time.Time `gorm:"primaryKey"`
	EventID    int64     `gorm:"primaryKey;autoIncrement:false"` // Event.ID
	MergeKey   string
}

// enqueue stores that events wait.
func (s *Store) enqueue(tx *gorm.DB, rows []pendingEvent) error {
	return db.Chunks(s.db, rows, func(chunk []pendingEvent) error {
		return s.db.Insert(tx, db.Insertion{Into: "insert into pending_events (location, received_at, event_id, merge_key)"}, nil,
			db.ColumnOf(chunk, func(p pendingEvent) string { return p.Location }),
			db.ColumnOf(chunk, func(p pendingEvent) time.Time { return p.ReceivedAt }),
			db.ColumnOf(chunk, func(p pendingEvent) int64 { return p.EventID }),
			db.ColumnOf(chunk, func(p pendingEvent) string { return p.MergeKey }))
	})
}

// pendingWhere is the condition that a row of pending_events is one of these.
func (s *Store) pendingWhere(events []Event) (text string, args []any) {
	text, args = s.db.InPairs("received_at", "event_id",
		db.ColumnOf(events, func(e Event) time.Time { return e.ReceivedAt }),
		db.ColumnOf(events, func(e Event) int64 { return e.ID }))
	var locations []string
	known := map[string]bool{}
	for _, e := range events {
		if !known[e.Location] {
			known[e.Location] = true
			locations = append(locations, e.Location)
		}
	}
	return s.db.In("location", "text") + " and " + text, append([]any{db.JSON(locations)}, args...)
}

// pendingLocations are the locations behind one that have pending events, as
// the table l: one step in the index for each, however many events they have.
const pendingLocations = `with recursive l(location) as (
	select min(location) from pending_events where location > ? union all
	select (select min(location) from pending_events where location > l.location) from l where l.location is not null)`

// oldestPending is when the oldest pending event was received.
const oldestPending = pendingLocations + ` select since from (select ` + sinceOf + ` as since from l where location is not null) o order by since limit 1`

// sinceOf is when the oldest pending event of a location was received. SQLite
// knows it for a time, as it does not know the result of min.
const sinceOf = `(select received_at from pending_events p where p.location = l.location order by received_at limit 1)`

// oldest is when the oldest pending event was received; nil: none is pending.
func (x *Events) oldest(tx *gorm.DB) (*time.Time, error) {
	var at []time.Time
	if err := tx.Raw(oldestPending, "").Scan(&at).Error; err != nil || len(at) == 0 {
		return nil, err
	}
	return &at[0], nil
}

// Backlog is the pending events of a location.
type Backlog struct {
	Location string
	Events   int64 // counted up to DepthMax
	Oldest   time.Time
	// Resting says that events of it are dispatched already and that not all
	// their deliveries are stored.
	Resting bool
}

// Backlogs are the locations whose oldest event has waited longest, at most
// limit, and how many have pending events or rests.
func (x *Events) Backlogs(ctx context.Context, limit int) (worst []Backlog, locations int64, err error) {
	defer wrap(&err, "measure backlogs")
	tx := x.s.db.WithContext(ctx)
	const of = pendingLocations + `, b as (
		select l.location, ` + sinceOf + ` as oldest,
			exists (select 1 from dispatch_rest r where r.location = l.location and r.set_aside_at is null) as resting
		from l where l.location is not null union all
		select f.location, d.at, true from (select location, min(dispatch_id) as dispatch_id from dispatch_rest where set_aside_at is null group by location) f
		join dispatches d on d.id = f.dispatch_id where not exists (select 1 from pending_events p where p.location = f.location))`
	if err = tx.Raw(of+" select count(*) from b", "").Scan(&locations).Error; err != nil {
		return nil, 0, err
	}
	err = tx.Raw(of+` select b.*, (select count(*) from (select 1 from pending_events p where p.location = b.location limit ?) n) as events
		from b order by oldest limit ?`, "", DepthMax, limit).Scan(&worst).Error
	return worst, locations, err
}
