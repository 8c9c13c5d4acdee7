package jobs

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sitehooks/sitehooks/jobs/gauges"
	"github.com/sitehooks/sitehooks/models"
)

// TestMetricsOfTheQueues: a scrape has the numbers and ages of waiting events
// and deliveries, and how many webhooks are in each state; without a database
// it has none of them.
func TestMetricsOfTheQueues(t *testing.T) {
	onBoth(t, func(b *bench) {
		registry := prometheus.NewRegistry()
		registry.MustRegister(gauges.New(b.store, 0))
		scrape := func(what string, want map[string]float64) {
			b.t.Helper()
			families, err := registry.Gather()
			ok(b.t, err)
			got := map[string]float64{}
			for _, family := range families {
				for _, m := range family.GetMetric() {
					name := []string{family.GetName()}
					for _, label := range m.GetLabel() {
						name = append(name, label.GetValue())
					}
					got[strings.Join(name, " ")] = m.GetGauge().GetValue()
				}
			}
			if !maps.Equal(got, want) {
				b.t.Errorf("%s: got %v\nwant %v", what, got, want)
			}
		}
		counts := func(undispatched, waiting, oldest, active, stopped, broken float64) map[string]float64 {
			return map[string]float64{
				"sitehooks_undispatched_events": undispatched, "sitehooks_backlog_locations": min(undispatched, 1), "sitehooks_dispatch_set_aside": 0,
				"sitehooks_waiting_deliveries": waiting, "sitehooks_oldest_due_delivery_seconds": oldest,
				"sitehooks_dispatch_late_seconds": 0, "sitehooks_webhooks active": active, "sitehooks_webhooks stopped": stopped, "sitehooks_webhooks broken": broken,
			}
		}
		scrape("nothing yet", counts(0, 0, 0, 0, 0, 0))
		w := pending(b, nil)
		b.clock.Add(90 * time.Second)
		paused, broken := b.webhook(nil), b.webhook(nil)
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, paused.ID))
		ok(b.t, b.store.Webhooks.Break(b.t.Context(), broken.ID, "The receiver answered 410."))
		b.record(question("b", 2, nil))
		scrape("before dispatch", counts(2, 1, 90, 1, 1, 1)) // the other event says that a webhook broke
		b.later()
		scrape("after it", counts(0, 4, 105, 1, 1, 1))
		b.deliver(w)
		scrape("what is held waits and is not due", counts(0, 2, 0, 1, 1, 1))
		b.store.Close()
		scrape("without a database", map[string]float64{})
	})
}

// TestMetricsOfSources: of each source when it last reported, whether it is
// silent, and how far a follower is behind.
func TestMetricsOfSources(t *testing.T) {
	onBoth(t, func(b *bench) {
		registry := prometheus.NewRegistry()
		registry.MustRegister(gauges.New(b.store, 0))
		sources := func() map[string]float64 {
			b.t.Helper()
			families, err := registry.Gather()
			ok(b.t, err)
			got := map[string]float64{}
			for _, family := range families {
				for _, m := range family.GetMetric() {
					if strings.HasPrefix(family.GetName(), "sitehooks_source_") {
						got[family.GetName()+" "+m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
					}
				}
			}
			return got
		}
		ctx := b.t.Context()
		_, _, err := b.store.Sources.Create(ctx, admin, "team", models.SourceInput{Kind: "generic", Location: "main", ExpectHours: 1})
		ok(b.t, err)
		if got := sources(); !maps.Equal(got, map[string]float64{"sitehooks_source_silent team": 0}) {
			b.t.Errorf("before any event: %v", got)
		}
		ok(b.t, b.store.Sources.Keep(ctx, &models.SourceRequest{Source: "team", Verified: true, State: models.RequestAccepted, Accepted: 1}))
		at := b.clock.Now()
		_, err = b.store.Sources.PutCursor(ctx, admin, "answer", models.CursorInput{Holder: "a", BehindSeconds: 7, Lease: time.Minute})
		ok(b.t, err)
		want := map[string]float64{"sitehooks_source_last_event_timestamp_seconds team": float64(at.UnixMilli()) / 1000, "sitehooks_source_behind_seconds answer": 7, "sitehooks_source_silent team": 0, "sitehooks_source_silent answer": 0}
		if got := sources(); !maps.Equal(got, want) {
			b.t.Errorf("got %v, want %v", got, want)
		}
		b.clock.Add(10 * time.Minute)
		want["sitehooks_source_behind_seconds answer"] = 607
		if got := sources(); !maps.Equal(got, want) {
			b.t.Errorf("a follower that reports no more: got %v, want %v", got, want)
		}
		b.clock.Add(time.Hour)
		_, err = b.store.Sources.Silence(ctx)
		ok(b.t, err)
		if got := sources(); got["sitehooks_source_silent team"] != 1 || got["sitehooks_source_silent answer"] != 0 {
			b.t.Errorf("after an hour without an event: %v", got)
		}
		ok(b.t, b.store.Sources.Keep(ctx, &models.SourceRequest{Source: "team", Verified: true, State: models.RequestAccepted, Accepted: 1}))
		if got := sources(); got["sitehooks_source_silent team"] != 0 {
			b.t.Errorf("after an event: %v", got)
		}
	})
}
