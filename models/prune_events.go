package models

import (
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// agedEvent is an event that was received before the retention.
type agedEvent struct {
	ID     int64
	Needed bool // it waits, or something explains itself by it
}

// events looks at a few, and begins where the last step ended: those that are
// kept may be many.
func (p *Pruning) events(tx *gorm.DB, done *Pruned) error {
	horizon, err := p.s.horizon(tx)
	if err != nil {
		return err
	}
	below, err := idTo(tx, "events", "received_at", horizon)
	if err != nil {
		return err
	}
	// An event merged into one that is kept is kept with it: it explains which
	// content that delivery replaced.
	var old []agedEvent
	// Within, so that PostgreSQL reckons with so few, and looks for the triggers
	// of each rather than reading all there are.
	err = tx.Raw(`select e.id, e.received_at >= ?
			or exists (select 1 from pending_events p where p.location = e.location and p.received_at = e.received_at and p.event_id = e.id)
			or `+sentOf("e.id")+` or exists (select 1 from dispatched_events x join dispatches d on d.id = x.dispatch_id
				where x.event_id = e.id and (d.at >= ? or `+sentOf("x.merged_into")+`)) as needed
		from (select id, location, received_at from events where id > ? and id < ? order by id limit ?) e order by e.id`,
		horizon, horizon, p.from, below, pruneChunk).Find(&old).Error
	if err != nil || len(old) == 0 {
		return err
	}
	resting, err := restingEvents(tx)
	if err != nil {
		return err
	}
	var remove []int64
	for _, e := range old {
		if !e.Needed && !slices.Contains(resting, e.ID) {
			remove = append(remove, e.ID)
		}
	}
	p.from, done.Events, done.More = old[len(old)-1].ID, int64(len(remove)), len(old) >= pruneChunk
	return errors.Join(
		tx.Where(p.s.db.InIDs("id"), db.JSON(remove)).Delete(&Event{}).Error,
		tx.Where(p.s.db.InIDs("event_id"), db.JSON(remove)).Delete(&dispatchedEvent{}).Error,
	)
}

// sentOf is the condition that a delivery of an event is kept.
func sentOf(event string) string {
	return "exists (select 1 from deliveries d where d.event_id = " + event + ") or exists (select 1 from triggers t where t.event_id = " + event + ")"
}

// restingEvents are the events of rests, which are few.
func restingEvents(tx *gorm.DB) (ids []int64, err error) {
	var rests []Rest
	err = tx.Select("event_ids").Find(&rests).Error
	for _, r := range rests {
		ids = append(ids, r.EventIDs...)
	}
	return ids, err
}

// pruneDispatches removes what tells of no event any more: ids grow with time,
// so what is older than the oldest delivery is told of by none.
func (s *Store) pruneDispatches(tx *gorm.DB, done *Pruned) error {
	horizon, err := s.horizon(tx)
	if err != nil {
		return err
	}
	// gorm sets no limit to what it deletes.
	res := tx.Exec(`delete from dispatches where id in (select p.id from dispatches p
		where p.id > 0 and p.at < ? and p.id < coalesce((select min(d.dispatch_id) from (select dispatch_id from deliveries where id > 0 order by id limit ?) d), p.id + 1)
			and not exists (select 1 from dispatched_events x where x.dispatch_id = p.id) and not exists (select 1 from dispatch_rest r where r.dispatch_id = p.id)
		order by p.id limit ?)`, horizon, pruneChunk, pruneChunk)
	done.More = res.RowsAffected >= pruneChunk
	return res.Error
}

// horizon is the retention ago.
func (s *Store) horizon(tx *gorm.DB) (time.Time, error) {
	settings, err := s.Settings.get(tx)
	if err != nil {
		return time.Time{}, err
	}
	now, err := s.db.Now(tx)
	return now.Add(-settings.Retention), err
}
