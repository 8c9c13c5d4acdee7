package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// receiver keeps what is delivered, by delivery.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []delivered
}

type delivered struct {
	id     string
	header http.Header
	body   []byte
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests = append(r.requests, delivered{req.Header.Get("webhook-id"), req.Header.Clone(), body})
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) got() []delivered {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// item is any item of a generic body.
type item struct {
	Type       string
	QuestionID int64 `json:"question_id"`
	AnswerID   int64 `json:"answer_id"`
	Title      string
	Tags       []string
}

// items are all items received, of deliveries with distinct ids.
func (r *receiver) items(t testing.TB) []item {
	t.Helper()
	var all []item
	seen := map[string]bool{}
	for _, d := range r.got() {
		if seen[d.id] {
			continue
		}
		seen[d.id] = true
		var body struct{ Questions, Answers, Comments []item }
		ok(t, json.Unmarshal(d.body, &body))
		all = slices.Concat(all, body.Questions, body.Answers, body.Comments)
	}
	return all
}
