package models

import (
	"context"
	"slices"
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
	holds, args, err := s.heldSince(tx, settings, horizon)
	if err != nil {
		return err
	}
	res := tx.Exec(`update deliveries set state = ?, due_at = null, finished_at = ?, reason = ?
		where finished_at is null and id in (
			select d.id from deliveries d join webhooks w on w.id = d.webhook_id
			where d.finished_at is null and d.created_at < ? and `+holds+` order by d.created_at limit ?)`,
		slices.Concat([]any{DeliveryDropped, now, "expired while held", horizon}, args, []any{pruneChunk})...)
	p.Expired = res.RowsAffected
	return res.Error
}

// heldSince is the condition that a webhook w could not send since before a
// time, or is deleted: nothing of its can wait, should something do so still.
func (s *Store) heldSince(tx *gorm.DB, settings Settings, horizon time.Time) (text string, args []any, err error) {
	text, args = "(w.deleted_at is not null or w.state <> 'active' and (w.state_at is null or w.state_at < ?)", []any{horizon}
	off, err := s.offTypes(tx, settings)
	if err != nil {
		return "", nil, err
	}
	var last SettingChange // its time is zero when the feature was never on
	if err := tx.Order("id desc").Limit(1).Find(&last, "name = ?", EnableGenericWebhooks).Error; err != nil {
		return "", nil, err
	}
	if len(off) > 0 && last.At.Before(horizon) {
		text, args = text+" or w.state = 'active' and w.type in ?", append(args, off)
	}
	return text + ")", args, nil
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
