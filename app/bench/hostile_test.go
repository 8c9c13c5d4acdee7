package bench

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// Of the measured load: hostile webhooks, healthy ones beside them, how long it
// lasts, and the pauses between events for all and for the healthy.
const (
	hostileHooks   = 1000
	hostileHealthy = 10
	hostileLast    = 60 * time.Second
	hostileAll     = 2 * time.Second
	hostilePause   = 50 * time.Millisecond
)

// BenchmarkSilent measures how long ten healthy webhooks wait, from the answer
// of the ingest API to the receiver, beside 1,000 hostile ones that get an event
// each 2 s: silent, a byte a second, endless, or gzip bombs. They have one host,
// or a host each; or they answer at once but for 15 s of 45, when their host
// hangs.
func BenchmarkSilent(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres"} {
		for _, how := range []string{"one host", "a host each", "hangs 15 of 45"} {
			b.Run(kind+" "+how, func(b *testing.B) {
				for b.Loop() {
					delays, most, memory := besideHostile(b, kind, how)
					b.ReportMetric(float64(p95(delays, 0, 5*time.Second).Milliseconds()), "p95-ms-first-5s")
					b.ReportMetric(float64(p95(delays, 0, hostileLast).Milliseconds()), "p95-ms")
					worst := time.Duration(0)
					for at := time.Duration(0); at < hostileLast; at += 5 * time.Second {
						here := p95(delays, at, at+5*time.Second)
						worst = max(worst, here)
						b.Logf("from %s: p95 %s", at, here)
					}
					b.ReportMetric(float64(worst.Milliseconds()), "p95-ms-worst-5s")
					b.ReportMetric(float64(most.Sockets), "sockets")
					b.ReportMetric(memory, "MiB")
				}
			})
		}
	}
}

// delay is how long after the start an event was accepted, and how long it took
// to a receiver.
type delay struct{ at, took time.Duration }

func p95(delays []delay, from, to time.Duration) time.Duration {
	var all []time.Duration
	for _, d := range delays {
		if d.at >= from && d.at < to {
			all = append(all, d.took)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[(len(all)*95-1)/100]
}

func besideHostile(b *testing.B, kind, how string) (delays []delay, most apptest.Footprint, memory float64) {
	b.Helper()
	in := apptest.Serve(b, apptest.Environment(b, kind), "SITEHOOKS_LOG_LEVEL=error")
	defer in.Kill()
	admin := in.Login()
	admin.Quick()
	healthy := make([]*apptest.Watch, hostileHealthy)
	for i := range healthy {
		healthy[i] = apptest.NewWatch(b)
		form := apptest.WebhookForm(healthy[i].URL)
		form.Set("name", "Healthy "+strconv.Itoa(i))
		admin.CreateWebhook(form)
	}
	port := hostileServer(b, how)
	for i := range hostileHooks {
		host := "127.0.0.1"
		if how == "a host each" {
			host = fmt.Sprintf("127.1.%d.%d", i/250, 1+i%250)
		}
		form := apptest.WebhookForm("http://" + net.JoinHostPort(host, port) + "/" + strconv.Itoa(i))
		form.Set("name", "Hostile "+strconv.Itoa(i))
		form.Set("tag_mode", "specific")
		form.Set("tags", "refused")
		admin.CreateWebhook(form)
	}
	started, accepted := time.Now(), map[int64]time.Duration{}
	forAll := time.Duration(0)
	for i := 1; time.Since(started) < hostileLast; i++ {
		event := apptest.QuestionJSON("e"+strconv.Itoa(i), i, "")
		if time.Since(started) >= forAll {
			event, forAll = apptest.ForRefused(i), forAll+hostileAll
		}
		in.Accept(event)
		accepted[int64(i)] = time.Since(started)
		if i%20 == 0 {
			most = most.Most(in.Footprint())
		}
		pause := time.NewTimer(hostilePause) // between two events of a site
		<-pause.C
	}
	for i, w := range healthy {
		apptest.Eventually(b, fmt.Sprintf("all events at receiver %d", i), func() bool { return w.Count() == len(accepted) })
		for id, at := range accepted {
			delays = append(delays, delay{at, w.At[id].Sub(started) - at})
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", in.Cmd.Process.Pid))
	ok(b, err)
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseFloat(strings.Fields(peak)[0], 64)
	ok(b, err)
	return delays, most, kib / 1024
}

// hostileServer listens at every address of 127.0.0.0/8.
func hostileServer(b *testing.B, how string) (port string) {
	b.Helper()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 10<<20))
	_ = z.Close()
	over, started := make(chan struct{}), time.Now()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if how == "hangs 15 of 45" {
			if since := time.Since(started) % (45 * time.Second); since > 20*time.Second && since < 35*time.Second {
				await(r, over, 35*time.Second-since)
			}
			return
		}
		n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		switch n % 4 {
		case 0:
			await(r, over, time.Hour)
		case 1:
			for await(r, over, time.Second) {
				_, _ = w.Write([]byte("."))
				_ = http.NewResponseController(w).Flush()
			}
		case 2:
			for chunk := make([]byte, 4<<10); await(r, over, 100*time.Millisecond); {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		default:
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}
	}))
	var err error
	server.Listener, err = (&net.ListenConfig{}).Listen(b.Context(), "tcp", "0.0.0.0:0")
	ok(b, err)
	server.Start()
	b.Cleanup(func() { // in this order: a server waits for its requests
		close(over)
		server.Close()
	})
	_, port, _ = net.SplitHostPort(server.Listener.Addr().String())
	return port
}

// await waits; false: the request or the benchmark is over.
func await(r *http.Request, over <-chan struct{}, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-r.Context().Done():
	case <-over:
	}
	return false
}
