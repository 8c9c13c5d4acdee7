package demo

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestStoryIsTheSameForASeed(t *testing.T) {
	at := time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)
	tell := func(seed uint64) string {
		s := newStory(seed, func() time.Time { return at })
		var all [][]event
		all = append(all, s.opening())
		for range 100 {
			all = append(all, s.next())
			s.pause()
		}
		text, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if first, again := tell(1), tell(1); first != again {
		t.Error("the same seed told two stories")
	}
	if tell(1) == tell(2) {
		t.Error("two seeds told the same story")
	}
}

func TestOpeningReachesEverySampleWebhook(t *testing.T) {
	for seed := range uint64(50) {
		s := newStory(seed, time.Now)
		met := map[string]bool{}
		for _, e := range s.opening() {
			for _, tag := range append(e.Question.Tags, "") {
				met[e.Location+" "+tag+" "+e.Type] = true
			}
		}
		for _, want := range []string{
			"python-wranglers python answer.accepted", "devcentral backend question.created",
			"accessibility a11y question.created", "soe-test  answer.created", "main  question.created",
		} {
			if !met[want] {
				t.Errorf("seed %d: nothing opens with %s", seed, want)
			}
		}
	}
}

func TestStoryHoldsTogether(t *testing.T) {
	s := newStory(7, time.Now)
	seen := map[string]int{}
	life := map[int64]int{}
	var before event
	for range 600 {
		for _, e := range s.next() {
			seen[e.Type]++
			id := e.Question.QuestionID
			if e.Type != steps[life[id]] {
				t.Fatalf("question %d: %s happened as step %d", id, e.Type, life[id])
			}
			life[id]++
			if life[id] == 3 && (before.Question.QuestionID != id || before.Question.Body == e.Question.Body) {
				t.Errorf("the second edit of %d does not follow the first with another text", id)
			}
			if e.Type == "answer.accepted" && !e.Answer.Accepted {
				t.Errorf("accepted answer %d is not marked so", e.Answer.AnswerID)
			}
			before = e
		}
		if p := s.pause(); p < time.Second || p >= 3*time.Second {
			t.Errorf("pause of %s", p)
		}
	}
	for _, kind := range steps {
		if seen[kind] < 20 {
			t.Errorf("%s happened %d times in 600 steps", kind, seen[kind])
		}
	}
}

func TestTopicsKeepTheLimits(t *testing.T) {
	titles := map[string]bool{}
	for _, topic := range topics() {
		if len(topic.title) > 300 || topic.body == "" || topic.edit == "" || topic.answer == "" || topic.comment == "" || len(topic.tags) == 0 {
			t.Errorf("incomplete: %q", topic.title)
		}
		titles[topic.title] = true
	}
	if len(titles) < 30 {
		t.Errorf("%d different titles", len(titles))
	}
}

// stopAfter lets a run pass without time, and ends it after so many waits.
func stopAfter(n int, stop context.CancelFunc) func(context.Context, time.Duration) error {
	return func(ctx context.Context, _ time.Duration) error {
		if n--; n <= 0 {
			stop()
		}
		return ctx.Err()
	}
}

func TestSimulatorPostsUntilAccepted(t *testing.T) {
	var calls, busy atomic.Int64
	var last atomic.Value
	busy.Store(2)
	ids := map[string]int{}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("Authorization") != "Bearer tok" || q.URL.Path != "/api/v1/events" || q.Header.Get("Content-Type") != "application/json" {
			t.Errorf("odd request: %s %v", q.URL.Path, q.Header)
		}
		var in struct{ Events []event }
		if err := json.NewDecoder(q.Body).Decode(&in); err != nil || len(in.Events) == 0 {
			t.Errorf("body: %v, %d events", err, len(in.Events))
		}
		calls.Add(1)
		if busy.Add(-1) >= 0 {
			last.Store(in.Events[0].ID)
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		if calls.Load() == 3 && in.Events[0].ID != last.Load() {
			t.Errorf("tried again with id %s, before %s", in.Events[0].ID, last.Load())
		}
		for _, e := range in.Events {
			ids[e.ID]++
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer site.Close()
	ctx, stop := context.WithCancel(t.Context())
	s := Simulator{Base: site.URL, Token: "tok", Seed: 3, Wait: stopAfter(12, stop)}
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if calls.Load() != 12 || len(ids) < 20 {
		t.Errorf("%d posts, %d ids", calls.Load(), len(ids))
	}
	for id, n := range ids {
		if n != 1 {
			t.Errorf("id %s came %d times", id, n)
		}
	}
}

func TestSimulatorEndsWhenRefused(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "unknown token", http.StatusUnauthorized)
	}))
	defer site.Close()
	s := Simulator{Base: site.URL, Token: "wrong", Seed: 3}
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "unknown token") {
		t.Errorf("err = %v", err)
	}
}

func TestSimulatorWaitsForTheConsole(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	s := Simulator{Base: "http://127.0.0.1:1", Token: "tok", Wait: stopAfter(3, stop)}
	if err := s.Run(ctx); err != nil {
		t.Errorf("err = %v", err)
	}
}
