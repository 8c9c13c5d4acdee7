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

// hoursRetention is how long the hourly counters are kept, for the charts.
const hoursRetention = 32 * 24 * time.Hour

// Pruned is the result of a step of pruning.
type Pruned struct {
	Deliveries, Events, Expired int64
	More                        bool
	dropped                     dropCounts // Expired by type
}

// Pruning is one pass of retention. It removes ended deliveries with their
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
	p.phases = []func(*gorm.DB, *Pruned) error{s.sumHours, s.expireHeld, s.pruneDeliveries, p.events, s.pruneDispatches, s.pruneRest}
	return p
}

// Step removes a little. With More, the rest waits for the next step; without,
// the pass is over.
func (p *Pruning) Step(ctx context.Context) (_ Pruned, err error) {
	defer wrap(&err, "prune")
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
// retention. One that had ended and was to be resent is as it was before.
func (s *Store) expireHeld(tx *gorm.DB, p *Pruned) error {
	expiring, err := s.expiring(tx)
	if err != nil || len(expiring) == 0 {
		return err
	}
	hooks := make([]int64, len(expiring))
	for i, e := range expiring {
		hooks[i] = e.WebhookID
	}
	if err := s.lockHeld(tx, hooks); err != nil {
		return err
	}
	if expiring, err = s.expiring(tx); err != nil { // as it is now that nothing can be released
		return err
	}
	p.dropped = dropCounts{}
	var ids []int64
	for _, e := range expiring {
		if !slices.Contains(hooks, e.WebhookID) {
			continue
		}
		if ids = append(ids, e.DeliveryID); !e.Resent {
			p.dropped[e.Type]++
		}
	}
	now, err := s.db.Now(tx)
	if err != nil {
		return err
	}
	p.Expired, _, err = dequeue(tx, now, "expired while held", s.db.InIDs("q.delivery_id"), db.JSON(ids))
	p.More = p.Expired >= pruneChunk
	return err
}

// expiringDelivery was held for the whole retention.
type expiringDelivery struct {
	DeliveryID, WebhookID int64
	Type                  string
	Resent                bool // it had ended
}

func (s *Store) expiring(tx *gorm.DB) (rows []expiringDelivery, err error) {
	settings, err := s.Settings.get(tx)
	if err != nil {
		return nil, err
	}
	now, err := s.db.Now(tx)
	if err != nil {
		return nil, err
	}
	horizon := now.Add(-settings.Retention)
	below, err := idTo(tx, "deliveries", "created_at", horizon)
	if err != nil {
		return nil, err
	}
	holds, args, err := s.heldSince(tx, settings, horizon)
	if err != nil {
		return nil, err
	}
	return rows, tx.Raw(`select q.delivery_id, q.webhook_id, w.type, not `+onSchedule+` as resent
		from delivery_queue q join deliveries d on d.id = q.delivery_id join webhooks w on w.id = q.webhook_id
		where q.delivery_id < ? and d.created_at < ? and `+holds+` order by q.delivery_id limit ?`,
		slices.Concat([]any{below, horizon}, args, []any{pruneChunk})...).Scan(&rows).Error
}

// lockHeld locks webhooks, and the setting of the feature, so that their held
// deliveries are released before or after the transaction, and not during it.
func (s *Store) lockHeld(tx *gorm.DB, webhooks []int64) error {
	if s.db.SingleWriter() {
		return nil
	}
	if err := tx.Clauses(forUpdate).Take(&dispatchRun{}, 1).Error; err != nil {
		return err
	}
	var locked []int64
	return tx.Model(&Webhook{}).Clauses(forUpdate).Where(s.db.InIDs("id"), db.JSON(webhooks)).Order("id").Pluck("id", &locked).Error
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
	horizon := now.Add(-settings.Retention)
	below, err := idTo(tx, "deliveries", "created_at", horizon)
	if err != nil {
		return err
	}
	var old []int64 // without rows that another transaction is resending
	err = tx.Raw(`select d.id from deliveries d where d.id < ? and d.created_at < ?
		and `+inQueue+` is null and (select e.at from delivery_ends e where e.delivery_id = d.id and e.at >= ?) is null
		and (select a.started_at from attempts a where a.delivery_id = d.id and a.started_at >= ? limit 1) is null
		order by d.id limit ?`+s.db.SkipLocked(), below, horizon, horizon, horizon, pruneChunk).Scan(&old).Error
	if err != nil || len(old) == 0 {
		return err
	}
	p.More = len(old) >= pruneChunk
	var ids []int64 // without those that were resent before they were locked
	queued := tx.Model(&queuedDelivery{}).Select("delivery_id").Where(s.db.InIDs("delivery_id"), db.JSON(old))
	err = tx.Model(&Delivery{}).Where(s.db.InIDs("id"), db.JSON(old)).Where("id not in (?)", queued).Pluck("id", &ids).Error
	if err != nil {
		return err
	}
	p.Deliveries = int64(len(ids))
	var bodies []int64
	err = tx.Model(&Delivery{}).Where("body_id is not null and "+s.db.InIDs("id"), db.JSON(ids)).Distinct().Pluck("body_id", &bodies).Error
	if err != nil {
		return err
	}
	for _, record := range []any{&Attempt{}, &Trigger{}, &deliveryEnd{}} {
		if err := tx.Where(s.db.InIDs("delivery_id"), db.JSON(ids)).Delete(record).Error; err != nil {
			return err
		}
	}
	if err := tx.Where(s.db.InIDs("id"), db.JSON(ids)).Delete(&Delivery{}).Error; err != nil {
		return err
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
	horizon, err := s.horizon(tx)
	if err != nil {
		return err
	}
	if err := tx.Where("ended_at < ?", horizon).Delete(&ManualSend{}).Error; err != nil {
		return err
	}
	if err := s.pruneInstances(tx, now); err != nil {
		return err
	}
	if err := s.pruneSources(tx, now); err != nil {
		return err
	}
	for _, record := range []any{&WebhookHour{}, &eventHour{}, &locationHour{}} {
		if err := tx.Where("hour < ?", now.Add(-hoursRetention)).Delete(record).Error; err != nil {
			return err
		}
	}
	return nil
}
