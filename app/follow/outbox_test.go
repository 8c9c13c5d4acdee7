package follow

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sitehooks/sitehooks/models/modelstest"
)

// outboxRun is an outbox with its follower.
type outboxRun struct {
	t    *testing.T
	in   *instance
	site *pgx.Conn // the site's own
	b    *outbox
	f    *follower
	log  strings.Builder
}

func newOutboxRun(t *testing.T) *outboxRun {
	t.Helper()
	url := modelstest.PostgresURL(t)
	site, err := pgx.Connect(t.Context(), url)
	ok(t, err)
	t.Cleanup(func() { _ = site.Close(context.WithoutCancel(t.Context())) })
	r := &outboxRun{t: t, in: newInstance(t), site: site}
	r.b = &outbox{OutboxOptions: OutboxOptions{Database: url, Options: Options{
		Name: "community", URL: r.in.URL, Token: "right", Every: time.Second, Location: "team", Log: slog.New(slog.NewTextHandler(&r.log, nil)),
	}}}
	t.Cleanup(r.b.close)
	r.f = newFollower(r.b.Options, r.b)
	return r
}

func (r *outboxRun) exec(statement string, args ...any) {
	r.t.Helper()
	_, err := r.site.Exec(r.t.Context(), statement, args...)
	ok(r.t, err)
}

const outboxTable = "create table sitehooks_outbox (id bigint generated always as identity primary key, event json not null)"

// round looks until there is no more.
func (r *outboxRun) round() {
	r.t.Helper()
	for more := true; more; {
		var err error
		more, err = r.f.round(r.t.Context())
		ok(r.t, err)
	}
}

func (r *outboxRun) left() (n int) {
	r.t.Helper()
	ok(r.t, r.site.QueryRow(r.t.Context(), "select count(*) from sitehooks_outbox").Scan(&n))
	return n
}

// TestOutboxRowsAreTaken: each event gets the row's id, and the location where
// it names none; all else is as the site wrote it.
func TestOutboxRowsAreTaken(t *testing.T) {
	r := newOutboxRun(t)
	r.exec(outboxTable)
	r.exec(`insert into sitehooks_outbox (event) values ($1), ($2)`,
		"{\"type\":\"lead.scored\",\n \"id\":\"mine\", \"data\":{\"n\":1.50}}", `{"type":"question.created","location":"main"}`)
	r.round()
	if got := r.in.ids(); !slices.Equal(got, []string{"outbox:community:1", "outbox:community:2"}) || r.left() != 0 {
		t.Errorf("arrived %q, %d left", got, r.left())
	}
	if got := r.in.lines["outbox:community:1"]; got != `{"data":{"n":1.50},"id":"outbox:community:1","location":"team","type":"lead.scored"}` {
		t.Errorf("%s", got)
	}
	if got := r.in.lines["outbox:community:2"]; got != `{"id":"outbox:community:2","location":"main","type":"question.created"}` {
		t.Errorf("%s", got)
	}
	r.exec(`insert into sitehooks_outbox (event) select json_build_object('type', 'lead.scored') from generate_series(1, 1200)`)
	r.round()
	if n := len(r.in.ids()); n != 1202 || r.left() != 0 {
		t.Errorf("%d arrived, %d left", n, r.left())
	}
}

// TestOutboxRowThatIsNoEvent is named and counted, and holds up none behind it.
func TestOutboxRowThatIsNoEvent(t *testing.T) {
	r := newOutboxRun(t)
	r.exec(outboxTable)
	r.exec(`insert into sitehooks_outbox (event) values (('[1,' || chr(10) || ' 2]')::json), ('{"type":"lead.scored"}')`)
	r.round()
	if got := r.in.ids(); !slices.Equal(got, []string{"outbox:community:2"}) || r.left() != 0 || r.in.field("skipped") != 1.0 {
		t.Errorf("arrived %q, %d left, %v skipped", got, r.left(), r.in.field("skipped"))
	}
	if !strings.Contains(r.log.String(), "outbox:community:1") {
		t.Errorf("log:\n%s", &r.log)
	}
}

// TestOutboxIsLeftWhileTheInstanceIsAway: rows go only after they were accepted,
// and are repeated with their ids when the delete did not happen.
func TestOutboxIsLeftWhileTheInstanceIsAway(t *testing.T) {
	r := newOutboxRun(t)
	r.exec(outboxTable)
	r.exec(`insert into sitehooks_outbox (event) values ('{"type":"lead.scored"}')`)
	r.round()
	r.exec(`insert into sitehooks_outbox (event) values ('{"type":"lead.scored"}')`)
	r.in.answers = []int{503}
	if _, err := r.f.round(t.Context()); err == nil || r.left() != 1 {
		t.Errorf("%v, %d left", err, r.left())
	}
	b, err := r.b.next(t.Context(), json.RawMessage("{}"))
	ok(t, err)
	ok(t, r.f.poster.post(t.Context(), b.events)) // and then it is killed
	r.b.close()
	r.round()
	if got := r.in.ids(); len(got) != 2 || r.in.again != 1 || r.left() != 0 {
		t.Errorf("arrived %q, %d again, %d left", got, r.in.again, r.left())
	}
}

// TestOutboxWakesOnNotification: otherwise the pause takes an hour.
func TestOutboxWakesOnNotification(t *testing.T) {
	r := newOutboxRun(t)
	r.exec(outboxTable)
	r.round()
	woken := make(chan struct{})
	go func() {
		r.b.pause(t.Context(), time.Hour)
		close(woken)
	}()
	r.exec("notify sitehooks_outbox")
	<-woken
}

// TestOutboxFaults are told in words that say what to mend.
func TestOutboxFaults(t *testing.T) {
	r := newOutboxRun(t)
	_, err := r.f.round(t.Context())
	if err == nil || !temporary(err) || !strings.Contains(err.Error(), "no table sitehooks_outbox(id bigint, event json)") {
		t.Errorf("%v", err)
	}
	for dsn, says := range map[string]string{"/data/site.db": "an outbox needs PostgreSQL", "postgres://u:hush@[x/db": "is not a URL that PostgreSQL takes"} {
		o := r.b.OutboxOptions
		o.Database = dsn
		if err := FollowOutbox(t.Context(), o); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}
