package jobs

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

// With no room left for answers a lane goes on, a few deliveries at a time, and
// gives back the bytes that it took.
func TestLongAnswersDoNotFillTheMemory(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		b.record(many(40)...)
		b.later()
		b.receiver.Config.Handler = answersLong(b.receiver)
		d := b.worker.deliverer
		d.kept.Store(keptMost + 1) // by other lanes
		b.deliver(w)
		if n := d.kept.Load(); n != keptMost+1 {
			b.t.Errorf("%d bytes are counted that nobody keeps", n-keptMost-1)
		}
		for _, row := range b.deliveries(w) {
			if row.State != models.DeliveryDelivered {
				b.t.Errorf("%+v", row.Delivery)
			}
		}
	})
}

// Nothing more is sent while too many bytes of answers wait to be recorded.
func TestNothingIsSentWhileTooMuchIsKept(t *testing.T) {
	onBoth(t, func(b *bench) {
		const all = 40
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		b.record(many(all)...)
		b.later()
		b.receiver.Config.Handler = answersLong(b.receiver)
		d := b.worker.deliverer
		d.kept.Store(keptMost + 1) // by other lanes
		l := newLane(d, w.ID, "test", models.QueueFast)
		_, claimed, err := b.store.Lanes.Claim(b.t.Context(), w.ID, "test", laneLease)
		ok(b.t, err)
		ok(b.t, l.look(b.t.Context()))
		for l.startSome(b.t.Context()); len(l.inFlight) > 0; l.startSome(b.t.Context()) {
			for len(l.inFlight) > 0 {
				l.finished(b.t.Context(), <-l.results)
			}
		}
		if sent := all - len(l.queue); !claimed || sent > laneInFlight || sent == 0 {
			b.t.Errorf("%d were sent", sent)
		}
		l.end()
		l.drain(b.t.Context(), laneDrain)
		if kept, reading := d.kept.Load(), d.reading.Load(); kept != keptMost+1 || reading != 0 {
			b.t.Errorf("%d bytes are counted that nobody keeps, %d that nobody reads", kept-keptMost-1, reading)
		}
	})
}

func answersLong(r *receiver) http.HandlerFunc {
	return func(rw http.ResponseWriter, req *http.Request) {
		r.ServeHTTP(rw, req)
		_, _ = rw.Write([]byte(strings.Repeat("x", 100<<10)))
	}
}

// With no room for answers that are being read, their beginnings are kept.
func TestAnswersThatAreReadDoNotFillTheMemory(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		b.receiver.Config.Handler = answersLong(b.receiver)
		d := b.worker.deliverer
		d.reading.Store(readingMost) // by other lanes
		b.deliver(w)
		row := b.only(w)
		attempts, err := b.store.Deliveries.Attempts(b.t.Context(), row.ID)
		ok(b.t, err)
		if a := attempts[0]; !a.Truncated || len(a.ResponseBody) == 0 || len(a.ResponseBody) > 8<<10 || row.State != models.DeliveryDelivered {
			b.t.Errorf("%s with %d bytes of an answer", row.State, len(a.ResponseBody))
		}
		if n := d.reading.Load(); n != readingMost {
			b.t.Errorf("%d bytes are counted that nobody reads", n-readingMost)
		}
	})
}

// An interrupted turn does not wait for ever for its open requests, and their
// later results are not counted as kept.
func TestATurnThatBreaksOffEnds(t *testing.T) {
	onBoth(t, func(b *bench) {
		d := b.worker.deliverer
		l := newLane(d, 1, "test", models.QueueFast)
		l.inFlight[1] = false
		l.keep(2, 100)
		d.reading.Store(10)
		l.drain(b.t.Context(), 0)
		l.forget()
		l.results <- sent{reading: 10}
		b.until(func() bool { return d.kept.Load() == 0 && d.reading.Load() == 0 })
	})
}
