package models

import "context"

// Failed counts a webhook's failed deliveries of the locations up to HeldMax;
// more: there are others.
func (x *Deliveries) Failed(ctx context.Context, within LocationSet, webhookID int64) (n int64, more bool, err error) {
	defer wrap(&err, "count failed deliveries of webhook %d", webhookID)
	failed := x.s.db.WithContext(ctx).Model(&deliveryEnd{}).Select("delivery_id").Where("webhook_id = ? and state = 'failed'", webhookID).Limit(HeldMax + 1)
	if !within.All() { // it may have come from another location
		failed = within.where(failed, "(select d.location from deliveries d where d.id = delivery_id)")
	}
	err = x.s.db.WithContext(ctx).Table("(?) as failed", failed).Count(&n).Error
	return min(n, HeldMax), n > HeldMax, err
}
