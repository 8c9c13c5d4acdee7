package app_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// longPause is longer than an instance trusts what it has read.
const longPause = 4 * time.Second

// An instance is frozen at a step of delivering, another one takes its place and
// delivers with 200; when the first wakes up, the receiver answers its request
// with 410. The state that the successor left stands, and nothing is sent again.
func TestAnInstanceThatWakesUpAtAnyStep(t *testing.T) {
	for name, c := range map[string]struct {
		at       string // the statement; empty: its request is open
		requests int64
	}{
		"events are dispatched":    {"delete from pending_events", 1},
		"deliveries are stored":    {"insert into deliveries", 1},
		"the lane is claimed":      {"update lanes set leased_by", 1},
		"deliveries are asked for": {"string_agg(case when s.total", 1},
		"deliveries are read":      {"as passage", 1},
		"a request is open":        {"", 2},
		"the attempt is recorded":  {"insert into attempts", 2},
		"the hour is counted":      {"insert into webhook_hours", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they mostly wait
			wakeUp(t, c.at, c.requests)
		})
	}
}

func wakeUp(t *testing.T, at string, requests int64) {
	env := apptest.WithKey(apptest.Environment(t, "postgres"))
	direct := apptest.ValueOf(env, "DATABASE_URL")
	proxy := modelstest.NewProxy(t, direct)
	env = with(env, "DATABASE_URL", proxy.Through(direct)+"&idle_in_transaction_session_timeout=1000")
	hook := newGoneLater(t, at == "")
	first := apptest.Serve(t, env)
	b := first.Login()
	b.Quick()
	b.CreateType("stackauth", apptest.WebhookForm(hook.URL))
	inside := (<-chan struct{})(hook.came)
	if at != "" {
		inside = proxy.HangAt(at)
	}
	first.Accept(apptest.QuestionJSON("one", 1, ""))
	select {
	case <-inside:
	case <-time.After(apptest.Patience):
		t.Fatalf("the instance never sent %q", at)
	}
	ok(t, first.Cmd.Process.Signal(apptest.Freeze))
	frozen := time.Now()
	hook.others.Store(true)

	second := apptest.Serve(t, with(env, "DATABASE_URL", direct))
	db := openDatabase(t, []string{"DATABASE_URL=" + direct})
	value := func(query string) (n int64) {
		t.Helper()
		ok(t, db.QueryRowContext(t.Context(), query).Scan(&n))
		return n
	}
	apptest.Eventually(t, "the delivery by the other instance", func() bool {
		apptest.Exec(t, db, "update lanes set leased_until = clock_timestamp() - interval '1 second' where leased_until > clock_timestamp() + interval '20 seconds' and not exists (select 1 from attempts)")
		return value("select count(*) from attempts where arrived") == 1 && value("select count(*) from delivery_queue") == 0 && time.Since(frozen) > longPause
	})
	hook.release()
	proxy.Cut()
	ok(t, first.Cmd.Process.Signal(apptest.Thaw))
	attempts := requests
	apptest.Eventually(t, "what the first one knows", func() bool { return value("select count(*) from attempts") == attempts })
	// Both go on: an event that comes now arrives once.
	first.Accept(apptest.QuestionJSON("two", 2, ""))
	apptest.Eventually(t, "the next event", func() bool {
		return value("select count(*) from attempts where arrived") == 2 && value("select count(*) from delivery_queue") == 0
	})
	if n := hook.requests.Load(); n != requests+1 {
		t.Errorf("%d requests, want %d", n, requests+1)
	}
	for query, want := range map[string]int64{
		"select count(*) from webhooks where state = 'active'":                                   1,
		"select count(*) from deliveries":                                                        2,
		"select count(*) from delivery_ends":                                                     0,
		"select count(*) from lanes where failures_in_row = 0 and last_code = 200 and not paced": 1,
		"select coalesce(sum(failed), 0) from webhook_hours":                                     0,
	} {
		if got := value(query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	ok(t, second.Terminate())
}

// goneLater is a receiver that answers 410 to the first instance, at once or
// when it is released, and 200 to others.
type goneLater struct {
	URL      string
	came     chan struct{} // the first request did
	others   atomic.Bool   // those that ask now are others
	requests atomic.Int64
	release  context.CancelFunc
}

func newGoneLater(t *testing.T, late bool) *goneLater {
	held, release := context.WithCancel(t.Context())
	h := &goneLater{came: make(chan struct{}), release: release}
	if !late {
		release()
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		first := h.requests.Add(1) == 1
		if h.others.Load() {
			return
		}
		if first {
			close(h.came)
		}
		<-held.Done()
		w.WriteHeader(http.StatusGone)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(release)
	h.URL = server.URL
	return h
}
