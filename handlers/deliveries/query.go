package deliveries

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// deliveriesShown is how many deliveries a page lists.
const deliveriesShown = 50

// deliveryFilter is the filter bar as it is filled in: values as in the URL,
// empty for any.
type deliveryFilter struct {
	Webhook  string `form:"webhook" binding:"omitempty,number"`
	Location string `form:"location"` // slug
	ID       string `form:"id"`       // what receivers log as webhook-id, svix-id or EventId
	State    string `form:"state" binding:"omitempty,delivery_state"`
	Code     string `form:"code" binding:"omitempty,oneof=2xx 3xx 4xx 5xx"`
	Error    string `form:"error" binding:"omitempty,error_class"`
	Type     string `form:"type" binding:"omitempty,event_spelling"`
	Before   string `form:"before" binding:"omitempty,number"` // where the page begins
	web.TimeFilter
}

func init() {
	rules.Add(map[string]func(value string) bool{
		"delivery_state": func(value string) bool { return slices.Contains(deliveryStates, value) },
		"error_class":    func(value string) bool { return slices.Contains(deliveryErrorClasses, value) },
		"event_type":     eventTypeLike,
		"event_spelling": func(value string) bool { return wire.TypesNamed(value) != nil || eventTypeLike(strings.ToLower(value)) },
	})
}

var deliveryStates = []string{
	models.DeliveryDelivered, models.DeliveryRetrying, models.DeliveryFailed, "held", models.DeliveryPending, models.DeliveryDropped, "waiting", models.StateTried,
}

// parseDeliveryQuery reads the filter from a URL. A value that means nothing
// does not filter; faults say so, each in a sentence.
func parseDeliveryQuery(v url.Values, now time.Time) (q models.DeliveryQuery, f deliveryFilter, faults []string) {
	faults = rules.BindFilters(v, &f)
	f.Location, f.ID = wording.Cut(web.Storable(f.Location), 64), wording.Cut(web.Storable(f.ID), 128)
	q = models.DeliveryQuery{
		Location: f.Location, PublicID: f.ID, State: f.State, ErrorClass: f.Error, Limit: deliveriesShown,
	}
	q.EventTypes, _ = web.EventTypesTyped(f.Type)
	q.WebhookID, _ = web.Positive(f.Webhook)
	q.Before, _ = web.Positive(f.Before)
	q.From, q.To = f.Range(now)
	if f.Code != "" {
		q.CodeClass = int(f.Code[0] - '0')
	}
	return q, f, faults
}

// Filtered tells whether anything was chosen.
func (f deliveryFilter) Filtered() bool {
	f.Before = ""
	return f != deliveryFilter{}
}

// eventTypeLike reports whether a value has only the characters of event types.
func eventTypeLike(value string) bool {
	return len(value) <= 128 && !strings.ContainsFunc(value, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '.'
	})
}
