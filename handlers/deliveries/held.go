package deliveries

import (
	"strings"
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
	return models.HeldWhy(w, !enabled && web.NeedsFeature(w.Type), sinceWords(w, now))
}

// CannotSend is HeldWhy as the end of a sentence that begins with "because".
func CannotSend(w models.Webhook, enabled bool, now time.Time) string {
	switch {
	case w.DeletedAt != nil:
		return HeldWhy(w, enabled, now)
	case w.State == models.WebhookStopped && w.StateBy != "":
		return "the webhook has been paused" + sinceWords(w, now) + " by " + w.StateBy
	case w.State == models.WebhookStopped:
		return "the webhook has been paused" + sinceWords(w, now)
	case w.State == models.WebhookBroken && w.StateReason != "":
		return "the webhook has been broken" + sinceWords(w, now) + " (" + strings.TrimSuffix(w.StateReason, ".") + ")"
	default:
		return HeldWhy(w, enabled, now)
	}
}

// WillBeHeld says why a new delivery to a webhook would be held, in a sentence, and
// until when it would be, as the end of one; empty: it goes out.
func WillBeHeld(w models.Webhook, enabled bool, now time.Time) (why, until string) {
	if w.DeletedAt != nil {
		return "", ""
	}
	if why = CannotSend(w, enabled, now); why == "" {
		return "", ""
	}
	off := !enabled && web.NeedsFeature(w.Type)
	switch {
	case off && w.State == models.WebhookActive:
		until = models.EnableGenericWebhooks + " is on"
	case off:
		until = "it is resumed and " + models.EnableGenericWebhooks + " is on"
	default:
		until = "it is resumed"
	}
	return strings.TrimSuffix(web.Capitalized(why), ".") + ".", until
}

// sinceWords says since when a webhook has its state; empty: since it was
// created.
func sinceWords(w models.Webhook, now time.Time) string {
	if w.StateAt == nil {
		return ""
	}
	return " since " + Clock(*w.StateAt, now)
}
