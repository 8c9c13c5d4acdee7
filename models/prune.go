package models

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// pruneChunk is how many rows one transaction of pruning removes, so that it
// never holds others up for long.
const pruneChunk = 100

// hoursKept is how long the hourly counters are kept, for the charts.
const hoursKept = 32 * 24 * time.Hour

// Pruned is the result of a step of pruning.
type Pruned struct {
	Deliveries, Events, Expired int64
	More                        bool
	dropped                     dropCounts // Expired by type
}

// Pruning is one pass of retention. It removes finished deliveries with their
// attempts and triggers, and dispatched events that no delivery refers to,
// whose end is older than the retention, and drops deliveries that were held
// longer than it. Nothing else that waits is ever removed.
type Pruning struct {
	s      *Store
	phases []func(tx *gorm.DB, p *Pruned) error // still to be done
	from   int64                                // the event that was looked at last
}

// Pruning begins a pass.
func (s *Store) Pruning() *Pruning {
	p := &Pruning{s: s}
	p.phases = []func(*gorm.DB, *Pruned) error{s.expireHeld, s.pruneDeliveries, p.events, s.pruneDispatches, s.pruneRest}
	return p
}

// Step removes a little. With More, the rest waits for the next step; without,
// the pass is over.
func (p *Pruning) Step(ctx context.Context) (Pruned, error) {
	var done Pruned
	for len(p.phases) > 0 {
		before, from := done, p.from
		err := p.s.db.Tx(ctx, func(tx *gorm.DB) error {
			done, p.from = before, from
			return p.phases[0](tx, &done)
		})
		if err = p.s.countDropped(done.dropped, err); err != nil || done.More {
			return done, err
		}
		done.dropped = nil
		p.phases = p.phases[1:]
	}
	return done, nil
}

// expireHeld drops deliveries that their webhook could not send for the whole
// retention.
func (s *Store) expireHeld(tx *gorm.DB, p *Pruned) error {
	var webhooks []int64
	query, args, err := s.expiring(tx)
	if err == nil {
		err = tx.Raw("select distinct webhook_id from (select d.webhook_id "+query+") e", args...).Scan(&webhooks).Error
	}
	if err != nil || len(webhooks) == 0 {
		return err
	}
	if err := s.lockHeld(tx, webhooks); err != nil {
		return err
	}
	now, err := s.db.Now(tx)
	if err != nil {
		return err
	}
	if query, args, err = s.expiring(tx); err != nil {
		return err
	}
	var expired []int64 // the webhook of each
	err = tx.Raw(`update deliveries set state = ?, due_at = null, finished_at = ?, reason = ?
		where finished_at is null and webhook_id in `+s.db.JSONList("bigint")+" and id in (select d.id "+query+") returning webhook_id",
		slices.Concat([]any{DeliveryDropped, now, "expired while held", db.JSON(webhooks)}, args)...).Scan(&expired).Error
	if err != nil {
		return err
	}
	p.Expired, p.More = int64(len(expired)), len(expired) >= pruneChunk
	var hooks []Webhook
	if err := tx.Select("id", "type").Find(&hooks, "id in "+s.db.JSONList("bigint"), db.JSON(webhooks)).Error; err != nil {
		return err
	}
	kinds := make(map[int64]string, len(hooks))
	for _, w := range hooks {
		kinds[w.ID] = w.Type
	}
	p.dropped = dropCounts{}
	for _, id := range expired {
		p.dropped[kinds[id]]++
	}
	return nil
}

// expiring selects deliveries that were held for the whole retention.
func (s *Store) expiring(tx *gorm.DB) (query string, args []any, err error) {
	settings, err := s.Settings.get(tx)
	if err != nil {
		return "", nil, err
	}
	now, err := s.db.Now(tx)
	if err != nil {
		return "", nil, err
	}
	horizon := now.Add(-settings.Retention)
	holds, args, err := s.heldSince(tx, settings, horizon)
	return `from deliveries d join webhooks w on w.id = d.webhook_id
		where d.finished_at is null and d.created_at < ? and ` + holds + ` order by d.created_at limit ?`,
		slices.Concat([]any{horizon}, args, []any{pruneChunk}), err
}

// lockHeld locks webhooks, and the setting of the feature, so that their held
// deliveries are released before or after the transaction, and not during it.
func (s *Store) lockHeld(tx *gorm.DB, webhooks []int64) error {
	if s.db.SingleWriter() {
		return nil
	}
	if err := tx.Exec("select id from dispatch_runs where id = 1" + s.db.ForUpdate()).Error; err != nil {
		return err
	}
	return tx.Exec("select id from webhooks where id in "+s.db.JSONList("bigint")+" order by id"+s.db.ForUpdate(), db.JSON(webhooks)).Error
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
	now, err := s.db.Now(tx)
	if err != nil {
		return err
	}
	var ids []int64 // without rows that another transaction is resending
	err = tx.Raw("select id from deliveries where finished_at < ? and due_at is null order by finished_at limit ?"+s.db.SkipLocked(),
		now.Add(-settings.Retention), pruneChunk).Scan(&ids).Error
	if err != nil || len(ids) == 0 {
		return err
	}
	p.Deliveries, p.More = int64(len(ids)), len(ids) >= pruneChunk
	var bodies []int64
	if err := tx.Raw("select distinct body_id from deliveries where body_id is not null and id in ?", ids).Scan(&bodies).Error; err != nil {
		return err
	}
	for _, stmt := range []string{
		"delete from attempts where delivery_id in ?",
		"delete from triggers where delivery_id in ?",
		"delete from deliveries where id in ?",
	} {
		if err := tx.Exec(stmt, ids).Error; err != nil {
			return err
		}
	}
	return s.dropBodies(tx, bodies)
}

func (s *Store) pruneRest(tx *gorm.DB, _ *Pruned) error {
	now, err := s.db.Now(tx)
	if err != nil {
		return err
	}
	if err := tx.Where("seen_at < ? or created_at < ?", now.Add(-SessionIdle), now.Add(-SessionMax)).Delete(&Session{}).Error; err != nil {
		return err
	}
	if err := tx.Where("at < ?", now.Add(-LoginWindow)).Delete(&LoginFailure{}).Error; err != nil {
		return err
	}
	if err := s.pruneInstances(tx, now); err != nil {
		return err
	}
	return tx.Where("hour < ?", now.Add(-hoursKept)).Delete(&WebhookHour{}).Error
}
