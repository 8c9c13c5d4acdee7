package jobs

import (
	"context"
	"log/slog"
	mathrand "math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// readingMost is how many bytes of answers an instance keeps that are still
// being read or not recorded yet; beyond it only the beginnings of more are
// kept.
const readingMost = 4 << 20

// deliverer is the state that all lanes of an instance share.
type deliverer struct {
	store    *models.Store
	sender   *send.Client
	log      *slog.Logger
	metrics  *metrics
	finished func(webhookType, state string, n int64)
	stopping <-chan struct{}
	instance string
	jitter   func() float64 // from 0 to 1
	// lookEvery is laneLook, or less in tests.
	lookEvery time.Duration
	// linger is laneLinger; in tests longer, or 0.
	linger     time.Duration
	unrecorded atomic.Int64 // bytes that receivers answered and that are not recorded yet
	reading    atomic.Int64 // bytes of long answers that no lane took over yet
	// readingMost is the constant of this name, or less with little memory.
	readingMost int64
}

// outbound is one delivery on its way.
type outbound struct {
	to       *send.Recipient
	options  map[string]string
	delivery models.Delivery
}

// attemptResult is a outbound's fate.
type attemptResult struct {
	delivery models.Delivery
	result   send.Result
	reading  int   // its share of deliverer.reading
	err      error // a fault in the program
}

// send makes one attempt. It always returns within the type's time-out.
func (d *deliverer) send(ctx context.Context, p outbound) (s attemptResult) {
	s.delivery = p.delivery
	defer contain(&s.err)
	request := p.to.Request(wire.Request{
		ID: p.delivery.PublicID, Body: wire.JoinBody(p.delivery.SharedBytes(), p.delivery.Body), At: time.Now(), Retries: p.delivery.Tries,
		EventTypes: splitTypes(p.delivery.EventTypes), Options: p.options,
		Via: wire.JoinVia(p.delivery.Via, d.store.PublicID()),
	})
	request.Keep = func(bytes int) bool {
		if d.reading.Add(int64(bytes))+d.unrecorded.Load() > d.readingMost {
			d.reading.Add(-int64(bytes))
			return false
		}
		s.reading += bytes
		return true
	}
	s.result = d.sender.Do(ctx, request)
	return s
}

// recordPatience is how long outcomes are held in memory while the database
// does not take them. After it they are given up, and their deliveries are sent
// once more, with the same id.
const recordPatience = 30 * time.Second

// recordSurely stores outcomes although the lane's context may be over. If the
// database refuses a receiver's response, only the response is left out: a
// failure to record must never cause endless resending.
func (d *deliverer) recordSurely(ctx context.Context, id int64, holder string, outcomes []models.Outcome, h models.LaneHealth) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordPatience)
	defer cancel()
	pause := 50 * time.Millisecond
	for {
		err := d.store.Lanes.Record(ctx, id, holder, outcomes, h)
		if err == nil {
			return nil
		}
		d.log.ErrorContext(ctx, "cannot record the outcome; retrying", slog.Int64("webhook", id), slog.Any("error", err))
		for i := range outcomes {
			if !models.Refused(err) {
				break
			}
			a := &outcomes[i].Attempt
			a.ResponseHeaders, a.ResponseBody, a.Truncated = []byte("[]"), []byte{}, true
			a.Error = "cannot store the response"
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
			pause = min(2*pause, 2*time.Second)
		}
	}
}

// observe counts an attempt and logs it in one wide line.
func (d *deliverer) observe(ctx context.Context, w models.Webhook, s attemptResult, o models.Outcome) {
	if d.finished != nil && o.State != s.delivery.State && (o.State == models.DeliveryDelivered || o.State == models.DeliveryFailed) {
		d.finished(w.Type, o.State, 1)
	}
	d.metrics.attempts.WithLabelValues(w.Type, o.State).Inc()
	d.metrics.duration.WithLabelValues(w.Type).Observe(s.result.Duration.Seconds())
	d.log.LogAttrs(ctx, slog.LevelInfo, "attempt", slog.String("delivery", s.delivery.PublicID), slog.Int64("webhook", w.ID),
		slog.String("type", w.Type), slog.String("location", w.Location), slog.String("target", w.URLShown),
		slog.Int("number", o.Attempt.Number), slog.Bool("manual", o.Attempt.Manual), slog.Int("items", s.delivery.Items),
		slog.Int("bytes", len(s.delivery.SharedBytes())+len(s.delivery.Body)), slog.Int("code", s.result.Code), slog.String("error", s.result.ErrorClass),
		slog.Int64("ms", s.result.Duration.Milliseconds()), slog.Bool("reconnected", s.result.Reconnected), slog.String("outcome", o.State),
		slog.Duration("age", o.Attempt.StartedAt.Sub(s.delivery.CreatedAt)), slog.Any("next", o.DueAt))
}

// jitter spreads retries.
func jitter() float64 { return mathrand.Float64() } //nolint:gosec // keeps no secret

// splitTypes reads the format of eventTypes.
func splitTypes(list string) []string { return strings.Split(strings.Trim(list, ","), ",") }
