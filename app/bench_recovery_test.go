package app_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// Of the measured backlog.
const (
	backlogDeliveries = 1_000_000
	backlogWebhooks   = 100
	backlogLooked     = 200 // of each webhook
)

// BenchmarkBacklog measures how soon an instance is ready when a million
// deliveries are due, and how soon and how fast it works through them.
func BenchmarkBacklog(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres"} {
		b.Run(kind, func(b *testing.B) {
			env := keyed(environment(b, kind))
			to := backlog(b, env, backlogWebhooks, backlogDeliveries)
			for b.Loop() {
				started := time.Now()
				in := serve(b, env, "SITEHOOKS_LOG_LEVEL=error")
				b.ReportMetric(float64(time.Since(started).Milliseconds()), "ms-to-ready")
				ready := time.Now()
				eventually(b, "the first delivery", func() bool { return to[0].count() > 0 })
				b.ReportMetric(float64(time.Since(ready).Milliseconds()), "ms-to-first")
				for _, r := range to {
					eventually(b, "the first of the backlog", func() bool { return r.count() >= backlogLooked })
				}
				took, n := time.Since(ready), 0
				for _, r := range to {
					n += r.count()
					r.checkOrder(b)
				}
				b.ReportMetric(float64(n)/took.Seconds(), "delivered/s")
				in.kill()
			}
		})
	}
}

// BenchmarkKilled measures, with two instances on PostgreSQL of which one is
// killed, when the other dispatches what came after, and when it repeats what
// the killed one had open.
func BenchmarkKilled(b *testing.B) {
	for b.Loop() {
		env := environment(b, "postgres")
		victim := serve(b, env, "SITEHOOKS_LOG_LEVEL=error")
		admin := victim.login()
		admin.set("Webhooks.EnableGenericWebhooks", "True")
		admin.set("Webhooks.DispatchDelay", "0")
		first, again := make(chan struct{}), make(chan struct{})
		var n atomic.Int64
		busy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			switch n.Add(1) {
			case 1:
				close(first)
				<-again
			case 2:
				close(again)
			}
		}))
		healthy := newWatch(b)
		admin.createWebhook(webhookForm(busy.URL))
		victim.accept(questionJSON("open", 1, ""))
		<-first // by the victim: it is alone
		admin.createWebhook(webhookForm(healthy.url))
		other := serve(b, env, "SITEHOOKS_LOG_LEVEL=error")
		victim.kill()
		killed := time.Now()
		other.accept(questionJSON("after", 2, ""))
		eventually(b, "what came after", func() bool { return healthy.count() == 1 })
		b.ReportMetric(time.Since(killed).Seconds(), "s-to-dispatch")
		<-again
		b.ReportMetric(time.Since(killed).Seconds(), "s-to-repeat")
		busy.Close()
		other.kill()
	}
}
