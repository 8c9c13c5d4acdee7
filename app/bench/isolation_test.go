package bench

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// Of the measured load.
const (
	isolationRefuse = 1000
	isolationEvents = 400
	isolationPause  = 50 * time.Millisecond
)

// isolated is the result of a run.
type isolated struct {
	first time.Duration // until the last healthy one had an event that met all for the first time
	p99   time.Duration // of the events after it
	most  apptest.Footprint
}

// BenchmarkIsolation measures how long healthy webhooks wait, from the answer
// of the ingest API to the receiver, without and with bad ones beside them: one
// never answers, one answers after 14 s, 1,000 refuse every attempt. Dispatch
// runs each second. One event in 20 goes to the refused ones too: theirs are a
// thousand deliveries a second, and this does not measure how fast so many can
// be written.
func BenchmarkIsolation(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres"} {
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				alone, beside := isolation(b, kind, 0), isolation(b, kind, isolationRefuse)
				b.ReportMetric(float64(alone.p99.Milliseconds()), "p99-ms-alone")
				b.ReportMetric(float64(beside.p99.Milliseconds()), "p99-ms-beside")
				b.ReportMetric(float64(alone.first.Milliseconds()), "first-ms-alone")
				b.ReportMetric(float64(beside.first.Milliseconds()), "first-ms-beside")
				b.ReportMetric(float64(beside.most.Sockets), "sockets")
				b.ReportMetric(float64(beside.most.Goroutines), "goroutines")
			}
		})
	}
}

func isolation(b *testing.B, kind string, refuse int) isolated {
	b.Helper()
	in := apptest.Serve(b, apptest.Environment(b, kind), "SITEHOOKS_LOG_LEVEL=error")
	defer in.Kill()
	admin := in.Login()
	admin.Set("Webhooks.EnableGenericWebhooks", "True")
	admin.Set("Webhooks.DispatchDelay", "0")
	admin.Set("Webhooks.DispatchInterval", "1")
	healthy := make([]*apptest.Watch, 5)
	for i := range healthy {
		healthy[i] = apptest.NewWatch(b)
		admin.CreateWebhook(apptest.WebhookForm(healthy[i].URL))
	}
	if refuse > 0 {
		admin.AddBad(refuse)
	}
	first := reportAll(in, b, healthy, 0, 20)
	apptest.Eventually(b, "each has failed once", func() bool {
		return refuse == 0 || apptest.Metric(b, admin.Get("/metrics").Body, `sitehooks_attempts_total{outcome="retrying",type="generic"}`) >= float64(refuse)
	})
	after := reportAll(in, b, healthy, 20, isolationEvents)
	return isolated{first.p99, after.p99, after.most}
}

// report posts n events, as a site does one after the other, and waits until
// every receiver has them.
func reportAll(in *apptest.Instance, b *testing.B, to []*apptest.Watch, from, n int) isolated {
	b.Helper()
	var all isolated
	accepted := make(map[int64]time.Time, n)
	for i := from + 1; i <= from+n; i++ {
		event := apptest.QuestionJSON("e"+strconv.Itoa(i), i, "")
		if i%20 == 1 {
			event = apptest.ForRefused(i)
		}
		in.Accept(event)
		accepted[int64(i)] = time.Now()
		if i%20 == 0 {
			all.most = all.most.Most(in.Footprint())
		}
		pause := time.NewTimer(isolationPause) // between two events of a site
		<-pause.C
	}
	var delays []time.Duration
	for i, w := range to {
		apptest.Eventually(b, fmt.Sprintf("all events at receiver %d", i), func() bool { return w.Count() == from+n })
		for id, at := range accepted {
			delays = append(delays, w.At[id].Sub(at))
		}
	}
	slices.Sort(delays)
	all.p99 = delays[(len(delays)*99-1)/100]
	return all
}
