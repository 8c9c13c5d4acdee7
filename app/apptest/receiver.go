package apptest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// Receiver keeps the requests that it gets, by delivery.
type Receiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []Delivered
}

// Delivered is one request to a receiver.
type Delivered struct {
	ID     string
	Header http.Header
	Body   []byte
}

// NewReceiver answers 200 to everything, over http.
func NewReceiver(t testing.TB) *Receiver {
	r := &Receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests = append(r.requests, Delivered{req.Header.Get("webhook-id"), req.Header.Clone(), body})
	}))
	t.Cleanup(r.Close)
	return r
}

// Got is everything that was received, in order.
func (r *Receiver) Got() []Delivered {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// Item is any item of a generic body.
type Item struct {
	Type       string
	QuestionID int64 `json:"question_id"`
	AnswerID   int64 `json:"answer_id"`
	Title      string
	Tags       []string
}

// Items are all items received, of deliveries with distinct ids.
func (r *Receiver) Items(t testing.TB) []Item {
	t.Helper()
	var all []Item
	seen := map[string]bool{}
	for _, d := range r.Got() {
		if seen[d.ID] {
			continue
		}
		seen[d.ID] = true
		var body struct{ Questions, Answers, Comments []Item }
		ok(t, json.Unmarshal(d.Body, &body))
		all = slices.Concat(all, body.Questions, body.Answers, body.Comments)
	}
	return all
}
