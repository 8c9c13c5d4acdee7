package models

import "context"

// Row returns a webhook as the list shows it, with its health, deleted or not.
func (x *Webhooks) Row(ctx context.Context, w Webhook) (_ WebhookRow, err error) {
	defer wrap(&err, "get webhook %d", w.ID)
	db := x.s.db.WithContext(ctx)
	rows := []WebhookRow{{Webhook: w}}
	if err := db.Model(&Location{}).Where("slug = ?", w.Location).Pluck("name", &rows[0].LocationName).Error; err != nil {
		return rows[0], err
	}
	err = x.fillHealth(db, rows)
	return rows[0], err
}
