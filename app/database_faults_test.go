package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// proxied is an environment on a new PostgreSQL database behind a proxy, where
// a statement, and a pause in a transaction, may take half a second.
func proxied(t testing.TB) (env []string, proxy *modelstest.Proxy, direct string) {
	t.Helper()
	env = apptest.Environment(t, "postgres")
	direct = apptest.ValueOf(env, "DATABASE_URL")
	proxy = modelstest.NewProxy(t, direct)
	return with(env, "DATABASE_URL", proxy.Through(direct)+"&statement_timeout=500&idle_in_transaction_session_timeout=500"), proxy, direct
}

// with replaces a variable of an environment.
func with(env []string, name, value string) []string {
	rest := slices.DeleteFunc(slices.Clone(env), func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
	return append(rest, name+"="+value)
}

// Connections that neither answer nor close are thrown away: events accepted
// afterwards are sent, and a stop ends while they hang.
func TestConnectionsThatHangAreThrownAway(t *testing.T) {
	env, proxy, _ := proxied(t)
	in, hook := apptest.Serve(t, env), apptest.NewReceiver(t)
	b := in.Login()
	b.Quick()
	b.CreateWebhook(apptest.WebhookForm(hook.URL))
	in.Accept(apptest.QuestionJSON("before", 1, ""))
	apptest.Eventually(t, "a delivery before", func() bool { return len(hook.Items(t)) == 1 })

	proxy.Hang()
	since := time.Now()
	accepted := 0
	apptest.Eventually(t, "a delivery past the hung connections", func() bool {
		a := in.Ingest(apptest.QuestionJSON(fmt.Sprint("after-", accepted), 2+accepted, ""))
		switch {
		case a.Code == http.StatusAccepted:
			accepted++
		case a.Code != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "":
			t.Fatalf("while connections hang: %d %s", a.Code, a.Body)
		}
		return len(hook.Items(t)) > 1
	})
	t.Logf("sent again after %s", time.Since(since))
	apptest.Eventually(t, "all that was accepted", func() bool { return len(hook.Items(t)) == 1+accepted })

	proxy.Hang()
	since = time.Now()
	if err := in.Terminate(); err != nil {
		t.Errorf("stopped with %v\n%s", err, in.Log)
	}
	t.Logf("stopped after %s", time.Since(since))
}

// While the database does not answer at all, ingest and /readyz say so, and the
// instance goes on when it does again.
func TestADatabaseThatDoesNotAnswerIsSaid(t *testing.T) {
	env, proxy, _ := proxied(t)
	in := apptest.Serve(t, with(env, "DATABASE_URL", apptest.ValueOf(env, "DATABASE_URL")+"&connect_timeout=1"))
	proxy.HangAll(true)
	a := in.Ingest(apptest.QuestionJSON("silent", 1, ""))
	if a.Code != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || !strings.Contains(a.Body, "the database does not answer") {
		t.Errorf("ingest: %d %s", a.Code, a.Body)
	}
	readyIs(in, http.StatusServiceUnavailable, "not ready: the database does not answer")
	proxy.HangAll(false)
	readyIs(in, http.StatusOK, "ready")
	in.Accept(apptest.QuestionJSON("answered", 2, ""))
}

// A connection that can only read is closed, so that writing goes on when the
// server can be written to again. Sessions keep their first mode, as those of a
// demoted server do.
func TestWritingGoesOnAfterAReadOnlySpell(t *testing.T) {
	env := apptest.Environment(t, "postgres")
	in, db := apptest.Serve(t, env), openDatabase(t, env)
	b := in.Login()
	in.Accept(apptest.QuestionJSON("before", 1, ""))
	name := strings.TrimPrefix(mustParse(t, apptest.ValueOf(env, "DATABASE_URL")).Path, "/")
	apptest.Exec(t, db, "alter database "+name+" set default_transaction_read_only = on")
	apptest.Exec(t, db, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
	refused := 0
	apptest.Eventually(t, "30 refusals", func() bool {
		a := in.Ingest(apptest.QuestionJSON(fmt.Sprint("refused-", refused), 2, ""))
		if a.Code != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
			t.Fatalf("while the server is read-only: %d %s", a.Code, a.Body)
		}
		refused++
		return refused == 30
	})
	readyIs(in, http.StatusServiceUnavailable, "not ready: the database server is read-only")
	bannerIs(b, "the database server is read-only")
	apptest.Exec(t, db, "set default_transaction_read_only = off; alter database "+name+" reset default_transaction_read_only")
	refused = 0
	for i := range 20 {
		if a := in.Ingest(apptest.QuestionJSON(fmt.Sprint("after-", i), 3+i, "")); a.Code != http.StatusAccepted {
			refused++
		}
	}
	if refused > 1 {
		t.Errorf("%d of 20 refused after the server can be written to again", refused)
	}
	readyIs(in, http.StatusOK, "ready")
}

// With several hosts in DATABASE_URL and target_session_attrs=read-write an
// instance finds the server that can be written to, also after a failover, and
// registers again the names that it lost.
func TestAFailoverIsFollowed(t *testing.T) {
	t.Setenv("PG_SETTINGS", "wal_level=replica max_wal_senders=4")
	primary := modelstest.StartPostgres(t)
	standby := primary.StartStandby(t)
	first, second := mustParse(t, standby.URL("postgres")), mustParse(t, primary.URL("postgres"))
	hosts := with(apptest.Environment(t, "sqlite"), "DATABASE_URL",
		"postgres://postgres@"+first.Host+","+second.Host+"/postgres?sslmode=disable&target_session_attrs=read-write")
	in := apptest.Serve(t, apptest.WithKey(hosts))
	in.Accept(apptest.QuestionJSON("kept", 1, ""))
	other := openDatabase(t, []string{"DATABASE_URL=" + standby.URL("postgres")})
	counts := func(query string) (n int) {
		ok(t, other.QueryRowContext(t.Context(), "select count(*) from "+query).Scan(&n))
		return n
	}
	apptest.Eventually(t, "the event at the standby", func() bool { return counts("events where event_id = 'kept'") == 1 })
	apptest.Exec(t, other, "alter system set primary_conninfo = ''")
	apptest.Exec(t, other, "select pg_reload_conf()")
	apptest.Eventually(t, "a standby that no longer follows", func() bool { return counts("pg_stat_wal_receiver") == 0 })
	const elsewhere = `,"location":"lost-team","community":"lost-community"`
	in.Accept(apptest.QuestionJSON("lost", 2, elsewhere))
	ok(t, primary.Crash())
	ok(t, standby.Promote())
	apptest.Eventually(t, "an event accepted after the failover", func() bool {
		return in.Ingest(apptest.QuestionJSON("lost", 2, elsewhere)).Code == http.StatusAccepted
	})
	if a := in.Ingest(apptest.QuestionJSON("kept", 1, "")); !strings.Contains(a.Body, `"duplicates":1`) {
		t.Errorf("what the standby had: %d %s", a.Code, a.Body)
	}
	if n := counts("locations where slug = 'lost-team'"); n != 1 {
		t.Error("the location that the failover lost is not registered again")
	}
	if n := counts("communities where slug = 'lost-community'"); n != 1 {
		t.Error("the community that the failover lost is not registered again")
	}
	if n := counts("events where event_id = 'lost'"); n != 1 {
		t.Errorf("%d events at the server that can be written to", n)
	}
}

// An instance that is frozen while it stores events does not block the others:
// events with the same new names are stored, and only events with the same id
// get 503.
func TestAnInstanceThatIsFrozenWhileItStoresHoldsUpNobody(t *testing.T) {
	env, proxy, direct := proxied(t)
	env = with(env, "DATABASE_URL", strings.Replace(apptest.ValueOf(env, "DATABASE_URL"), "session_timeout=500", "session_timeout=60000", 1))
	frozen, other := apptest.Serve(t, env), apptest.Serve(t, with(env, "DATABASE_URL", direct))
	const fresh = `,"location":"fresh-team","community":"fresh-community"`
	inside := proxy.HangAt("insert into pending_events") // the last of the transaction
	go func() {                                          // this request gets no answer before the test ends
		req, _ := http.NewRequest(http.MethodPost, frozen.Base+"/api/v1/events", strings.NewReader(taggedJSON("frozen", "fresh-tag", fresh)))
		req.Header.Set("Authorization", "Bearer "+apptest.IngestToken)
		req.Header.Set("Content-Type", "application/json")
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-inside
	ok(t, frozen.Cmd.Process.Signal(apptest.Freeze))
	const others = 20
	codes := make(chan int, others)
	var blocked apptest.Answer
	var all sync.WaitGroup
	all.Go(func() { blocked = other.Ingest(taggedJSON("frozen", "fresh-tag", fresh)) })
	for i := range others {
		all.Go(func() { codes <- other.Ingest(taggedJSON(fmt.Sprint("other-", i), "fresh-tag", fresh)).Code })
	}
	all.Wait()
	if blocked.Code != http.StatusServiceUnavailable || blocked.Header.Get("Retry-After") == "" {
		t.Errorf("the same event: %d %s", blocked.Code, blocked.Body)
	}
	for range others {
		if code := <-codes; code != http.StatusAccepted {
			t.Errorf("another event: %d", code)
		}
	}
	db := openDatabase(t, []string{"DATABASE_URL=" + direct})
	for _, row := range []string{
		"locations where slug = 'fresh-team'", "communities where slug = 'fresh-community'", "tags where name = 'fresh-tag'",
		// Nothing of the above waited for it.
		"pg_stat_activity where datname = current_database() and state = 'idle in transaction' and query like '%insert into events %'",
	} {
		var n int
		ok(t, db.QueryRowContext(t.Context(), "select count(*) from "+row).Scan(&n))
		if n != 1 {
			t.Errorf("%d of %s", n, row)
		}
	}
}

// taggedJSON is a question with a tag.
func taggedJSON(id, tag, more string) string {
	return fmt.Sprintf(`{"id":%q,"type":"question.created","question":{"question_id":1,"title":"T","link":"https://site.example/q/1","tags":[%q]}%s}`, id, tag, more)
}

func mustParse(t testing.TB, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	ok(t, err)
	return u
}

// A page that needs a locked table shows the reason while the lock lasts.
func TestAPageThatNeedsALockedTableSaysSo(t *testing.T) {
	env := apptest.Environment(t, "postgres")
	in, db := apptest.Serve(t, with(env, "DATABASE_URL", apptest.ValueOf(env, "DATABASE_URL")+"&statement_timeout=500")), openDatabase(t, env)
	b := in.Login()
	tx, err := db.BeginTx(t.Context(), nil)
	ok(t, err)
	_, err = tx.ExecContext(t.Context(), "lock table webhooks in access exclusive mode")
	ok(t, err)
	if a := b.Get("/admin/webhooks"); a.Code != http.StatusServiceUnavailable || !strings.Contains(a.Body, "the database took too long") {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	ok(t, tx.Rollback())
	if a := b.Get("/admin/webhooks"); a.Code != http.StatusOK {
		t.Errorf("unlocked: %d", a.Code)
	}
}

// A start ends and says why, wherever the database stops to answer.
func TestAStartEndsWhenTheDatabaseDoesNotAnswer(t *testing.T) {
	for name, text := range map[string]string{
		"from the beginning":            "",
		"asked for a sign of life":      "-- ping",
		"asked about the role":          "from pg_roles",
		"asked for the migrations lock": "pg_try_advisory_xact_lock",
		"asked for the schema's state":  "goose_db_version",
		"in a migration":                "create table webhooks",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they only wait
			env, proxy, _ := proxied(t)
			if text == "" {
				proxy.HangAll(true)
			} else {
				hit := proxy.HangAt(text)
				go func() {
					select {
					case <-hit:
						proxy.HangAll(true)
					case <-t.Context().Done():
					}
				}()
			}
			env = with(env, "DATABASE_URL", apptest.ValueOf(env, "DATABASE_URL")+"&connect_timeout=1")
			_, stderr, err := apptest.Output(t, append(env, "SITEHOOKS_ADDR="+apptest.FreePort(t)), "", "serve")
			if err == nil || len(apptest.Lines(stderr)) != 1 || !strings.Contains(stderr, "the database did not answer") && !strings.Contains(stderr, "cannot log in to the database") {
				t.Errorf("%v\n%s", err, stderr)
			}
		})
	}
}

// readyIs waits until /readyz says it.
func readyIs(in *apptest.Instance, code int, text string) {
	in.T.Helper()
	apptest.Eventually(in.T, "/readyz: "+text, func() bool {
		a, err := apptest.Get(in.T, http.DefaultClient, in.Base+"/readyz")
		return err == nil && a.Code == code && strings.TrimSpace(a.Body) == text
	})
}

// bannerIs checks the banner of every page, and the System page.
func bannerIs(b *apptest.Browser, text string) {
	b.T.Helper()
	if a := b.Get("/admin/audit"); a.Code != http.StatusOK || !strings.Contains(a.Body, "Nothing can be stored: <bdi>"+text+"</bdi>.") {
		b.T.Errorf("a page without %q: %d", text, a.Code)
	}
	if a := b.Get("/admin/system"); a.Code != http.StatusOK || !strings.Contains(a.Body, "Not ready") || !strings.Contains(strings.ToLower(a.Body), strings.ToLower(text)+".") {
		b.T.Errorf("the System page without %q: %d", text, a.Code)
	}
}
