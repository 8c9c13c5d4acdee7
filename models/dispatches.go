package models

import (
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// dispatch is the result of an event's dispatch. An event without such a row
// waits, and has a row in events_waiting.
type dispatch struct {
	EventID      int64 `gorm:"primaryKey;autoIncrement:false"` // Event.ID
	DispatchedAt time.Time
	MergedInto   *int64
	MatchVersion int64
	Logged       bool
}

// mergedInto selects the ids of the events that were merged into another.
const mergedInto = "select event_id from dispatches where merged_into = ?"

// withDispatches fills in the results of the events' dispatch.
func (x *Events) withDispatches(tx *gorm.DB, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	ids, at := make([]int64, len(events)), make(map[int64]*Event, len(events))
	for i := range events {
		ids[i] = events[i].ID
		at[ids[i]] = &events[i]
	}
	var rows []dispatch
	if err := tx.Session(&gorm.Session{NewDB: true}).Find(&rows, x.s.db.InIDs("event_id"), db.JSON(ids)).Error; err != nil {
		return err
	}
	for _, d := range rows {
		e := at[d.EventID]
		e.DispatchedAt, e.MergedInto, e.MatchVersion, e.Logged = &d.DispatchedAt, d.MergedInto, &d.MatchVersion, d.Logged
	}
	return nil
}

// eventWaiting is an event that waits for dispatch.
type eventWaiting struct {
	ReceivedAt time.Time `gorm:"primaryKey"`
	EventID    int64     `gorm:"primaryKey;autoIncrement:false"` // Event.ID
	MergeKey   string
}

// TableName is where those are that wait.
func (eventWaiting) TableName() string { return "events_waiting" }

// waits stores that events wait.
func (s *Store) waits(tx *gorm.DB, rows []eventWaiting) error {
	return db.Chunks(s.db, rows, func(part []eventWaiting) error {
		return s.db.Insert(tx, db.Insertion{Into: "insert into events_waiting (received_at, event_id, merge_key)"}, nil,
			db.ColumnOf(part, func(w eventWaiting) time.Time { return w.ReceivedAt }),
			db.ColumnOf(part, func(w eventWaiting) int64 { return w.EventID }),
			db.ColumnOf(part, func(w eventWaiting) string { return w.MergeKey }))
	})
}

// endedTogether is how many events end their waiting in one statement:
// PostgreSQL compares each with all of them.
const endedTogether = 128

// markDispatched ends the waiting of the events that were decided upon, and
// stores the decisions. It fails with errChanged when one of them no longer
// waits.
func (s *Store) markDispatched(tx *gorm.DB, t Take, d Decision) error {
	decided := make(map[int64]bool, len(d.Events))
	for _, id := range d.Events {
		decided[id] = true
	}
	var events []Event
	for _, e := range t.Events {
		if decided[e.ID] {
			events = append(events, e)
		}
	}
	for part := range slices.Chunk(events, endedTogether) {
		where, args := s.theseWait(part)
		ended := tx.Exec("delete from events_waiting where "+where, args...)
		if ended.Error != nil {
			return ended.Error
		}
		if ended.RowsAffected < int64(len(part)) {
			return errChanged
		}
	}
	return db.Chunks(s.db, events, func(part []Event) error {
		return s.db.Insert(tx, db.Insertion{Into: "insert into dispatches (event_id, dispatched_at, merged_into, match_version, logged)"}, nil,
			db.ColumnOf(part, func(e Event) int64 { return e.ID }),
			db.ColumnOf(part, func(Event) time.Time { return t.Now }),
			db.ColumnOf(part, func(e Event) *int64 { return newer(d, e.ID) }),
			db.ColumnOf(part, func(Event) int64 { return d.Version }),
			db.ColumnOf(part, func(Event) bool { return t.Settings.TriggerHistory }))
	})
}

// theseWait is the condition that a row of events_waiting is one of these.
func (s *Store) theseWait(events []Event) (text string, args []any) {
	return s.db.InPairs("received_at", "event_id",
		db.ColumnOf(events, func(e Event) time.Time { return e.ReceivedAt }),
		db.ColumnOf(events, func(e Event) int64 { return e.ID }))
}

// newer is the event that is sent instead of one; nil: none.
func newer(d Decision, id int64) *int64 {
	if into, merged := d.MergedInto[id]; merged {
		return &into
	}
	return nil
}
