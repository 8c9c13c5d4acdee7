package bench

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// benchLocation is where the load happens; the sample databases know it not.
const benchLocation = "coffee"

// loadOrder asks for events at the ingest API.
type loadOrder struct {
	Bases  []string // of the instances, in turn
	Prefix string   // of the events' ids
	Events int
	Size   int // events in a request
	// Clients that send one request after the other; with a Rate, a request
	// starts at its moment, however long those before take.
	Clients int
	Rate    float64 // requests a second
	// Tags that the events have in turn, w0, w1, …; with Hot every other event
	// has the tag hot instead.
	Tags int
	Hot  bool
	// Locations that the events are in, in turn; 0: benchLocation alone.
	Locations int
	// Burst is how many events are sent before, in requests of 100, as fast as
	// possible. Their latency is not measured.
	Burst   int
	untimed bool
}

// loadResult says when the load was sent and accepted.
type loadResult struct{ Started, Accepted time.Time }

// load is the role of the site that reports its events.
func load(o loadOrder) (loadResult, error) {
	client := keepAlive(256)
	result := loadResult{Started: time.Now()}
	if o.Burst > 0 {
		first := loadOrder{Bases: o.Bases, Prefix: o.Prefix + "-burst", Events: o.Burst, Size: 100, Clients: 8, untimed: true}
		if err := first.send(client); err != nil {
			return result, err
		}
	}
	err := o.send(client)
	result.Accepted = time.Now()
	return result, err
}

func (o loadOrder) send(client *http.Client) error {
	requests := o.Events / o.Size
	send := func(i int, at time.Time) error {
		return post(client, o.Bases[i%len(o.Bases)]+"/api/v1/events", o.body(i, at), http.StatusAccepted,
			"Authorization", "Bearer "+apptest.IngestToken, "Content-Type", "application/json")
	}
	if o.Rate > 0 {
		return paced(requests, o.Rate, send)
	}
	return inTurn(requests, o.Clients, send)
}

// body is the i-th request, with events meant to be sent at a moment.
func (o loadOrder) body(i int, at time.Time) []byte {
	if o.untimed {
		at = time.Unix(0, 0)
	}
	var b bytes.Buffer
	b.WriteString(`{"events":[`)
	for n := i * o.Size; n < (i+1)*o.Size; n++ {
		if n > i*o.Size {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"%s-%d","type":"question.created","location":%q,"community":"benchmarks","question":{"question_id":%d,`+
			`"title":"How fine should I grind for a small pot? %s","link":"https://site.example/questions/%d/how-fine-should-i-grind",`+
			`"tags":["espresso",%q],"score":3,"owner":{"user_id":42,"display_name":"J Marshall"},`+
			`"body":"Mine runs through in ten seconds, and what comes out is sour. Does the water matter, or only the grinder?"}}`,
			o.Prefix, n, o.location(n), n+1, stamp(at), n+1, o.tag(n))
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

func (o loadOrder) location(n int) string {
	if o.Locations == 0 {
		return benchLocation
	}
	return benchLocation + "-" + strconv.Itoa(n%o.Locations)
}

func (o loadOrder) tag(n int) string {
	if o.Hot {
		if n%2 == 0 {
			return "hot"
		}
		n /= 2
	}
	return "w" + strconv.Itoa(n%max(1, o.Tags))
}

// inTurn has so many clients send one request after the other.
func inTurn(requests, clients int, send func(i int, at time.Time) error) error {
	var next atomic.Int64
	var first firstError
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < requests && first.get() == nil; i = int(next.Add(1)) - 1 {
				first.set(send(i, time.Now()))
			}
		})
	}
	wg.Wait()
	return first.get()
}

// paced starts each request at its moment, late answers or not.
func paced(requests int, rate float64, send func(i int, at time.Time) error) error {
	var first firstError
	var wg sync.WaitGroup
	start := time.Now().Add(50 * time.Millisecond)
	for i := range requests {
		at := start.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		<-time.After(time.Until(at))
		wg.Go(func() { first.set(send(i, at)) })
	}
	wg.Wait()
	return first.get()
}

type firstError struct {
	mu  sync.Mutex
	err error
}

func (f *firstError) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *firstError) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// rawOrder measures the maximum of the machine.
type rawOrder struct {
	URL     string
	Bytes   int // of a body
	Clients int
	Seconds float64
}

// rawLoop signs and POSTs, and stores nothing. It returns requests a second.
func rawLoop(o rawOrder) (float64, error) {
	client, started := keepAlive(o.Clients), time.Now()
	body, run := o.body(), strconv.FormatInt(started.UnixNano(), 10)
	var n atomic.Int64
	var first firstError
	var wg sync.WaitGroup
	for range o.Clients {
		wg.Go(func() {
			for first.get() == nil && time.Since(started).Seconds() < o.Seconds {
				first.set(signedPost(client, o.URL, "raw_"+run+"_"+strconv.FormatInt(n.Add(1), 10), body))
			}
		})
	}
	wg.Wait()
	return float64(n.Load()) / time.Since(started).Seconds(), first.get()
}

// signedPost sends a body with a signature in three headers.
func signedPost(client *http.Client, url, id string, body []byte) error {
	at := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte("0123456789abcdef0123456789abcdef"))
	_, _ = fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	return post(client, url, body, http.StatusOK, "Content-Type", "application/json", "svix-id", id,
		"svix-timestamp", at, "svix-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// readOrder asks for a page again and again.
type readOrder struct {
	URL, Cookie string
	Clients     int
	Seconds     float64
}

// readResult is how fast a page came.
type readResult struct {
	PerSecond float64
	Bytes     int64
	Latency   latency
}

// read is the role of the browsers.
func read(o readOrder) (readResult, error) {
	client, started := keepAlive(o.Clients), time.Now()
	var mu sync.Mutex
	var delays []time.Duration
	var result readResult
	var first firstError
	var wg sync.WaitGroup
	for range o.Clients {
		wg.Go(func() {
			for first.get() == nil && time.Since(started).Seconds() < o.Seconds {
				began := time.Now()
				n, err := fetch(client, o.URL, o.Cookie)
				first.set(err)
				mu.Lock()
				delays = append(delays, time.Since(began))
				result.Bytes = n
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	result.PerSecond = float64(len(delays)) / time.Since(started).Seconds()
	result.Latency = latencyOf(delays)
	return result, first.get()
}

func keepAlive(connections int) *http.Client {
	return &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections, DisableCompression: true,
	}}
}

func post(client *http.Client, url string, body []byte, want int, header ...string) error {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for pair := range slices.Chunk(header, 2) {
		req.Header.Set(pair[0], pair[1])
	}
	_, err = exchange(client, req, want)
	return err
}

func fetch(client *http.Client, url, cookie string) (int64, error) {
	req, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Cookie", cookie)
	return exchange(client, req, http.StatusOK)
}

// exchange returns how long the answer's body was.
func exchange(client *http.Client, req *http.Request, want int) (int64, error) {
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err == nil && resp.StatusCode != want {
		err = fmt.Errorf("%s %s: %s", req.Method, req.URL, resp.Status)
	}
	return n, err
}
