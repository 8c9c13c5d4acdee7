package models

import (
	"context"

	"gorm.io/gorm"
)

// WebhookRow is a webhook with how it fares.
type WebhookRow struct {
	Webhook
	LocationName string
	SortKey      string `gorm:"->;column:sort_key"` // what the list is sorted by
	Lane         Lane   `gorm:"-"`
	Held         int64  `gorm:"-"` // deliveries that wait; held when it cannot send
	Locked       bool   `gorm:"-"` // no key of this instance opens its secrets
}

// WebhookPage is one page of the list.
type WebhookPage struct {
	Rows    []WebhookRow
	All     int64 // webhooks there are
	Matched int64 // that the query matches
	// Next and Prev go into After and Before of the query for the pages beside
	// this one; empty: there is none.
	Next, Prev string
}

// List returns one page of webhooks.
func (x *Webhooks) List(ctx context.Context, q WebhookQuery) (WebhookPage, error) {
	db := x.s.db.WithContext(ctx)
	var page WebhookPage
	if err := db.Model(&Webhook{}).Where("deleted_at is null").Count(&page.All).Error; err != nil {
		return page, err
	}
	page.Matched = page.All
	if q.narrows() {
		if err := q.where(db).Count(&page.Matched).Error; err != nil {
			return page, err
		}
	}
	if q.Sort == "health" {
		settings, err := x.s.Settings.get(db)
		if err != nil {
			return page, err
		}
		if q.off, err = x.s.offTypes(db, settings); err != nil {
			return page, err
		}
	}
	from, back, given := q.from()
	list := q.sorted(q.where(db), back).Limit(q.Limit + 1)
	if given {
		list = q.beyond(list, from, back)
	}
	if err := list.Find(&page.Rows).Error; err != nil {
		return page, err
	}
	more := len(page.Rows) > q.Limit
	if more {
		page.Rows = page.Rows[:q.Limit]
	}
	q.turn(&page, back, more, given)
	return page, x.fare(db, page.Rows)
}

// fare fills in lanes and counts of what waits.
func (x *Webhooks) fare(db *gorm.DB, rows []WebhookRow) error {
	if len(rows) == 0 {
		return nil
	}
	ids := make([]int64, len(rows))
	at := make(map[int64]*WebhookRow, len(rows))
	for i := range rows {
		ids[i], at[rows[i].ID] = rows[i].ID, &rows[i]
		rows[i].Locked = x.s.locked(rows[i].Webhook)
	}
	var lanes []Lane
	if err := db.Find(&lanes, "webhook_id in ?", ids).Error; err != nil {
		return err
	}
	for _, lane := range lanes {
		at[lane.WebhookID].Lane = lane
	}
	var counts []struct {
		WebhookID int64
		N         int64
	}
	err := db.Model(&Delivery{}).Select("webhook_id, count(*) as n").
		Where("webhook_id in ? and due_at is not null and state in ?", ids, []string{DeliveryPending, DeliveryRetrying}).
		Group("webhook_id").Find(&counts).Error
	for _, c := range counts {
		at[c.WebhookID].Held = c.N
	}
	return err
}

// Owner is somebody who has webhooks.
type Owner struct {
	OwnerID   int64 // 0: nobody
	OwnerName string
}

// Owners lists who has webhooks, by name. It goes from one owner to the next in
// the index rather than over all webhooks.
func (x *Webhooks) Owners(ctx context.Context) ([]Owner, error) {
	var list []Owner
	return list, x.s.db.WithContext(ctx).Raw(`with recursive owners(owner_id) as (
			select (select owner_id from webhooks where owner_id >= 0 and deleted_at is null order by owner_id limit 1)
			union all select (select owner_id from webhooks where owner_id > owners.owner_id and deleted_at is null order by owner_id limit 1)
			from owners where owner_id is not null),
		named as (select owner_id, (select owner_name from webhooks where owner_id = owners.owner_id and deleted_at is null
			order by owner_name desc limit 1) as owner_name from owners where owner_id is not null)
		select owner_id, owner_name from named order by lower(owner_name), owner_id`).Scan(&list).Error
}

// OfTypes counts the webhooks of some types, and the deliveries that wait for them.
func (x *Webhooks) OfTypes(ctx context.Context, types []string) (webhooks, held int64, err error) {
	db := x.s.db.WithContext(ctx)
	of := db.Model(&Webhook{}).Where("type in ? and deleted_at is null", types)
	if err = of.Session(&gorm.Session{}).Count(&webhooks).Error; err != nil || webhooks == 0 {
		return webhooks, 0, err
	}
	return webhooks, held, db.Model(&Delivery{}).
		Where("due_at is not null and state in ?", []string{DeliveryPending, DeliveryRetrying}).
		Where("webhook_id in (?)", of.Session(&gorm.Session{}).Select("id")).Count(&held).Error
}
