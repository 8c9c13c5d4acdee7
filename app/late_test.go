package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// gatekept is a receiver whose answers wait at a gate and have a code.
type gatekept struct {
	*httptest.Server
	came chan struct{} // a request came
	gate chan struct{}
	mu   sync.Mutex
	code int
	n    int
}

func newGatekept(t testing.TB) *gatekept {
	t.Helper()
	g := &gatekept{came: make(chan struct{}, 1000), gate: make(chan struct{}), code: http.StatusOK}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		g.mu.Lock()
		g.n++
		gate, code := g.gate, g.code
		g.mu.Unlock()
		g.came <- struct{}{}
		<-gate
		w.WriteHeader(code)
	}))
	t.Cleanup(g.Close)
	return g
}

// answers lets all later requests have an answer at once.
func (g *gatekept) answers(code int) (former chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	former, g.gate, g.code = g.gate, make(chan struct{}), code
	close(g.gate)
	return former
}

func (g *gatekept) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.n
}

// TestAnInstanceThatWakesUpLate: an instance is frozen with a request open, its
// lease runs out, and another instance delivers. What comes back to the first
// when it goes on is kept as an attempt and changes nothing else.
func TestAnInstanceThatWakesUpLate(t *testing.T) {
	env := apptest.WithKey(apptest.Environment(t, "postgres"))
	late := apptest.Serve(t, env)
	b := late.Login()
	b.Quick()
	to := newGatekept(t)
	to.code = http.StatusGone
	b.CreateType("stackauth", apptest.WebhookForm(to.URL))
	late.Accept(apptest.QuestionJSON("one", 1, ""))
	<-to.came
	db := openDatabase(t, env)
	number := func(query string) (n int) {
		ok(t, db.QueryRowContext(t.Context(), query).Scan(&n))
		return n
	}
	ok(t, late.Cmd.Process.Signal(apptest.Freeze))
	apptest.Exec(t, db, "update lanes set leased_until = clock_timestamp() - interval '1 second'")
	gate := to.answers(http.StatusOK)
	apptest.Serve(t, env)
	apptest.Eventually(t, "the other instance delivers", func() bool {
		return number("select count(*) from attempts") == 1 && number("select count(*) from lanes where leased_by <> ''") == 0
	})
	close(gate) // 410, to the first one
	ok(t, late.Cmd.Process.Signal(apptest.Thaw))
	apptest.Eventually(t, "the late answer is kept", func() bool { return number("select count(*) from attempts") == 2 })
	const stands = "select count(*) from webhooks w join lanes l on l.webhook_id = w.id where w.state = 'active' and l.last_code = 200 and l.failures_in_row = 0 and l.next_due_at is null"
	if n := number(stands); n != 1 || to.count() != 2 {
		t.Errorf("the successor's state does not stand, after %d requests\n%s", to.count(), late.Log)
	}
}

// TestAReleaseThatWakesUpLate: an instance is frozen while it sends what was
// held; the webhook is paused meanwhile, and gets nothing more.
func TestAReleaseThatWakesUpLate(t *testing.T) {
	env := apptest.WithKey(apptest.Environment(t, "postgres"))
	late := apptest.Serve(t, env)
	b := late.Login()
	b.Quick()
	to := newGatekept(t)
	to.answers(http.StatusOK)
	b.CreateType("stackauth", apptest.WebhookForm(to.URL))
	post := func(b *apptest.Browser, action string, form url.Values) {
		if a := b.Post("/admin/webhooks/1/"+action, form); a.Code != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", action, a.Code, a.Body)
		}
	}
	post(b, "pause", url.Values{})
	for i := range 60 {
		late.Accept(apptest.QuestionJSON(fmt.Sprint("held-", i), i+1, ""))
	}
	apptest.Eventually(t, "all are held", func() bool { return strings.Contains(b.Get("/admin/webhooks/1").Body, "60") })
	post(b, "resume", url.Values{"held": {"send"}, "do": {"send"}})
	for range 3 {
		<-to.came
	}
	ok(t, late.Cmd.Process.Signal(apptest.Freeze))
	db := openDatabase(t, env)
	apptest.Exec(t, db, "update lanes set leased_until = clock_timestamp() - interval '1 second'")
	apptest.Exec(t, db, "update webhooks set state = 'stopped', state_at = clock_timestamp()")
	before := to.count()
	ok(t, late.Cmd.Process.Signal(apptest.Thaw))
	apptest.Eventually(t, "it notices", func() bool {
		var n int
		ok(t, db.QueryRowContext(t.Context(), "select count(*) from lanes where leased_by = ''").Scan(&n))
		return n == 1
	})
	if after := to.count(); before < 3 || after > before+4 || after == 60 {
		t.Errorf("%d requests before it was frozen, %d afterwards", before, after)
	}
}
