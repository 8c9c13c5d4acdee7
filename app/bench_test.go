package app_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkStart measures an instance from its start to ready, on a database
// that exists already, and its memory once it is idle.
func BenchmarkStart(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres"} {
		b.Run(kind, func(b *testing.B) {
			env := environment(b, kind)
			serve(b, env).kill()
			var ready time.Duration
			var memory float64
			for b.Loop() {
				started := time.Now()
				in := serve(b, env)
				ready += time.Since(started)
				b.StopTimer()
				settle := time.NewTimer(2 * time.Second) // what idle means
				<-settle.C
				memory = max(memory, residentMiB(b, in.cmd.Process.Pid))
				in.kill()
				b.StartTimer()
			}
			b.ReportMetric(float64(ready.Milliseconds())/float64(b.N), "ms-to-ready")
			b.ReportMetric(memory, "MiB-idle")
		})
	}
}

// BenchmarkDeliver measures events from the public API to the receiver, as a
// share of the raw loop in the same run: with one event one delivery, and with
// events batched into one body.
func BenchmarkDeliver(b *testing.B) {
	single := func([]byte) int { return 1 }
	batched := func(body []byte) int { return bytes.Count(body, []byte(`"question_id"`)) }
	raw := rawLoop(b, []byte(questionJSON("raw", 1, "")), 3*time.Second)
	b.Logf("raw loop: %.0f requests/s", raw)
	for _, c := range []struct {
		kind, webhook string
		clients, size int
		events        int
		items         func([]byte) int
	}{
		{"postgres", "stackauth", 64, 1, 10_000, single},
		{"postgres", "stackauth", 8, 100, 20_000, single},
		{"sqlite", "stackauth", 64, 1, 10_000, single},
		{"sqlite", "stackauth", 8, 100, 20_000, single},
		{"postgres", "generic", 64, 1, 20_000, batched},
		{"postgres", "generic", 8, 100, 60_000, batched},
		{"sqlite", "generic", 64, 1, 20_000, batched},
		{"sqlite", "generic", 8, 100, 60_000, batched},
	} {
		b.Run(fmt.Sprintf("%s/%s/requests-of-%d", c.kind, c.webhook, c.size), func(b *testing.B) {
			for b.Loop() {
				s := newSink(b, c.items)
				in := serve(b, environment(b, c.kind), "SITEHOOKS_LOG_LEVEL=warn")
				admin := in.login()
				admin.set("Webhooks.EnableGenericWebhooks", "True")
				admin.set("Webhooks.DispatchDelay", "0")
				admin.set("Webhooks.DispatchInterval", "1")
				form := webhookForm(s.url)
				if a := admin.post("/admin/webhooks/new?type="+c.webhook, form); a.code != http.StatusSeeOther {
					b.Fatalf("create: %d %s", a.code, a.body)
				}
				cpu, started := in.cpuSeconds(b), time.Now()
				in.load(b, c.clients, c.events, c.size)
				accepted := time.Since(started)
				s.wait(b, int64(c.events))
				all := time.Since(started)
				rate := float64(c.events) / all.Seconds()
				b.ReportMetric(float64(c.events)/accepted.Seconds(), "accepted/s")
				b.ReportMetric(rate, "delivered/s")
				b.ReportMetric(rate/raw, "of-raw")
				b.ReportMetric((in.cpuSeconds(b)-cpu)/float64(c.events)*10_000, "CPU-s/10k")
				b.ReportMetric(residentMiB(b, in.cmd.Process.Pid), "MiB")
				in.kill()
			}
		})
	}
}

func residentMiB(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	ok(b, err)
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			kib, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			ok(b, err)
			return kib / 1024
		}
	}
	b.Fatal("no VmRSS")
	return 0
}
