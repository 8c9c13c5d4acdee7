package handlers

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// deliveryBadge is a delivery's state in words: with the code when there was
// an answer, otherwise with what went wrong.
func deliveryBadge(d models.Delivery, held bool) Badge {
	switch {
	case held:
		return Badge{"st-held", "Held"}
	case d.State == models.DeliveryPending:
		return Badge{"st-info", "Pending"}
	case d.State == models.DeliveryRetrying:
		return Badge{"st-wait", "Retrying" + deliveryOutcome(d)}
	case d.State == models.DeliveryDelivered:
		return Badge{"st-ok", "Delivered" + deliveryOutcome(d)}
	case d.State == models.DeliveryFailed:
		return Badge{"st-bad", "Failed" + deliveryOutcome(d)}
	case d.State == models.DeliveryDropped:
		return Badge{"st-none", "Dropped"}
	default:
		return Badge{"st-none", d.State}
	}
}

func deliveryOutcome(d models.Delivery) string {
	switch {
	case d.LastCode != 0:
		return " " + strconv.Itoa(d.LastCode)
	case d.LastError != "":
		return ": " + deliveryFaultOf(d.LastError).Word
	default:
		return ""
	}
}

// deliveryNote is the line below the badge: what happens next and when, or
// when and why it ended.
func deliveryNote(d models.Delivery, heldWhy string, now time.Time) string {
	switch {
	case heldWhy != "":
		return heldWhy
	case deliveryWaits(d) && d.DueAt != nil && !d.DueAt.After(now):
		return "due now"
	case d.State == models.DeliveryPending && d.DueAt != nil:
		return "due " + deliveryClock(*d.DueAt, now)
	case d.State == models.DeliveryRetrying && d.DueAt != nil:
		return "next " + deliveryClock(*d.DueAt, now)
	case d.FinishedAt == nil:
		return ""
	case d.Reason == "":
		return "at " + deliveryClock(*d.FinishedAt, now)
	default:
		return fmt.Sprintf("at %s: %s", deliveryClock(*d.FinishedAt, now), cut(d.Reason, 160))
	}
}

// deliveryClock is a time to the second, with the day when it is not today.
func deliveryClock(t, now time.Time) string {
	if t, now = t.UTC(), now.UTC(); t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04:05")
	}
	return moment(t, now)
}

// deliveryTypes lists the types of the events inside, stored as ",a.b,c.d,".
// The six types of a question's life read as words.
func deliveryTypes(stored string) []string {
	var types []string
	for kind := range strings.SplitSeq(strings.Trim(stored, ","), ",") {
		if kind != "" {
			types = append(types, eventWords(kind))
		}
	}
	return types
}
