package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// copies makes so many more of a webhook's only delivery.
func (b *bench) copies(w models.Webhook, n int) {
	b.t.Helper()
	const same = "webhook_id, location, event_id, dispatch_id, body_id, event_types, items, created_at, body"
	b.exec(fmt.Sprintf(`insert into deliveries (public_id, %s)
		with recursive g(i) as (select 1 union all select i + 1 from g where i < %d)
		select public_id || '_' || i, %[1]s from deliveries cross join g where webhook_id = %[3]d`, same, n, w.ID))
	b.exec(`insert into delivery_queue (delivery_id, webhook_id, due_at, round, tries, resend, paced, subject, bytes)
		select id, webhook_id, created_at, 0, 0, false, false, 0, length(body) from deliveries where id not in (select delivery_id from delivery_queue)`)
}

func TestTenThousandReleasedAtOnceArePaced(t *testing.T) {
	const held, looked = 10_000, 30
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		b.copies(w, held-1)
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, w.ID))
		n, err := b.store.Webhooks.Resume(b.t.Context(), admin, w.ID, false)
		ok(b.t, err)
		var mu sync.Mutex
		open, most := 0, 0
		count := func(n int) {
			mu.Lock()
			defer mu.Unlock()
			open += n
			most = max(most, open)
		}
		var enough sync.Once
		server := &b.receiver.Config.Handler
		inner := *server
		*server = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			count(1)
			defer count(-1)
			inner.ServeHTTP(rw, r)
			if len(b.receiver.requests()) > looked/2 { // slow enough for more than four, at 20 a second
				<-time.After(300 * time.Millisecond)
			}
			if len(b.receiver.requests()) >= looked {
				enough.Do(func() { close(b.stopping) })
			}
		})
		started := time.Now()
		b.deliver(w)
		took := time.Since(started)
		got := len(b.receiver.requests())
		if allowed := 1 + pacedPerSecond*took.Seconds(); n != held || got < looked || float64(got) > allowed || most > pacedInFlight {
			b.t.Errorf("released %d; %d sent in %s, %d at once", n, got, took, most)
		}
		waiting, err := b.store.Webhooks.Waiting(b.t.Context(), w.ID)
		ok(b.t, err)
		if waiting != int64(held-got) {
			b.t.Errorf("%d wait still", waiting)
		}
	})
}

// However many webhooks were released, they leave the workers to the others.
func TestReleasedBacklogsLeaveTheWorkersToOthers(t *testing.T) {
	const released, each = 15, 300
	onBoth(t, func(b *bench) {
		limits := maps.Clone(sharePlaces)
		limits[models.ShareFast], limits[models.ShareNew], limits[models.SharePaced] = 2, 2, 2
		j, err := newJobs(Deps{Store: b.store, Sender: b.runner.sender, Log: b.runner.log, Metrics: prometheus.NewRegistry()}, limits)
		ok(b.t, err)
		hooks := make([]models.Webhook, released)
		for i := range hooks {
			hooks[i] = b.webhook(func(in *models.WebhookInput) { in.Name = fmt.Sprint("released ", i) })
		}
		b.record(question("old", 1, nil))
		b.later()
		for _, w := range hooks {
			b.copies(w, each-1)
			ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, w.ID))
			_, err := b.store.Webhooks.Resume(b.t.Context(), admin, w.ID, false)
			ok(b.t, err)
		}
		healthy := newReceiver(b.t)
		w := b.webhook(func(in *models.WebhookInput) {
			in.Type, in.Events, in.URL = "stackauth", []string{wire.AnswerCreated}, healthy.URL
		})
		ok(b.t, j.Start(b.t.Context()))
		defer func() { ok(b.t, j.Stop(context.WithoutCancel(b.t.Context()))) }()
		b.until(func() bool { return len(b.receiver.requests()) >= 10 })
		b.record(question("new", 2, func(e *models.NewEvent) { e.Type = wire.AnswerCreated }))
		b.clock.Add(15 * time.Second)
		b.until(func() bool { return len(healthy.requests()) > 0 })
		left := int64(0)
		for _, w := range hooks {
			n, err := b.store.Webhooks.Waiting(b.t.Context(), w.ID)
			ok(b.t, err)
			left += n
		}
		if left < released*each/2 {
			b.t.Errorf("webhook %d waited until only %d were left", w.ID, left)
		}
	})
}

// until waits for work in other goroutines.
func (b *bench) until(done func() bool) {
	b.t.Helper()
	for end := time.Now().Add(3 * time.Minute); !done(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatal("it did not come")
		}
	}
}

// TestNewDeliveriesGoBesideReleasedOnes: an event that comes after a resume
// arrives before what was held, except behind what its subject holds.
func TestNewDeliveriesGoBesideReleasedOnes(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, w.ID))
		b.record(many(60)...)
		b.later()
		_, err := b.store.Webhooks.Resume(b.t.Context(), admin, w.ID, false)
		ok(b.t, err)
		b.answersWell(w)
		gate, arrived, done := b.gatedWork(w, 100)
		for range pacedInFlight {
			<-arrived
		}
		b.record(question("another of the last", 60, func(e *models.NewEvent) { e.MergeKey = "" }), question("new", 61, nil))
		b.later()
		<-arrived // beside the four
		if n := b.runner.open.Load(); n != pacedInFlight+1 {
			b.t.Errorf("%d requests are open", n)
		}
		close(gate)
		<-done
		order := map[string]int{}
		for i, r := range b.receiver.requests() {
			var body struct{ Data struct{ Title string } }
			_ = json.Unmarshal(r.body, &body)
			order[string(r.body)] = i
			for _, title := range []string{"q059", "another of the last", "new"} {
				if strings.Contains(string(r.body), "Title of "+title+`"`) {
					order[title] = i
				}
			}
		}
		if order["new"] != pacedInFlight || order["q059"] == 0 || order["another of the last"] < order["q059"] {
			b.t.Errorf("new came as number %d, the last held one as %d, another of its subject as %d", order["new"], order["q059"], order["another of the last"])
		}
	})
}

// TestEventsOfASubjectGoOneAfterTheOther, while others go beside them.
func TestEventsOfASubjectGoOneAfterTheOther(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		b.answersWell(w)
		var events []models.NewEvent
		for i := range 10 {
			events = append(events, question(fmt.Sprint("same ", i), 1, func(e *models.NewEvent) { e.MergeKey = "" }))
		}
		b.record(append(events, question("other", 2, nil))...)
		b.later()
		b.answersWell(w)
		gate, arrived, done := b.gatedWork(w, 20)
		<-arrived
		<-arrived
		if n := b.runner.open.Load(); n != 2 {
			b.t.Errorf("%d requests are open", n)
		}
		close(gate)
		<-done
		next := 0
		for _, r := range b.receiver.requests() {
			if strings.Contains(string(r.body), fmt.Sprintf("Title of same %d\"", next)) {
				next++
			}
		}
		if next != len(events) {
			b.t.Errorf("%d of %d came in order", next, len(events))
		}
	})
}
