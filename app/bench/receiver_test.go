package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// An event of the load carries the moment when it was meant to be sent, in
// nanoseconds, between two of these. It comes out in every type's body.
const stampMark = '~'

func stamp(at time.Time) string {
	return string(stampMark) + strconv.FormatInt(at.UnixNano(), 10) + string(stampMark)
}

// stamps are the moments in a body.
func stamps(body []byte) []int64 {
	var found []int64
	for {
		start := bytes.IndexByte(body, stampMark)
		if start < 0 {
			return found
		}
		body = body[start+1:]
		end := bytes.IndexByte(body, stampMark)
		if end < 0 {
			return found
		}
		if at, err := strconv.ParseInt(string(body[:end]), 10, 64); err == nil {
			found = append(found, at)
		}
		body = body[end+1:]
	}
}

// tally counts the requests of a receiver since its last reset.
type tally struct {
	Requests int64 // repeats included
	Repeats  int64 // requests with an id that came before
	Items    int64 // events inside, of no repeat
	Bytes    int64
	Last     int64 // when the last item came, in nanoseconds since 1970
	Latency  latency
}

// latency is from the intended moment to the arrival, in milliseconds.
type latency struct{ P50, P90, P99, Max float64 }

// counter is a receiver that only counts.
type counter struct {
	mu     sync.Mutex
	tally  tally
	seen   map[string]struct{}
	delays []time.Duration
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/-/tally":
		_ = json.NewEncoder(w).Encode(c.counts())
	case "/-/forget":
		c.forget()
	default:
		body, _ := io.ReadAll(r.Body)
		c.count(r.Header.Get("webhook-id")+r.Header.Get("svix-id"), body, time.Now())
	}
}

func (c *counter) count(id string, body []byte, now time.Time) {
	moments := stamps(body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally.Requests++
	if _, again := c.seen[id]; again {
		c.tally.Repeats++
		return
	}
	c.seen[id] = struct{}{}
	c.tally.Bytes += int64(len(body))
	c.tally.Items += int64(max(1, len(moments)))
	c.tally.Last = now.UnixNano()
	for _, at := range moments {
		if at == 0 { // of a burst, which is not timed
			continue
		}
		c.delays = append(c.delays, time.Duration(now.UnixNano()-at))
	}
}

func (c *counter) counts() tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tally
	t.Latency = latencyOf(slices.Clone(c.delays))
	return t
}

func (c *counter) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally, c.seen, c.delays = tally{}, map[string]struct{}{}, nil
}

func latencyOf(delays []time.Duration) latency {
	if len(delays) == 0 {
		return latency{}
	}
	slices.Sort(delays)
	at := func(share float64) float64 {
		return float64(delays[int(share*float64(len(delays)-1))].Microseconds()) / 1000
	}
	return latency{at(0.5), at(0.9), at(0.99), at(1)}
}

// receive is the role of the receiver: it says its address and serves until
// its input ends, which it does with the process that started it.
func receive(stdin io.Reader, stdout io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c := &counter{}
	c.forget()
	server := &http.Server{Handler: c, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	if _, err := fmt.Fprintln(stdout, "http://"+l.Addr().String()); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, stdin)
	return err
}

// target is the receiver as its user sees it.
type target struct {
	t   testing.TB
	url string
}

func newTarget(t testing.TB) *target {
	t.Helper()
	return &target{t, startServer(t, roleCommand("receiver", nil))}
}

// startServer starts a role that serves until its input ends, and returns its
// address.
func startServer(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	in, err := cmd.StdinPipe()
	ok(t, err)
	out, err := cmd.StdoutPipe()
	ok(t, err)
	cmd.Stderr = os.Stderr
	ok(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	ok(t, err)
	return strings.TrimSpace(line)
}

func (r *target) tally() (got tally) {
	r.t.Helper()
	a, err := apptest.Get(r.t, http.DefaultClient, r.url+"/-/tally")
	ok(r.t, err)
	ok(r.t, json.Unmarshal([]byte(a.Body), &got))
	return got
}

func (r *target) forget() {
	r.t.Helper()
	_, err := apptest.Get(r.t, http.DefaultClient, r.url+"/-/forget")
	ok(r.t, err)
}

// wait returns the tally once all events have arrived.
func (r *target) wait(events int) (got tally) {
	r.t.Helper()
	apptest.Eventually(r.t, fmt.Sprintf("%d events at the receiver", events), func() bool {
		got = r.tally()
		return got.Items >= int64(events)
	})
	return got
}
