package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// AttentionMax is how many webhooks Attention names, and HeldMax how far it
// counts what is held, since every page asks.
const (
	AttentionMax = 5
	HeldMax      = 1000
)

// Attention is a webhook that somebody has to look after: it broke, or what it
// holds expires before long.
type Attention struct {
	WebhookID int64
	Name      string
	State     string // WebhookBroken or WebhookStopped
	Reason    string // in words, why it broke
	StateAt   time.Time
	Alike     int64 // webhooks in this state that need attention, those not named included
	Held      int64 // deliveries that wait, counted up to HeldMax
	More      bool  // there are more of them
	// ExpiresAt is when the first of them is dropped; when none is held, when
	// one held now would be.
	ExpiresAt time.Time
	Soon      bool // something is held and half of its time is over
}

// Attention returns broken webhooks, and stopped ones whose held deliveries
// were held for half the retention, at most AttentionMax of them. Stopped ones
// that hold nothing or nothing old are left out.
func (x *Webhooks) Attention(ctx context.Context) ([]Attention, error) {
	db := x.s.db.WithContext(ctx)
	// Mostly there are none, and this is all that is asked.
	var n int64
	err := db.Raw("select count(*) from (select 1 from webhooks where state <> 'active' and deleted_at is null limit 1) t").Scan(&n).Error
	if err != nil || n == 0 {
		return nil, err
	}
	settings, err := x.s.Settings.get(db)
	if err != nil {
		return nil, err
	}
	now, err := x.s.now(db)
	if err != nil {
		return nil, err
	}
	var rows []Attention
	err = db.Raw(`select id as webhook_id, name, state, state_reason as reason, state_at, count(*) over (partition by state) as alike
		from webhooks where state <> 'active' and deleted_at is null and state_at is not null
		and (state = ? or (state = ? and state_at < ?
			and exists (select 1 from deliveries d where d.webhook_id = webhooks.id and d.due_at is not null and d.state in ?)))
		order by state, state_at, id limit ?`,
		WebhookBroken, WebhookStopped, now.Add(-settings.Retention/2), []string{DeliveryPending, DeliveryRetrying}, AttentionMax).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	var list []Attention
	for _, row := range rows {
		if err := x.held(db, &row, settings.Retention, now); err != nil {
			return nil, err
		}
		if row.State == WebhookBroken || row.Soon {
			list = append(list, row)
		}
	}
	return list, nil
}

// held fills in what waits for a webhook and until when.
func (x *Webhooks) held(db *gorm.DB, a *Attention, retention time.Duration, now time.Time) error {
	err := db.Table("(?) as held", waiting(db, a.WebhookID).Select("id").Limit(HeldMax+1)).Count(&a.Held).Error
	if err != nil {
		return err
	}
	a.Held, a.More = min(a.Held, HeldMax), a.Held > HeldMax
	if a.Held == 0 {
		a.ExpiresAt = now.Add(retention)
		return nil
	}
	var first Delivery
	if err := waiting(db, a.WebhookID).Select("created_at").Order("due_at, id").Limit(1).Find(&first).Error; err != nil {
		return err
	}
	since := a.StateAt
	if first.CreatedAt.After(since) {
		since = first.CreatedAt
	}
	a.ExpiresAt = since.Add(retention)
	a.Soon = !now.Before(since.Add(retention / 2))
	return nil
}
