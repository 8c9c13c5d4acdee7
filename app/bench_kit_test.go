package app_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// sink is a receiver that only counts, as fast as it can.
type sink struct {
	url    string
	events atomic.Int64 // items, or requests when a request is one event
	seen   sync.Map     // delivery id → nothing; repeats are not counted
}

func newSink(b testing.TB, itemsOf func(body []byte) int) *sink {
	b.Helper()
	s := &sink{}
	l, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	ok(b, err)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		id := r.Header.Get("webhook-id") + r.Header.Get("svix-id")
		if _, again := s.seen.LoadOrStore(id, struct{}{}); !again {
			s.events.Add(int64(itemsOf(body)))
		}
	})}
	go func() { _ = server.Serve(l) }()
	b.Cleanup(func() { _ = server.Close() })
	s.url = "http://" + l.Addr().String()
	return s
}

func (s *sink) wait(b testing.TB, n int64) {
	b.Helper()
	eventually(b, fmt.Sprintf("%d events, got %d", n, s.events.Load()), func() bool { return s.events.Load() >= n })
}

// fast is a client that keeps its connections.
func fast() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, MaxConnsPerHost: 256}}
}

// together runs work in so many goroutines and waits for all.
func together(n int, work func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { work(i) })
	}
	wg.Wait()
}

// rawLoop is what the machine can do at best: sign and POST, nothing stored.
// It returns requests a second.
func rawLoop(b testing.TB, body []byte, span time.Duration) float64 {
	b.Helper()
	s := newSink(b, func([]byte) int { return 1 })
	client, started := fast(), time.Now()
	var n atomic.Int64
	together(64, func(int) {
		for time.Since(started) < span {
			id := strconv.FormatInt(n.Add(1), 10)
			mac := hmac.New(sha256.New, []byte("0123456789abcdef0123456789abcdef"))
			_, _ = fmt.Fprintf(mac, "%s.%d.%s", id, started.Unix(), body)
			req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, s.url, bytes.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			req.Header.Set("svix-id", id)
			req.Header.Set("svix-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
			resp, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
	return float64(n.Load()) / time.Since(started).Seconds()
}

// load posts n events in requests of size, from so many clients at once.
func (in *instance) load(b testing.TB, clients, n, size int) {
	b.Helper()
	client := fast()
	var next atomic.Int64
	together(clients, func(int) {
		for {
			last := int(next.Add(int64(size)))
			if last > n {
				return
			}
			var body bytes.Buffer
			body.WriteString(`{"events":[`)
			for i := last - size; i < last; i++ {
				if i > last-size {
					body.WriteByte(',')
				}
				body.WriteString(questionJSON("load-"+strconv.Itoa(i), i+1, `,"location":"main"`))
			}
			body.WriteString(`]}`)
			req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, in.base+"/api/v1/events", &body)
			if err != nil {
				b.Error(err)
				return
			}
			req.Header.Set("Authorization", "Bearer "+ingestToken)
			req.Header.Set("Content-Type", "application/json")
			resp, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusAccepted {
				b.Errorf("ingest answered %s", resp.Status)
				return
			}
		}
	})
}

// cpuSeconds is the time of the instance and of PostgreSQL's processes.
func (in *instance) cpuSeconds(b testing.TB) float64 {
	b.Helper()
	ticks := 0.0
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	ok(b, err)
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		pid, name, _ := strings.Cut(string(text), " (")
		name, rest, _ := strings.Cut(name, ") ")
		if name != "postgres" && pid != strconv.Itoa(in.cmd.Process.Pid) {
			continue
		}
		fields := strings.Fields(rest)
		for _, f := range fields[11:13] { // user and system time
			n, err := strconv.ParseFloat(f, 64)
			ok(b, err)
			ticks += n
		}
	}
	return ticks / 100
}
