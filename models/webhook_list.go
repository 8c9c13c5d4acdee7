package models

import (
	"context"

	"gorm.io/gorm"
)

// WebhookRow is a webhook with its health.
type WebhookRow struct {
	Webhook
	LocationName string
	SortKey      string `gorm:"->;column:sort_key"` // the value that the list is sorted by
	Lane         Lane   `gorm:"-"`                  // as far as it tells the health of the webhook
	Held         int64  `gorm:"-"`                  // deliveries that wait; held when it cannot send
	Locked       bool   `gorm:"-"`                  // no key of this instance opens its secrets
}

// WebhookPage is one page of the list.
type WebhookPage struct {
	Rows    []WebhookRow
	All     int64   // webhooks of the query's locations
	Matched int64   // that the query matches
	Owners  []Owner // of the webhooks of its locations, by name; must not be changed
	// Next and Prev go into After and Before of the query for the pages beside
	// this one; empty: there is none.
	Next, Prev string
}

// List returns one page of webhooks.
func (x *Webhooks) List(ctx context.Context, q WebhookQuery) (_ WebhookPage, err error) {
	defer wrap(&err, "list webhooks")
	db := x.s.db.WithContext(ctx)
	var page WebhookPage
	if q.At.version == 0 {
		if q.At, err = x.s.snapshot(db); err != nil {
			return page, err
		}
	}
	c, err := x.census(db, q.Within, q.At.version)
	if err != nil {
		return page, err
	}
	page.All, page.Matched, page.Owners = c.all, c.all, c.owners
	if q.Sort == "health" || q.State == WebhookFailing {
		if q.off, err = x.s.offTypes(db, q.At.Settings); err != nil {
			return page, err
		}
	}
	if q.narrows() {
		if err := q.where(db).Count(&page.Matched).Error; err != nil {
			return page, err
		}
	}
	from, back, given := q.from()
	list := q.sorted(q.where(db), back).Limit(q.Limit + 1)
	if given {
		list = q.beyond(list, from, back)
	}
	page.Rows = make([]WebhookRow, 0, q.Limit+1)
	if err := list.Find(&page.Rows).Error; err != nil {
		return page, err
	}
	more := len(page.Rows) > q.Limit
	if more {
		page.Rows = page.Rows[:q.Limit]
	}
	q.arrange(&page, back, more, given)
	return page, x.fillHealth(db, page.Rows)
}

// fillHealth fills in the health of the webhooks from their lanes, and the numbers of
// waiting deliveries.
func (x *Webhooks) fillHealth(db *gorm.DB, rows []WebhookRow) error {
	if len(rows) == 0 {
		return nil
	}
	ids := make([]int64, len(rows))
	at := make(map[int64]*WebhookRow, len(rows))
	for i := range rows {
		ids[i], at[rows[i].ID] = rows[i].ID, &rows[i]
		rows[i].Locked = x.s.locked(rows[i].Webhook)
	}
	type health struct {
		Lane
		Held int64
	}
	lanes := make([]health, 0, len(rows))
	err := db.Model(&Lane{}).Select(`webhook_id, next_due_at, paced, released, failures_in_row, failing_since, last_success_at, last_at, last_code, last_error,
		(select count(*) from delivery_queue q where q.webhook_id = lanes.webhook_id) as held`).Where("webhook_id in ?", ids).Scan(&lanes).Error
	if err != nil {
		return err // a row of which only a part was read is among them
	}
	for _, l := range lanes {
		row := at[l.WebhookID]
		row.Lane, row.Held = l.Lane, l.Held
	}
	return nil
}

// OfTypes counts the webhooks of some types, and the deliveries that wait for those
// of them that are active.
func (x *Webhooks) OfTypes(ctx context.Context, within LocationSet, types []string) (webhooks, held int64, err error) {
	defer wrap(&err, "count webhooks of types")
	db := x.s.db.WithContext(ctx)
	of := within.where(db, "location").Model(&Webhook{}).Where("type in ? and deleted_at is null", types)
	if err = of.Session(&gorm.Session{}).Count(&webhooks).Error; err != nil || webhooks == 0 {
		return webhooks, 0, err
	}
	return webhooks, held, db.Model(&queuedDelivery{}).
		Where("webhook_id in (?)", of.Session(&gorm.Session{}).Where("state = ?", WebhookActive).Select("id")).Count(&held).Error
}
