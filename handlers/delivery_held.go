package handlers

import (
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// deliveryWaits tells whether a delivery still has something to do of itself.
func deliveryWaits(d models.Delivery) bool {
	return d.State == models.DeliveryPending || d.State == models.DeliveryRetrying
}

// deliveryHeldWhy says why a webhook cannot send now, with since when; empty:
// it can. Enabled is Webhooks.EnableGenericWebhooks.
func deliveryHeldWhy(w models.Webhook, enabled bool, now time.Time) string {
	if w.DeletedAt != nil {
		return "the webhook was deleted"
	}
	since := ""
	if w.StateAt != nil {
		since = " since " + deliveryClock(*w.StateAt, now)
	}
	return models.HeldWhy(w, !enabled && needsFeature(w.Type), since)
}
