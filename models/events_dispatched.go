package models

import (
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// dispatchOf is the dispatch of an event e: that of one of its deliveries, or
// the one that dispatched_events has.
const dispatchOf = `coalesce((select x.dispatch_id from dispatched_events x where x.event_id = e.id),
	(select d.dispatch_id from deliveries d where d.event_id = e.id limit 1),
	(select d.dispatch_id from triggers t join deliveries d on d.id = t.delivery_id where t.event_id = e.id limit 1))`

// mergedInto selects the ids of the events that were merged into another.
const mergedInto = "select event_id from dispatched_events where merged_into = ?"

// withDispatches fills in how the events were dispatched.
func (x *Events) withDispatches(tx *gorm.DB, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	ids, at := make([]int64, len(events)), make(map[int64]*Event, len(events))
	for i := range events {
		ids[i] = events[i].ID
		at[ids[i]] = &events[i]
	}
	var rows []struct {
		ID           int64
		ReceivedAt   time.Time
		MergedInto   *int64
		At           *time.Time
		MatchVersion *int64
		Logged       *bool
		Pending      bool
		Unfinished   bool
	}
	err := tx.Session(&gorm.Session{NewDB: true}).Raw(`
		select q.id, q.received_at, q.merged_into, d.at, d.match_version, d.logged, q.pending,
			exists (select 1 from dispatch_rest r where r.dispatch_id = q.dispatch_id and r.location = q.location) as unfinished
		from (select e.id, e.received_at, e.location, `+dispatchOf+` as dispatch_id,
				(select x.merged_into from dispatched_events x where x.event_id = e.id) as merged_into,
				exists (select 1 from pending_events p where p.location = e.location and p.received_at = e.received_at and p.event_id = e.id) as pending
			from events e where `+x.s.db.InIDs("e.id")+`) q
		left join dispatches d on d.id = q.dispatch_id`, db.JSON(ids)).Scan(&rows).Error
	if err != nil {
		return err // a row of which only a part was read is among them
	}
	for _, d := range rows {
		if d.Pending {
			continue
		}
		e := at[d.ID]
		e.DispatchedAt, e.MergedInto, e.MatchVersion, e.Unfinished = d.At, d.MergedInto, d.MatchVersion, d.Unfinished
		if d.At == nil { // its deliveries were removed when their time was over
			e.DispatchedAt = &d.ReceivedAt
		}
		e.Logged = d.Logged == nil || *d.Logged
	}
	return nil
}
