package models

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"
)

// AttentionMax is how many webhooks Attention names, and HeldMax how far it
// counts what is held, since every page asks.
const (
	AttentionMax = 5
	HeldMax      = 1000
)

// AttentionOff is the State of an Attention that is about all webhooks of
// switched-off types together.
const AttentionOff = "off"

// Attention is a webhook that somebody has to look after: it broke, or what it
// holds expires before long.
type Attention struct {
	WebhookID int64 // 0 with AttentionOff
	Name      string
	State     string // WebhookBroken, WebhookStopped or AttentionOff
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
// that hold nothing or nothing old are left out. What is held because types are
// switched off comes last, as one.
func (x *Webhooks) Attention(ctx context.Context) ([]Attention, error) {
	db := x.s.db.WithContext(ctx)
	settings, err := x.s.Settings.get(db)
	if err != nil {
		return nil, err
	}
	now, err := x.s.now(db)
	if err != nil {
		return nil, err
	}
	list, err := x.troubled(db, settings, now)
	if err != nil || settings.GenericEnabled {
		return list, err
	}
	off, err := x.switchedOff(db, settings, now)
	if off != nil {
		list = append(list, *off)
	}
	return list, err
}

func (x *Webhooks) troubled(db *gorm.DB, settings Settings, now time.Time) ([]Attention, error) {
	// Mostly there are none, and this is all that is asked.
	var n int64
	err := db.Raw("select count(*) from (select 1 from webhooks where state <> 'active' and deleted_at is null limit 1) t").Scan(&n).Error
	if err != nil || n == 0 {
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

// switchedOff is what active webhooks hold because their types are switched
// off, if half of its time is over; nil: it is not.
func (x *Webhooks) switchedOff(db *gorm.DB, settings Settings, now time.Time) (*Attention, error) {
	var off SettingChange
	if err := db.Order("id desc").Limit(1).Find(&off, "name = ?", EnableGenericWebhooks).Error; err != nil {
		return nil, err
	}
	if off.At.After(now.Add(-settings.Retention / 2)) {
		return nil, nil //nolint:nilnil // nothing is that old
	}
	var types []string
	if err := db.Model(&Webhook{}).Distinct("type").Where("deleted_at is null").Pluck("type", &types).Error; err != nil {
		return nil, err
	}
	types = slices.DeleteFunc(types, func(name string) bool { return !x.s.needsFeature(name) })
	const holds = "w.state = ? and w.deleted_at is null and w.type in ?"
	waits := []string{DeliveryPending, DeliveryRetrying}
	// The first of each lane is found by index; all that waits may be much.
	var first []time.Time
	err := db.Raw(`select d.created_at from webhooks w join deliveries d on d.id = (
			select id from deliveries where webhook_id = w.id and due_at is not null and state in ? order by due_at, id limit 1)
		where `+holds+` order by d.created_at limit 1`, waits, WebhookActive, types).Scan(&first).Error
	if err != nil || len(first) == 0 {
		return nil, err
	}
	since := off.At
	if first[0].After(since) {
		since = first[0]
	}
	a := Attention{State: AttentionOff, StateAt: off.At, ExpiresAt: since.Add(settings.Retention), Soon: !now.Before(since.Add(settings.Retention / 2))}
	if !a.Soon {
		return nil, nil //nolint:nilnil // nothing is that old
	}
	err = db.Raw(`select count(*) from (select 1 from webhooks w join deliveries d on d.webhook_id = w.id and d.due_at is not null and d.state in ?
		where `+holds+` limit ?) held`, waits, WebhookActive, types, HeldMax+1).Scan(&a.Held).Error
	a.Held, a.More = min(a.Held, HeldMax), a.Held > HeldMax
	return &a, err
}
