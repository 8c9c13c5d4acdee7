package deliveries

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// Badge is a delivery's state in words: with the code when there was a
// response, otherwise with the error.
func Badge(d models.Delivery, held bool) web.Badge {
	switch {
	case held:
		return web.Badge{Class: "st-held", Text: "Held"}
	case d.State == models.DeliveryPending:
		return web.Badge{Class: "st-info", Text: "Pending"}
	case d.State == models.DeliveryRetrying:
		return web.Badge{Class: "st-wait", Text: "Retrying" + deliveryOutcome(d)}
	case d.State == models.DeliveryDelivered:
		return web.Badge{Class: "st-ok", Text: "Delivered" + deliveryOutcome(d)}
	case d.State == models.DeliveryFailed:
		return web.Badge{Class: "st-bad", Text: "Failed" + deliveryOutcome(d)}
	case d.State == models.DeliveryDropped:
		return web.Badge{Class: "st-none", Text: "Dropped"}
	default:
		return web.Badge{Class: "st-none", Text: d.State}
	}
}

func deliveryOutcome(d models.Delivery) string {
	switch {
	case d.LastCode != 0:
		return " " + strconv.Itoa(d.LastCode)
	case d.LastError != "":
		return ": " + FaultOf(d.LastError).Word
	default:
		return ""
	}
}

// Note is the line below the badge: the next step and its time, or when and why
// it ended.
func Note(d models.Delivery, heldWhy string, now time.Time) string {
	switch {
	case heldWhy != "":
		return heldWhy
	case Pending(d) && d.DueAt != nil && !d.DueAt.After(now):
		return "due now"
	case d.State == models.DeliveryPending && d.DueAt != nil:
		return "due " + At(*d.DueAt, now)
	case d.State == models.DeliveryRetrying && d.DueAt != nil:
		return "next attempt " + At(*d.DueAt, now)
	case d.FinishedAt == nil:
		return ""
	case d.Reason == "":
		return At(*d.FinishedAt, now)
	default:
		return fmt.Sprintf("%s: %s", At(*d.FinishedAt, now), wording.Cut(d.Reason, 160))
	}
}

// Clock is a time to the second, with the day when it is not today.
func Clock(t, now time.Time) string {
	if sameDay(t, now) {
		return t.UTC().Format("15:04:05")
	}
	return web.Moment(t, now)
}

// At is Clock after its preposition: at 03:38:52, on Nov 29 at 03:38:52.
func At(t, now time.Time) string {
	if sameDay(t, now) {
		return "at " + Clock(t, now)
	}
	return "on " + Clock(t, now)
}

func sameDay(t, now time.Time) bool {
	return t.UTC().Format(time.DateOnly) == now.UTC().Format(time.DateOnly)
}

// deliveryTypes lists the types of the events inside, stored as ",a.b,c.d,".
// The six types of a question's life read as words.
func deliveryTypes(stored string) []string {
	var types []string
	for kind := range strings.SplitSeq(strings.Trim(stored, ","), ",") {
		if kind != "" {
			types = append(types, wire.EventWords(kind))
		}
	}
	return types
}
