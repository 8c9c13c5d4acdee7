package demo

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	requestsMax = 200     // requests in memory
	maxBody     = 1 << 20 // bytes; a delivery is at most a quarter of it
)

// request is one request as it arrived, with the receiver's checks of it.
type request struct {
	Number  int64             `json:"number"` // from 1, in the order of arrival
	Hook    string            `json:"hook"`
	At      time.Time         `json:"at"`
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Status  int               `json:"status"` // answered
	Items   []item            `json:"items"`
	Checks  []signatureCheck  `json:"checks"`
}

// Receiver is the other side of the demo's webhooks: it answers POST requests,
// keeps the newest ones in memory and shows whether each signature verifies. A
// wrong signature is answered with 401. It
// knows nothing of the product but the secrets that SetUp gives it.
type Receiver struct {
	mux *http.ServeMux

	mu       sync.Mutex
	secrets  map[string][]string
	requests []request // oldest first
	count    int64
}

// NewReceiver returns a receiver that knows no secrets yet.
func NewReceiver() *Receiver {
	r := &Receiver{mux: http.NewServeMux(), secrets: map[string][]string{}}
	r.mux.HandleFunc("POST /hook/{name}", r.receive(http.StatusOK, "ok"))
	r.mux.HandleFunc("POST /gone/{name}", r.receive(http.StatusGone, "this hook was retired"))
	r.mux.HandleFunc("GET /{$}", r.page)
	r.mux.HandleFunc("GET /style.css", r.style)
	r.mux.HandleFunc("GET /requests.json", r.list)
	return r
}

// Expect says with which secrets requests to the hook of that name are signed,
// secret 1 first; empty ones are left out.
func (r *Receiver) Expect(name string, secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets[name] = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return s == "" })
}

// ServeHTTP answers hooks and shows the requests.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	r.mux.ServeHTTP(w, q)
}

// receive answers the requests to it with status and text, and records them. One
// that would be accepted is refused when its signature is wrong.
func (r *Receiver) receive(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) {
		if body, ok := readHook(w, q); ok {
			answerHook(w, r.record(q, body, status), text)
		}
	}
}

// readHook reads a request's body; not ok: it was too long, which is answered,
// or the sender went away.
func readHook(w http.ResponseWriter, q *http.Request) (body []byte, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, maxBody))
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		http.Error(w, "body too large", http.StatusRequestEntityTooLarge)
	}
	return body, err == nil
}

// answerHook answers a request with its status, and with text or what is wrong
// with its signature.
func answerHook(w http.ResponseWriter, one request, text string) {
	if one.Status == http.StatusUnauthorized {
		text = one.Checks[0].Why + "\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(one.Status)
	_, _ = io.WriteString(w, text)
}

// newRequest is a request that arrived now, with the check of its signature
// against the secrets. Its status is 401 instead of 200 when it has none of them.
func newRequest(q *http.Request, body []byte, status int, secrets []string) request {
	now := time.Now().UTC()
	got := request{
		Hook: q.PathValue("name"), At: now, Method: q.Method, Path: q.URL.Path,
		Headers: map[string]string{}, Body: strings.ToValidUTF8(string(body), "\uFFFD"),
		Status: status, Items: itemsOf(body), Checks: verifySignature(q.Header, body, secrets, now),
	}
	if status == http.StatusOK && len(secrets) > 0 && !got.Checks[0].Good {
		got.Status = http.StatusUnauthorized
	}
	for name, values := range q.Header {
		got.Headers[name] = strings.Join(values, ", ")
	}
	return got
}

func (r *Receiver) record(q *http.Request, body []byte, status int) request {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := newRequest(q, body, status, r.secrets[q.PathValue("name")])
	r.count++
	got.Number = r.count
	if len(r.requests) == requestsMax {
		r.requests = slices.Delete(r.requests, 0, 1)
	}
	r.requests = append(r.requests, got)
	return got
}

// newest returns the kept requests, newest first, and how many arrived in all.
func (r *Receiver) newest() ([]request, int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	requests := slices.Clone(r.requests)
	slices.Reverse(requests)
	return requests, r.count
}

func (r *Receiver) list(w http.ResponseWriter, _ *http.Request) {
	requests, count := r.newest()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(struct {
		Received int64     `json:"received"`
		Requests []request `json:"requests"`
	}{count, requests})
}
