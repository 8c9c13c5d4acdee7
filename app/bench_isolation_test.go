package app_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"
)

// Of the measured load.
const (
	isolationRefuse = 1000
	isolationEvents = 400
	isolationPause  = 50 * time.Millisecond
)

// isolated is what a run showed.
type isolated struct {
	first time.Duration // until the last healthy one had an event that met all for the first time
	p99   time.Duration // of the events after it
	most  footprint
}

// BenchmarkIsolation measures how long healthy webhooks wait, from the answer
// of the ingest API to the receiver, without and with bad ones beside them: one
// never answers, one answers after 14 s, 1,000 refuse every attempt. Dispatch
// runs each second. One event in 20 goes to the refused ones too: theirs are a
// thousand deliveries a second, and what is measured is not how fast so many
// can be written.
func BenchmarkIsolation(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres"} {
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				alone, beside := isolation(b, kind, 0), isolation(b, kind, isolationRefuse)
				b.ReportMetric(float64(alone.p99.Milliseconds()), "p99-ms-alone")
				b.ReportMetric(float64(beside.p99.Milliseconds()), "p99-ms-beside")
				b.ReportMetric(float64(alone.first.Milliseconds()), "first-ms-alone")
				b.ReportMetric(float64(beside.first.Milliseconds()), "first-ms-beside")
				b.ReportMetric(float64(beside.most.sockets), "sockets")
				b.ReportMetric(float64(beside.most.goroutines), "goroutines")
			}
		})
	}
}

func isolation(b *testing.B, kind string, refuse int) isolated {
	b.Helper()
	in := serve(b, environment(b, kind), "SITEHOOKS_LOG_LEVEL=error")
	defer in.kill()
	admin := in.login()
	admin.set("Webhooks.EnableGenericWebhooks", "True")
	admin.set("Webhooks.DispatchDelay", "0")
	admin.set("Webhooks.DispatchInterval", "1")
	healthy := make([]*watch, 5)
	for i := range healthy {
		healthy[i] = newWatch(b)
		admin.createWebhook(webhookForm(healthy[i].url))
	}
	if refuse > 0 {
		admin.bad(refuse)
	}
	first := in.report(b, healthy, 0, 20)
	eventually(b, "each has failed once", func() bool {
		return refuse == 0 || metric(b, admin.get("/metrics").body, `sitehooks_attempts_total{outcome="retrying",type="generic"}`) >= float64(refuse)
	})
	after := in.report(b, healthy, 20, isolationEvents)
	return isolated{first.p99, after.p99, after.most}
}

// report posts n events, as a site does one after the other, and waits until
// every receiver has them.
func (in *instance) report(b *testing.B, to []*watch, from, n int) isolated {
	b.Helper()
	var all isolated
	accepted := make(map[int64]time.Time, n)
	for i := from + 1; i <= from+n; i++ {
		event := questionJSON("e"+strconv.Itoa(i), i, "")
		if i%20 == 1 {
			event = forRefused(i)
		}
		in.accept(event)
		accepted[int64(i)] = time.Now()
		if i%20 == 0 {
			all.most = all.most.most(in.footprint())
		}
		pause := time.NewTimer(isolationPause) // between two events of a site
		<-pause.C
	}
	var waits []time.Duration
	for i, w := range to {
		eventually(b, fmt.Sprintf("all events at receiver %d", i), func() bool { return w.count() == from+n })
		for id, at := range accepted {
			waits = append(waits, w.at[id].Sub(at))
		}
	}
	slices.Sort(waits)
	all.p99 = waits[(len(waits)*99-1)/100]
	return all
}
