package jobs

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// A request still open when a stop cuts the jobs does not count as an attempt:
// its delivery is due at once, for every instance, and goes out again with the
// same id.
func TestWhatAStopCutsIsHandedBack(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		b.record(many(3)...)
		b.later()
		b.answersWell(w)
		gate, arrived := make(chan struct{}), make(chan struct{}, 10)
		b.receiver.gated(gate, arrived)
		defer close(gate) // before the receiver closes
		ctx, cut := context.WithCancel(b.t.Context())
		b.begin(ctx, w)
		for range 3 {
			<-arrived
		}
		close(b.stopping)
		cut()
		b.runner.lanes.Wait()
		for _, d := range b.deliveries(w) {
			if d.State != models.DeliveryPending || d.Tries != 0 || d.DueAt == nil || d.DueAt.After(b.clock.Now()) {
				b.t.Errorf("after the cut: %+v", d.Delivery)
			}
		}
		_, claimed := b.claim(w, "another instance")
		if !claimed {
			b.t.Error("the lane was not handed back")
		}
		first := map[string]bool{}
		for _, r := range b.receiver.requests() {
			first[r.header.Get("svix-id")] = true
		}
		_, err := b.store.Lanes.Release(b.t.Context(), w.ID, "another instance", models.Release{})
		ok(b.t, err)
		b.receiver.answers(http.StatusOK)
		b.runner.stopping = make(chan struct{})
		b.deliver(w)
		for _, r := range b.receiver.requests()[3:] {
			if !first[r.header.Get("svix-id")] {
				b.t.Error("a repeat has another id")
			}
		}
		for _, d := range b.deliveries(w) {
			if d.State != models.DeliveryDelivered || d.Tries != 1 {
				b.t.Errorf("after the repeat: %+v", d.Delivery)
			}
		}
	})
}

// An instance dies with a lane in its hands: within 90 s another has it.
func TestWhatAKilledInstanceHadIsTakenOver(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil) // it was offered to the instance, and lost with it
		b.offered()
		_, claimed := b.claim(w, "killed")
		renewed, err := b.store.Lanes.Renew(b.t.Context(), []models.Lease{{WebhookID: w.ID, Holder: "killed"}}, laneLease) // at the last moment
		ok(b.t, err)
		if !claimed || len(renewed) != 1 {
			b.t.Fatal("no lease")
		}
		died := b.clock.Now()
		s := b.sweeper()
		for len(b.offered()) == 0 {
			if b.clock.Now().Sub(died) > 90*time.Second {
				b.t.Fatal("nobody took over within 90 s")
			}
			b.clock.Add(sweepEvery)
			ok(b.t, s.once(b.t.Context()))
		}
		b.deliver(w)
		if d := b.only(w); d.State != models.DeliveryDelivered {
			b.t.Errorf("%+v", d.Delivery)
		}
	})
}

// An instance dies when it has just run dispatch, or in the middle of it,
// which leaves nothing behind: another goes on within three intervals and 5 s.
func TestDispatchGoesOnWithoutAKilledInstance(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.set(models.DispatchDelay, "0")
		w := b.webhook(nil)
		b.dispatch() // the one that dies then
		b.record(question("a", 1, nil))
		other := &dispatcher{store: b.store, runner: b.runner, log: b.dispatcher.log, mostBytes: dispatchBytes}
		for died := b.clock.Now(); len(b.deliveries(w)) == 0; b.clock.Add(time.Second) {
			if b.clock.Now().Sub(died) > 3*5*time.Second+5*time.Second {
				b.t.Fatal("nobody went on")
			}
			_, err := other.once(b.t.Context())
			ok(b.t, err)
		}
	})
}
