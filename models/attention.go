package models

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"
)

// AttentionMax is how many webhooks Attention names, and HeldMax how far it
// counts held deliveries, since every page asks.
const (
	AttentionMax = 5
	HeldMax      = 1000
)

// AttentionOff is the State of an Attention that is about all webhooks of
// switched-off types together.
const AttentionOff = "off"

// Attention is a webhook that needs attention: it broke, or its held deliveries
// expire soon.
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

// Attention returns broken webhooks of the locations, and stopped ones whose held deliveries
// were held for half the retention, at most AttentionMax of them. Stopped ones
// that hold nothing or nothing old are left out. Deliveries held because types
// are switched off come last, as one entry.
func (x *Webhooks) Attention(ctx context.Context, within LocationSet, at Snapshot) (_ []Attention, err error) {
	defer wrap(&err, "find webhooks that need attention")
	db := x.s.db.WithContext(ctx)
	var list []Attention
	if at.troubled { // mostly none is
		if list, err = x.troubled(db, within, at); err != nil {
			return nil, err
		}
	}
	if at.Settings.GenericEnabled {
		return list, nil
	}
	off, err := x.switchedOff(db, within, at)
	if off != nil {
		list = append(list, *off)
	}
	return list, err
}

func (x *Webhooks) troubled(db *gorm.DB, within LocationSet, at Snapshot) ([]Attention, error) {
	list, err := x.holding(db, within, at, AttentionMax, "state = ?", WebhookBroken)
	if err != nil || len(list) == AttentionMax {
		return list, err
	}
	stopped, err := x.holding(db, within, at, AttentionMax-len(list), `state = ? and state_at < ?
		and exists (select 1 from delivery_queue h where h.webhook_id = webhooks.id)`,
		WebhookStopped, at.Now.Add(-at.Settings.Retention/2))
	for _, a := range stopped {
		if a.Soon {
			list = append(list, a)
		}
	}
	return list, err
}

// firstMade is when the delivery of a webhook was made that is due first. One
// that is resent was asked for before its webhook stopped.
func firstMade(webhook string) string {
	return "(select d.created_at from deliveries d where d.id = " + firstQueued("delivery_id", webhook) + ")"
}

// holding returns webhooks, those in their state for longest first, with the
// number of their waiting deliveries and the time of expiry.
func (x *Webhooks) holding(db *gorm.DB, within LocationSet, at Snapshot, limit int, which string, args ...any) ([]Attention, error) {
	var rows []struct {
		Attention
		FirstAt *time.Time // when the first that waits was made
	}
	here, slugs := within.sql("location")
	which = "from webhooks where state <> 'active' and deleted_at is null and state_at is not null and " + here + " and " + which
	args = slices.Concat(slugs, args)
	err := db.Raw(`select w.*, `+firstMade("w.webhook_id")+` as first_at,
			(select count(*) from (select 1 from delivery_queue where webhook_id = w.id limit ?) held) as held
		from (select id as webhook_id, id, name, state, state_reason as reason, state_at, (select count(*) `+which+`) as alike
			`+which+` order by state_at, id limit ?) w
		order by w.state_at, w.id`, slices.Concat([]any{HeldMax + 1}, args, args, []any{limit})...).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	list := make([]Attention, len(rows))
	for i, row := range rows {
		a := row.Attention
		a.Held, a.More = min(a.Held, HeldMax), a.Held > HeldMax
		a.ExpiresAt = at.Now.Add(at.Settings.Retention)
		if row.FirstAt != nil {
			since := a.StateAt
			if row.FirstAt.After(since) {
				since = *row.FirstAt
			}
			a.ExpiresAt = since.Add(at.Settings.Retention)
			a.Soon = !at.Now.Before(since.Add(at.Settings.Retention / 2))
		}
		list[i] = a
	}
	return list, nil
}

// switchedOff are the deliveries that active webhooks hold because their types
// are switched off, once half of the retention is over; nil: there are none.
func (x *Webhooks) switchedOff(db *gorm.DB, within LocationSet, at Snapshot) (*Attention, error) {
	if at.SwitchedAt.After(at.Now.Add(-at.Settings.Retention / 2)) {
		return nil, nil //nolint:nilnil // nothing is that old
	}
	var types []string
	if err := db.Model(&Webhook{}).Distinct("type").Where("deleted_at is null").Pluck("type", &types).Error; err != nil {
		return nil, err
	}
	types = slices.DeleteFunc(types, func(name string) bool { return !x.s.needsFeature(name) })
	here, slugs := within.sql("w.location")
	holds := "w.state = ? and w.deleted_at is null and w.type in ? and " + here
	args := slices.Concat([]any{WebhookActive, types}, slugs)
	// The first of each lane is found by index; all that waits may be much.
	var first []time.Time
	err := db.Raw(`select * from (select `+firstMade("w.id")+` as first_at from webhooks w where `+holds+`) f
		where f.first_at is not null order by f.first_at limit 1`, args...).Scan(&first).Error
	if err != nil || len(first) == 0 {
		return nil, err
	}
	since := at.SwitchedAt
	if first[0].After(since) {
		since = first[0]
	}
	a := Attention{State: AttentionOff, StateAt: at.SwitchedAt, ExpiresAt: since.Add(at.Settings.Retention), Soon: !at.Now.Before(since.Add(at.Settings.Retention / 2))}
	if !a.Soon {
		return nil, nil //nolint:nilnil // nothing is that old
	}
	err = db.Raw(`select count(*) from (select 1 from webhooks w join delivery_queue q on q.webhook_id = w.id
		where `+holds+` limit ?) held`, append(args, HeldMax+1)...).Scan(&a.Held).Error
	a.Held, a.More = min(a.Held, HeldMax), a.Held > HeldMax
	return &a, err
}
