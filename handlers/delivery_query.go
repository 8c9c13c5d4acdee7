package handlers

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// deliveriesShown is how many deliveries a page lists.
const deliveriesShown = 50

// deliveryFilter is the filter bar as it is filled in: values as in the URL,
// empty for any.
type deliveryFilter struct {
	Webhook, State, Code, Error, Type string
	timeFilter
}

// timeFilter is the part of a filter bar that chooses a span of time.
type timeFilter struct {
	Span     string // 1h, 24h, 7d; empty: any, or From and To
	From, To string // as a field for date and time has them, UTC
}

var timeSpans = map[string]time.Duration{"1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour}

var deliveryStates = []string{
	models.DeliveryDelivered, models.DeliveryRetrying, models.DeliveryFailed, "held", models.DeliveryPending, models.DeliveryDropped, "waiting",
}

// parseDeliveryQuery reads the filter from a URL. A value that means nothing
// does not filter; faults say so, each in a sentence.
func parseDeliveryQuery(v url.Values, now time.Time) (q models.DeliveryQuery, f deliveryFilter, faults []string) {
	q.Limit = deliveriesShown
	read := func(name, what string, take func(value string) bool) string {
		value := strings.TrimSpace(v.Get(name))
		if value == "" || take(value) {
			return value
		}
		faults = append(faults, leftOut(value, what))
		return ""
	}
	f.Webhook = read("webhook", "webhook", func(value string) bool { return readNumber(value, &q.WebhookID) })
	f.State = read("state", "state of a delivery", func(value string) bool { return slices.Contains(deliveryStates, value) })
	q.State = f.State
	f.Code = read("code", "class of status", func(value string) bool {
		class, ok := strings.CutSuffix(value, "xx")
		n, digit := positive(class)
		if ok = ok && digit && n >= 2 && n <= 5; ok {
			q.CodeClass = int(n)
		}
		return ok
	})
	f.Error = read("error", "class of error", func(value string) bool { return slices.Contains(deliveryErrorClasses, value) })
	f.Type = read("type", "event type", eventTypeLike)
	q.ErrorClass, q.EventType = f.Error, f.Type
	read("before", "place in the list", func(value string) bool { return readNumber(value, &q.Before) })
	times, from, to, odd := parseTimes(v, now)
	f.timeFilter, q.From, q.To = times, from, to
	return q, f, append(faults, odd...)
}

// parseTimes reads the span of time that a filter chooses. From and to count
// for more than a span that goes back from now.
func parseTimes(v url.Values, now time.Time) (f timeFilter, from, to time.Time, faults []string) {
	if value := strings.TrimSpace(v.Get("time")); value != "" {
		if span, ok := timeSpans[value]; ok {
			f.Span, from = value, now.Add(-span)
		} else {
			faults = append(faults, leftOut(value, "span of time"))
		}
	}
	read := func(name string, into *time.Time) string {
		value := strings.TrimSpace(v.Get(name))
		if value == "" {
			return ""
		}
		if readTime(value, into) {
			return strings.TrimSuffix(into.Format("2006-01-02T15:04:05"), ":00")
		}
		faults = append(faults, leftOut(value, "date and time"))
		return ""
	}
	f.To = read("to", &to)
	if f.From = read("from", &from); f.From != "" || f.To != "" {
		if f.From == "" {
			from = time.Time{}
		}
		f.Span = ""
	}
	return f, from, to, faults
}

// Filtered tells whether anything was chosen.
func (f deliveryFilter) Filtered() bool { return f != deliveryFilter{} }

func readNumber(value string, into *int64) bool {
	n, ok := positive(value)
	if ok {
		*into = n
	}
	return ok
}

func positive(value string) (int64, bool) {
	n, err := strconv.ParseInt(value, 10, 64)
	return n, err == nil && n > 0
}

// readTime takes what a field for date and time sends, or a day alone, as UTC.
func readTime(value string, into *time.Time) bool {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, value); err == nil {
			*into = t.UTC()
			return true
		}
	}
	return false
}

// eventTypeLike keeps odd characters out of what is looked for among types.
func eventTypeLike(value string) bool {
	return len(value) <= 128 && !strings.ContainsFunc(value, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '.'
	})
}

// olderURL is the page's own address with a place to go on from.
func olderURL(path string, v url.Values, before int64) string {
	next := url.Values{}
	for name := range v {
		if value := v.Get(name); value != "" && name != "before" {
			next.Set(name, value)
		}
	}
	if before > 0 {
		next.Set("before", strconv.FormatInt(before, 10))
	}
	if len(next) == 0 {
		return path
	}
	return path + "?" + next.Encode()
}
