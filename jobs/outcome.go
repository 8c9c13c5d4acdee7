package jobs

import (
	"encoding/json"
	"time"

	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// outcome decides the consequences of an attempt for its delivery and its
// webhook. Pure: now is the deciding clock, rand a number from 0 to 1 for the
// jitter.
func outcome(f *wire.Format, d models.Delivery, r send.Result, h wire.Health, now time.Time, rand float64) (models.Outcome, wire.Verdict) {
	v := f.Policy.Judge(wire.Attempt{
		Number: d.Round + 1, Manual: d.Resend, At: now, Health: h, Rand: rand,
		Response: wire.Response{Code: r.Code, Header: r.Header, Body: r.Body, ErrorClass: r.ErrorClass},
	})
	o := models.Outcome{Attempt: attempt(d, r), Round: d.Round + 1, Reason: v.Reason}
	switch {
	case v.Delivered:
		o.State, o.Attempt.Arrived = models.DeliveryDelivered, true
	case d.Resend:
		o.State, o.Round, o.DueAt = d.State, d.Round, d.ScheduledAt
	case v.Failed:
		o.State = models.DeliveryFailed
	default:
		due := now.Add(v.RetryAfter)
		o.State, o.DueAt = models.DeliveryRetrying, &due
	}
	return o, v
}

func attempt(d models.Delivery, r send.Result) models.Attempt {
	return models.Attempt{
		DeliveryID: d.ID, WebhookID: d.WebhookID, Number: d.Tries + 1, Manual: d.Resend,
		StartedAt: r.StartedAt.UTC().Truncate(time.Microsecond), DurationUS: r.Duration.Microseconds(),
		Code: r.Code, ErrorClass: r.ErrorClass, Error: r.Error,
		RequestHeaders: headerPairs(r.RequestHeaders), ResponseHeaders: headerPairs(r.ResponseHeaders),
		ResponseBody: nonNil(r.Body), Truncated: r.Truncated, Reconnected: r.Reconnected,
	}
}

// size is about how much memory an attempt holds.
func size(a models.Attempt) int {
	return len(a.RequestHeaders) + len(a.ResponseHeaders) + len(a.ResponseBody)
}

// headerPairs writes headers as [["name","value"],…], which keeps their order.
func headerPairs(headers []wire.Header) []byte {
	pairs := make([][2]string, len(headers))
	for i, h := range headers {
		pairs[i] = [2]string{h.Name, h.Value}
	}
	text, err := json.Marshal(pairs)
	if err != nil { // strings always marshal
		return []byte("[]")
	}
	return text
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
