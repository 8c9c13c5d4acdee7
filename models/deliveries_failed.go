package models

import "context"

// Failed counts a webhook's failed deliveries up to HeldMax; more: there are others.
func (x *Deliveries) Failed(ctx context.Context, webhookID int64) (n int64, more bool, err error) {
	defer wrap(&err, "count failed deliveries of webhook %d", webhookID)
	failed := x.s.db.WithContext(ctx).Model(&deliveryEnd{}).Select("delivery_id").Where("webhook_id = ? and state = 'failed'", webhookID).Limit(HeldMax + 1)
	err = x.s.db.WithContext(ctx).Table("(?) as failed", failed).Count(&n).Error
	return min(n, HeldMax), n > HeldMax, err
}
