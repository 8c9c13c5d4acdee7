package app_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
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
// went to receivers, a delivery each. The receiver that drips is not waited
// for: it takes 15 s for each.
func memoryUnder(t testing.TB, kind string, events int, answers map[string]http.HandlerFunc) float64 {
	t.Helper()
	in := serve(t, environment(t, kind), "SITEHOOKS_LOG_LEVEL=error")
	defer in.kill()
	b := in.login()
	b.quick()
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
		b.createType("stackauth", webhookForm(server.URL))
	}
	for start := 0; start < events; start += 100 {
		batch := make([]string, 100)
		for i := range batch {
			batch[i] = questionJSON(fmt.Sprintf("e%d", start+i), start+i+1, "")
		}
		in.accept(`{"events":[` + strings.Join(batch, ",") + `]}`)
	}
	for name, n := range came {
		want := int64(events)
		if name == "one byte at a time" {
			want = 16
		}
		eventually(t, name, func() bool { return n.Load() >= want })
	}
	defer in.kill() // before the servers close, which wait for what is open
	return peakMiB(t, in.cmd.Process.Pid)
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
const hostileMiB = 64

func TestHostileReceiversCostLittleMemory(t *testing.T) {
	onBoth(t, func(t *testing.T, kind string) {
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
