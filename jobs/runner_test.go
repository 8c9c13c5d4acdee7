package jobs

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// one is one place in each share.
var one = map[string]int{
	models.ShareFast: 1, models.ShareNew: 1, models.ShareSlow: 1, models.ShareFailing: 1, models.SharePaced: 1,
}

// running starts jobs that dispatch on arrival, with so many places, until the
// test ends.
func (b *bench) running(limits map[string]int) *Jobs {
	b.t.Helper()
	return b.runningWith(limits, func(*Jobs) {})
}

// runningWith starts jobs after a change of them.
func (b *bench) runningWith(limits map[string]int, change func(*Jobs)) *Jobs {
	b.t.Helper()
	b.set(models.DispatchDelay, "0")
	b.set(models.DispatchInterval, "0")
	j, err := newJobs(Deps{Store: b.store, Sender: b.runner.sender, Log: b.runner.log, Metrics: prometheus.NewRegistry()}, limits)
	ok(b.t, err)
	change(j)
	ok(b.t, j.Start(b.t.Context()))
	b.t.Cleanup(func() { ok(b.t, j.Stop(context.WithoutCancel(b.t.Context()))) })
	return j
}

// report records an event and says so.
func (b *bench) report(j *Jobs, id string, number int, eventType string) {
	b.t.Helper()
	b.record(question(id, number, func(e *models.NewEvent) { e.Type = eventType }))
	j.Arrived()
}

func TestReady(t *testing.T) {
	onBoth(t, func(b *bench) {
		j, err := newJobs(Deps{Store: b.store, Sender: b.runner.sender, Log: b.runner.log, Metrics: prometheus.NewRegistry()}, one)
		ok(b.t, err)
		before := j.Ready()
		ok(b.t, j.Start(b.t.Context()))
		during := j.Ready()
		ok(b.t, j.Stop(b.t.Context()))
		if before || !during || j.Ready() {
			b.t.Errorf("ready before the start %v, then %v, after the stop %v", before, during, j.Ready())
		}
	})
}

// TestASilentReceiverGivesItsPlaceToOthers: with one place, a webhook gets its
// event while the request to another one is still open.
func TestASilentReceiverGivesItsPlaceToOthers(t *testing.T) {
	onBoth(t, func(b *bench) {
		silent := b.webhook(func(in *models.WebhookInput) { in.Type, in.Events = "stackauth", []string{wire.QuestionCreated} })
		healthy := newReceiver(b.t)
		b.webhook(func(in *models.WebhookInput) {
			in.Type, in.Events, in.URL, in.URLShown = "stackauth", []string{wire.AnswerCreated}, healthy.URL, healthy.URL
		})
		gate, arrived := make(chan struct{}), make(chan struct{}, 10)
		b.receiver.gated(gate, arrived)
		j := b.running(one)
		b.report(j, "silent", 1, wire.QuestionCreated)
		<-arrived
		b.report(j, "healthy", 2, wire.AnswerCreated)
		b.until(func() bool { return len(healthy.requests()) == 1 })
		if d := b.only(silent); d.State != models.DeliveryPending {
			b.t.Errorf("the silent one has %+v", d.Delivery)
		}
		close(gate)
		b.until(func() bool { return b.only(silent).State == models.DeliveryDelivered })
	})
}

// TestAReceiverEarnsItsRequests: one that was never tried, or did not answer
// last time, gets one request, and twice as many with each that arrives.
func TestAReceiverEarnsItsRequests(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		b.record(many(40)...)
		b.later()
		gate, arrived, done := b.gatedWork(w, 40)
		<-arrived
		if n := b.runner.open.Load(); n != 1 {
			b.t.Errorf("%d requests at first", n)
		}
		gate <- struct{}{}
		<-arrived
		<-arrived
		if n := b.runner.open.Load(); n != 2 {
			b.t.Errorf("%d requests after the first arrived", n)
		}
		close(gate)
		<-done
		if n := len(b.receiver.requests()); n != 40 {
			b.t.Errorf("%d requests", n)
		}
	})
}

// TestASlowWebhookLosesItsTurn: the rest of what is due goes on in the share of
// slow ones.
func TestASlowWebhookLosesItsTurn(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		b.record(many(40)...)
		b.later()
		b.answersWell(w)
		gate, arrived, done := b.gatedWork(w, 40)
		for range laneInFlight {
			<-arrived
		}
		<-time.After(slowAfter / 2)
		gate <- struct{}{} // in time: one more begins
		<-arrived
		<-time.After(slowAfter/2 + 100*time.Millisecond)
		close(gate) // the newest request answers in time, the others do not
		<-done
		due := b.due()
		if n := len(b.receiver.requests()); n != laneInFlight+1 || len(due) != 1 || due[0].Share != models.ShareSlow {
			b.t.Errorf("%d requests, then due %v", n, due)
		}
	})
}

// TestAFaultStopsOneLaneAlone: a panic in a lane ends its turn; it is tried
// again later, and others go on.
func TestAFaultStopsOneLaneAlone(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		jitter := b.runner.jitter
		b.runner.jitter, b.faulty = func() float64 { panic("a fault") }, true
		b.deliver(w)
		b.runner.jitter = jitter
		if d := b.only(w); d.State != models.DeliveryPending || len(b.due()) != 0 {
			b.t.Errorf("%+v, due %v", d.Delivery, b.due())
		}
		b.clock.Add(11 * time.Second)
		b.deliver(w)
		if d := b.only(w); d.State != models.DeliveryDelivered {
			b.t.Errorf("%+v", d.Delivery)
		}
	})
}

// TestALaneThatWorksKeepsItsLease, however long its turn is.
func TestALaneThatWorksKeepsItsLease(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		gate, arrived, done := b.gatedWork(w, 1)
		<-arrived
		for range 4 {
			b.clock.Add(leaseRenew)
			ok(b.t, b.runner.renew(b.t.Context()))
		}
		if _, claimed := b.claim(w, "another instance"); claimed || len(b.due()) != 0 {
			b.t.Error("another instance took the lane over")
		}
		close(gate)
		<-done
		if d := b.only(w); d.State != models.DeliveryDelivered {
			b.t.Errorf("%+v", d.Delivery)
		}
	})
}

// TestALostLeaseIsNoticed: a lane that another instance has taken over sends
// nothing more, and what comes back is kept as attempts that decide nothing.
func TestALostLeaseIsNoticed(t *testing.T) {
	for _, code := range []int{http.StatusOK, http.StatusGone} {
		t.Run(strconv.Itoa(code), func(t *testing.T) { onBoth(t, func(b *bench) { loseLease(b, code) }) })
	}
}

// notices tells of each record of a log.
type notices struct {
	slog.Handler
	c chan struct{}
}

func (n notices) Enabled(context.Context, slog.Level) bool { return true }

func (n notices) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelWarn {
		n.c <- struct{}{}
	}
	return nil
}

func loseLease(b *bench, code int) {
	noticed := make(chan struct{}, 1)
	b.runner.log = slog.New(notices{slog.DiscardHandler, noticed})
	w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
	b.record(many(40)...)
	b.later()
	b.answersWell(w)
	gate, arrived, done := b.gatedWork(w, 40)
	for range laneInFlight {
		<-arrived
	}
	b.receiver.answers(code) // when they are let go
	b.runner.lookEvery = time.Millisecond
	b.clock.Add(laneLease + time.Second)
	work, claimed := b.claim(w, "another instance")
	if code == http.StatusOK {
		gate <- struct{}{}
		<-noticed // as it is about to send the next one
	}
	close(gate)
	<-done
	after, err := b.store.Lanes.Reload(b.t.Context(), w.ID)
	ok(b.t, err)
	if n := len(b.receiver.requests()); !claimed || n != laneInFlight || !after.HeldBy("another instance", 0) || after.Lane.FailuresInRow != work.Lane.FailuresInRow {
		b.t.Errorf("claimed %v, %d requests, the lane %+v", claimed, n, after.Lane)
	}
	attempts := 0
	for _, d := range b.deliveries(w) {
		list, err := b.store.Deliveries.Attempts(b.t.Context(), d.ID)
		ok(b.t, err)
		if attempts += len(list); d.State != models.DeliveryPending || d.DueAt == nil || d.DueAt.After(b.clock.Now()) {
			b.t.Errorf("%+v", d.Delivery)
		}
	}
	if w := b.reload(w); attempts != laneInFlight || w.State != models.WebhookActive {
		b.t.Errorf("%d attempts; the webhook is %s", attempts, w.State)
	}
}

// TestNothingIsSentOnAnOldLook: after a pause of the process or of the machine,
// which one of the two clocks shows, a lane looks before it sends.
func TestNothingIsSentOnAnOldLook(t *testing.T) {
	for name, seen := range map[string]time.Time{
		"now":                 time.Now(),
		"the process paused":  time.Now().Add(-lookTrust),
		"the machine paused":  time.Now().Round(0).Add(-lookTrust),
		"the clock went back": time.Now().Round(0).Add(time.Hour),
	} {
		l := &lane{runner: &runner{deliverer: &deliverer{lookEvery: time.Minute}}, seenAt: seen, gotAt: time.Now()}
		if l.fresh() != (name == "now") {
			t.Errorf("%s: fresh %v", name, l.fresh())
		}
	}
}
