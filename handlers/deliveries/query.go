package deliveries

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// deliveriesShown is how many deliveries a page lists.
const deliveriesShown = 50

// deliveryFilter is the filter bar as it is filled in: values as in the URL,
// empty for any.
type deliveryFilter struct {
	Webhook, State, Code, Error, Type string
	web.TimeFilter
}

var deliveryStates = []string{
	models.DeliveryDelivered, models.DeliveryRetrying, models.DeliveryFailed, "held", models.DeliveryPending, models.DeliveryDropped, "waiting",
}

// parseDeliveryQuery reads the filter from a URL. A value that means nothing
// does not filter; faults say so, each in a sentence.
func parseDeliveryQuery(v url.Values, now time.Time) (q models.DeliveryQuery, f deliveryFilter, faults []string) {
	q.Limit = deliveriesShown
	read := func(name, what string, valid func(value string) bool) string {
		value := strings.TrimSpace(v.Get(name))
		if value == "" || valid(value) {
			return value
		}
		faults = append(faults, web.LeftOut(value, what))
		return ""
	}
	f.Webhook = read("webhook", "webhook", func(value string) bool { return web.ReadNumber(value, &q.WebhookID) })
	f.State = read("state", "state of a delivery", func(value string) bool { return slices.Contains(deliveryStates, value) })
	q.State = f.State
	f.Code = read("code", "class of status", func(value string) bool {
		class, ok := strings.CutSuffix(value, "xx")
		n, digit := web.Positive(class)
		if ok = ok && digit && n >= 2 && n <= 5; ok {
			q.CodeClass = int(n)
		}
		return ok
	})
	f.Error = read("error", "class of error", func(value string) bool { return slices.Contains(deliveryErrorClasses, value) })
	f.Type = read("type", "event type", eventTypeLike)
	q.ErrorClass, q.EventType = f.Error, f.Type
	read("before", "place in the list", func(value string) bool { return web.ReadNumber(value, &q.Before) })
	times, from, to, odd := web.ParseTimes(v, now)
	f.TimeFilter, q.From, q.To = times, from, to
	return q, f, append(faults, odd...)
}

// Filtered tells whether anything was chosen.
func (f deliveryFilter) Filtered() bool { return f != deliveryFilter{} }

// eventTypeLike reports whether a value has only the characters of event types.
func eventTypeLike(value string) bool {
	return len(value) <= 128 && !strings.ContainsFunc(value, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '.'
	})
}
