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
	since := ""
	if w.StateAt != nil {
		since = " since " + deliveryClock(*w.StateAt, now)
	}
	switch {
	case w.DeletedAt != nil:
		return "the webhook was deleted"
	case w.State == models.WebhookStopped && w.StateBy != "":
		return "paused by " + w.StateBy + since
	case w.State == models.WebhookStopped:
		return "paused" + since
	case w.State == models.WebhookBroken && w.StateReason != "":
		return "the webhook is broken" + since + ": " + w.StateReason
	case w.State == models.WebhookBroken:
		return "the webhook is broken" + since
	case !enabled && needsFeature(w.Type):
		return models.EnableGenericWebhooks + " is off"
	default:
		return ""
	}
}
