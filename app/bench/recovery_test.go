package bench

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
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
			env := apptest.WithKey(apptest.Environment(b, kind))
			to := apptest.Backlog(b, env, backlogWebhooks, backlogDeliveries)
			for b.Loop() {
				started := time.Now()
				in := apptest.Serve(b, env, "SITEHOOKS_LOG_LEVEL=error")
				b.ReportMetric(float64(time.Since(started).Milliseconds()), "ms-to-ready")
				ready := time.Now()
				apptest.Eventually(b, "the first delivery", func() bool { return to[0].Count() > 0 })
				b.ReportMetric(float64(time.Since(ready).Milliseconds()), "ms-to-first")
				for _, r := range to {
					apptest.Eventually(b, "the first of the backlog", func() bool { return r.Count() >= backlogLooked })
				}
				took, n := time.Since(ready), 0
				for _, r := range to {
					n += r.Count()
					r.CheckOrder(b)
				}
				b.ReportMetric(float64(n)/took.Seconds(), "delivered/s")
				in.Kill()
			}
		})
	}
}

// BenchmarkKilled measures, with two instances on PostgreSQL of which one is
// killed, when the other dispatches later events, and when it repeats the open
// requests of the killed one.
func BenchmarkKilled(b *testing.B) {
	for b.Loop() {
		env := apptest.Environment(b, "postgres")
		victim := apptest.Serve(b, env, "SITEHOOKS_LOG_LEVEL=error")
		admin := victim.Login()
		admin.Set("Webhooks.EnableGenericWebhooks", "True")
		admin.Set("Webhooks.DispatchDelay", "0")
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
		healthy := apptest.NewWatch(b)
		admin.CreateWebhook(apptest.WebhookForm(busy.URL))
		victim.Accept(apptest.QuestionJSON("open", 1, ""))
		<-first // by the victim: it is alone
		admin.CreateWebhook(apptest.WebhookForm(healthy.URL))
		other := apptest.Serve(b, env, "SITEHOOKS_LOG_LEVEL=error")
		victim.Kill()
		killed := time.Now()
		other.Accept(apptest.QuestionJSON("after", 2, ""))
		apptest.Eventually(b, "what came after", func() bool { return healthy.Count() == 1 })
		b.ReportMetric(time.Since(killed).Seconds(), "s-to-dispatch")
		<-again
		b.ReportMetric(time.Since(killed).Seconds(), "s-to-repeat")
		busy.Close()
		other.Kill()
	}
}
