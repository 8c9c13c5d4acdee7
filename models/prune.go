package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// pruneChunk is how many rows one transaction of pruning removes, so that it
// never holds others up for long.
const pruneChunk = 1000

// hoursKept is how long the hourly counters are kept, for the charts.
const hoursKept = 32 * 24 * time.Hour

// Pruned says what a step of pruning did.
type Pruned struct {
	Deliveries, Events, Expired int64
	More                        bool
}

// Prune does one step of retention: it removes finished deliveries with their
// attempts and triggers, and dispatched events that no delivery refers to,
// whose end is older than the retention, and drops deliveries that were held
// longer than it. Nothing else that waits is ever removed.
func (s *Store) Prune(ctx context.Context) (Pruned, error) {
	var p Pruned
	for _, step := range []func(*gorm.DB, *Pruned) error{s.expireHeld, s.pruneDeliveries, s.pruneEvents, s.pruneRest} {
		err := s.tx(ctx, func(tx *gorm.DB) error { return step(tx, &p) })
		if err != nil {
			return p, err
		}
	}
	p.More = p.Deliveries >= pruneChunk || p.Events >= pruneChunk || p.Expired >= pruneChunk
	return p, nil
}

// expireHeld drops what its webhook could not send for the whole retention.
func (s *Store) expireHeld(tx *gorm.DB, p *Pruned) error {
	settings, err := s.Settings.get(tx)
	if err != nil {
		return err
	}
	now, err := s.now(tx)
	if err != nil {
		return err
	}
	horizon := now.Add(-settings.Retention)
	ids, err := s.heldSince(tx, settings, horizon)
	if err != nil || len(ids) == 0 {
		return err
	}
	res := tx.Exec(`update deliveries set state = ?, due_at = null, finished_at = ?, reason = ?
		where finished_at is null and id in (
			select id from deliveries where finished_at is null and created_at < ? and webhook_id in ? limit ?)`,
		DeliveryDropped, now, "expired while held", horizon, ids, pruneChunk)
	p.Expired = res.RowsAffected
	return res.Error
}

// heldSince returns the webhooks that could not send since before a time, or
// that are deleted: nothing of theirs can wait, should something do so still.
func (s *Store) heldSince(tx *gorm.DB, settings Settings, horizon time.Time) ([]int64, error) {
	var hooks []Webhook
	err := tx.Select("id", "type", "state", "state_at", "created_at", "deleted_at").
		Find(&hooks, "state <> ? or deleted_at is not null or created_at < ?", WebhookActive, horizon).Error
	if err != nil {
		return nil, err
	}
	var off SettingChange
	err = tx.Order("id desc").Limit(1).Find(&off, "name = ?", EnableGenericWebhooks).Error
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, w := range hooks {
		since := off.At // zero: the feature was never on
		if w.State != WebhookActive && w.StateAt != nil {
			since = *w.StateAt
		}
		if w.DeletedAt != nil || s.heldWhy(w, settings) != "" && since.Before(horizon) {
			ids = append(ids, w.ID)
		}
	}
	return ids, nil
}

func (s *Store) pruneDeliveries(tx *gorm.DB, p *Pruned) error {
	settings, err := s.Settings.get(tx)
	if err != nil {
		return err
	}
	now, err := s.now(tx)
	if err != nil {
		return err
	}
	var ids []int64
	err = tx.Model(&Delivery{}).Where("finished_at < ? and due_at is null", now.Add(-settings.Retention)).
		Order("finished_at").Limit(pruneChunk).Pluck("id", &ids).Error
	if err != nil || len(ids) == 0 {
		return err
	}
	p.Deliveries = int64(len(ids))
	for _, stmt := range []string{
		"delete from attempts where delivery_id in ?",
		"delete from triggers where delivery_id in ?",
		"delete from deliveries where id in ?",
	} {
		if err := tx.Exec(stmt, ids).Error; err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) pruneEvents(tx *gorm.DB, p *Pruned) error {
	settings, err := s.Settings.get(tx)
	if err != nil {
		return err
	}
	now, err := s.now(tx)
	if err != nil {
		return err
	}
	// An event merged into one that is kept is kept with it: it explains
	// what that delivery's content replaced.
	res := tx.Exec(`delete from events where id in (
		select e.id from events e where e.dispatched_at < ?
		and not exists (select 1 from triggers t where t.event_id = e.id)
		and not exists (select 1 from triggers t where t.event_id = e.merged_into)
		order by e.dispatched_at limit ?)`, now.Add(-settings.Retention), pruneChunk)
	p.Events = res.RowsAffected
	return res.Error
}

func (s *Store) pruneRest(tx *gorm.DB, _ *Pruned) error {
	now, err := s.now(tx)
	if err != nil {
		return err
	}
	if err := tx.Where("seen_at < ? or created_at < ?", now.Add(-SessionIdle), now.Add(-SessionMax)).Delete(&Session{}).Error; err != nil {
		return err
	}
	if err := tx.Where("at < ?", now.Add(-SessionIdle)).Delete(&LoginFailure{}).Error; err != nil {
		return err
	}
	return tx.Where("hour < ?", now.Add(-hoursKept)).Delete(&WebhookHour{}).Error
}
