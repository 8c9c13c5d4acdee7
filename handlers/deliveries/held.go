package deliveries

import (
	"time"

	"github.com/sitehooks/sitehooks/handlers/web"

	"github.com/sitehooks/sitehooks/models"
)

// Pending tells whether a delivery still has something to do of itself.
func Pending(d models.Delivery) bool {
	return d.State == models.DeliveryPending || d.State == models.DeliveryRetrying
}

// HeldWhy says why a webhook cannot send now, with since when; empty:
// it can. Enabled is Webhooks.EnableGenericWebhooks.
func HeldWhy(w models.Webhook, enabled bool, now time.Time) string {
	if w.DeletedAt != nil {
		return "the webhook was deleted"
	}
	since := ""
	if w.StateAt != nil {
		since = " since " + Clock(*w.StateAt, now)
	}
	return models.HeldWhy(w, !enabled && web.NeedsFeature(w.Type), since)
}
