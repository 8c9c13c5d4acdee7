package app_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// hostile are the ways of a receiver to cost memory or time.
var hostile = map[string]http.HandlerFunc{
	"endless body": func(w http.ResponseWriter, _ *http.Request) {
		for chunk := bytes.Repeat([]byte("0123456789abcdef"), 4096); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	},
	"gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb)
	},
	"headers of 1 MB": func(w http.ResponseWriter, _ *http.Request) {
		for i := range 100 {
			w.Header().Set("X-"+strconv.Itoa(i), strings.Repeat("x", 10<<10))
		}
	},
	"as many headers as are read": func(w http.ResponseWriter, _ *http.Request) {
		for i := range 30 {
			w.Header().Set("X-"+strconv.Itoa(i), strings.Repeat("x", 1000))
		}
		_, _ = w.Write(bytes.Repeat([]byte("<\xff\""), 30<<10))
	},
	"one byte at a time": func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
				_, _ = io.WriteString(w, "x")
				_ = http.NewResponseController(w).Flush()
			}
		}
	},
}

// bomb unfolds to 64 MiB.
var bomb = func() []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for range 64 {
		_, _ = w.Write(make([]byte, 1<<20))
	}
	_ = w.Close()
	return b.Bytes()
}()

// memoryUnder is the most memory in MiB that an instance used while events
// went to receivers, a delivery each. The receiver that drips is waited for
// once: it gets one request at a time, and each takes 15 s.
//
// The peak is that of live memory: garbage is collected early. Left at its
// usual setting the collector lets garbage fill memory up to a limit, and how
// much of it there is at the worst moment says nothing about the receivers.
func memoryUnder(t testing.TB, kind string, events int, answers map[string]http.HandlerFunc) float64 {
	t.Helper()
	in := apptest.Serve(t, apptest.Environment(t, kind), "SITEHOOKS_LOG_LEVEL=error", "GOGC=25")
	defer in.Kill()
	b := in.Login()
	b.Quick()
	came := map[string]*atomic.Int64{}
	for name, answer := range answers {
		n := &atomic.Int64{}
		came[name] = n
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			n.Add(1)
			answer(w, r)
		}))
		defer server.Close()
		b.CreateType("stackauth", apptest.WebhookForm(server.URL))
	}
	for start := 0; start < events; start += 100 {
		batch := make([]string, 100)
		for i := range batch {
			batch[i] = apptest.QuestionJSON(fmt.Sprintf("e%d", start+i), start+i+1, "")
		}
		in.Accept(`{"events":[` + strings.Join(batch, ",") + `]}`)
	}
	for name, n := range came {
		want := int64(events)
		if name == "one byte at a time" {
			want = 1
		}
		apptest.Eventually(t, name, func() bool { return n.Load() >= want })
	}
	defer in.Kill() // before the servers close, which wait for open requests
	return peakMiB(t, in.Cmd.Process.Pid)
}

// peakMiB is the most that was resident of a process.
func peakMiB(t testing.TB, pid int) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	ok(t, err)
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmHWM:"); found {
			kib, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			ok(t, err)
			return kib / 1024
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// friendly are as many receivers that answer as one should.
func friendly() map[string]http.HandlerFunc {
	same := map[string]http.HandlerFunc{}
	for name := range hostile {
		same[name] = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "thank you") }
	}
	return same
}

// hostileMiB is how much more memory hostile receivers may cost.
const hostileMiB = 24

func TestHostileReceiversCostLittleMemory(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		with, without := memoryUnder(t, kind, 200, hostile), memoryUnder(t, kind, 200, friendly())
		t.Logf("at most %.0f MiB, %.0f MiB with friendly receivers", with, without)
		if with-without > hostileMiB {
			t.Errorf("hostile receivers cost %.0f MiB", with-without)
		}
	})
}

// BenchmarkHostile measures the memory that hostile receivers cost.
func BenchmarkHostile(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres"} {
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				with, without := memoryUnder(b, kind, 2000, hostile), memoryUnder(b, kind, 2000, friendly())
				b.ReportMetric(with, "MiB-hostile")
				b.ReportMetric(without, "MiB-friendly")
				b.ReportMetric(with-without, "MiB-more")
			}
		})
	}
}

// newQuitter is a receiver over HTTP/2 that answers every request with GOAWAY,
// as one not taken, and leaves the connection open.
func newQuitter(t *testing.T) (address, trust string, requests *atomic.Int64) {
	t.Helper()
	lender, trust := apptest.NewTypesReceiver(t) // of its certificate
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: lender.TLS.Certificates, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12})
	ok(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	requests = &atomic.Int64{}
	talk := func(conn net.Conn) {
		from := bufio.NewReader(conn)
		_, _ = from.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
		_, _ = conn.Write([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00" + "\x00\x00\x00\x04\x01\x00\x00\x00\x00")) // SETTINGS, and theirs are in force
		for head := make([]byte, 9); ; {
			if _, err := io.ReadFull(from, head); err != nil {
				return
			}
			_, _ = from.Discard(int(head[0])<<16 | int(head[1])<<8 | int(head[2]))
			if head[3] == 1 { // HEADERS
				requests.Add(1)
				_, _ = conn.Write([]byte("\x00\x00\x08\x07\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00")) // GOAWAY, nothing taken
			}
		}
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(t.Context(), func() { _ = conn.Close() })
			go func() { defer stop(); talk(conn) }()
		}
	}()
	return "https://" + listener.Addr().String(), trust, requests
}

// TestAConnectionGivenUpIsReplacedOnce: a receiver that gives up each
// connection before it takes a request gets a request twice in an attempt, and
// the attempt's page says so.
func TestAConnectionGivenUpIsReplacedOnce(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		hook, trust, requests := newQuitter(t)
		in := apptest.Serve(t, apptest.Environment(t, kind), trust)
		b := in.Login()
		b.Quick()
		b.CreateWebhook(apptest.WebhookForm(hook))
		in.Accept(apptest.QuestionJSON("first", 1, ""))
		apptest.Eventually(t, "an attempt", func() bool { return strings.Contains(b.Get("/admin/deliveries.json").Body, `"last_error":"reset"`) })
		if n := requests.Load(); n != 2 {
			t.Errorf("%d requests in one attempt", n)
		}
		id := regexp.MustCompile(`"id":"([^"]+)"`).FindStringSubmatch(b.Get("/admin/deliveries.json").Body)[1]
		if page := b.Get("/admin/deliveries/" + id).Body; strings.Count(page, "Sent a second time on a new connection") != 1 {
			t.Errorf("the attempt does not say that it was sent twice: %s", page)
		}
	})
}
