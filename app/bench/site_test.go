package bench

import (
	"database/sql"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// benchSite is an installation that is measured: its database, opened here
// too, and its instances.
type benchSite struct {
	t        testing.TB
	kind     string
	env      []string
	options  models.Options
	store    *models.Store
	db       *sql.DB
	postgres int    // the server's process; 0 with SQLite
	runs     int    // names the events of each load
	last     int64  // delivery before the load
	open     string // counts the open deliveries of a program other than Sitehooks
}

var benchActor = models.Actor{UserID: 1, Name: "Mary Wilkins"}

// newBenchSite makes a new installation without delay, with an interval of a
// second, and with trigger history.
func newBenchSite(t testing.TB, kind string) *benchSite {
	t.Helper()
	o := modelstest.Options(t, kind)
	s := &benchSite{t: t, kind: kind, options: o, env: []string{
		"SITEHOOKS_ADMIN_EMAIL=" + apptest.AdminEmail, "SITEHOOKS_ADMIN_PASSWORD=" + apptest.AdminPassword,
		"SITEHOOKS_INGEST_TOKEN=" + apptest.IngestToken, "SITEHOOKS_ALLOW_TARGETS=127.0.0.0/8",
		"SITEHOOKS_LOG_LEVEL=warn", "SITEHOOKS_DATA_DIR=" + o.DataDir, "DATABASE_URL=" + o.DatabaseURL,
		"SITEHOOKS_SECRET_KEY=" + base64.StdEncoding.EncodeToString(modelstest.Key()),
	}}
	s.store = modelstest.Open(t, o)
	if s.db = s.store.SQLite(); s.db == nil {
		s.db = stdlib.OpenDBFromPool(s.store.Postgres())
		s.durable()
	}
	s.set(models.EnableGenericWebhooks, "True")
	s.set(models.DispatchDelay, "0")
	s.set(models.DispatchInterval, "1")
	return s
}

// durable finds the server's process, and refuses to measure one that does
// not wait for the disk. SQLite's instances always do.
func (s *benchSite) durable() {
	s.t.Helper()
	for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		if value := s.text("show " + name); value != "on" {
			s.t.Fatalf("PostgreSQL has %s %s; make bench starts one that waits for the disk", name, value)
		}
	}
	line, _, _ := strings.Cut(s.text("select pg_read_file('postmaster.pid')"), "\n")
	var err error
	s.postgres, err = strconv.Atoi(line)
	ok(s.t, err)
}

func (s *benchSite) text(query string) (text string) {
	s.t.Helper()
	ok(s.t, s.db.QueryRowContext(s.t.Context(), query).Scan(&text))
	return text
}

func (s *benchSite) number(query string) (n int64) {
	s.t.Helper()
	ok(s.t, s.db.QueryRowContext(s.t.Context(), query).Scan(&n))
	return n
}

func (s *benchSite) set(name, value string) {
	s.t.Helper()
	def, _ := models.SettingByName(name)
	if was, err := s.store.Settings.Values(s.t.Context()); err != nil || was[name] == value || was[name] == "" && def.Default == value {
		ok(s.t, err)
		return
	}
	ok(s.t, s.store.Settings.Change(s.t.Context(), benchActor, name, value, "for the measurement"))
}

// hook is a webhook of a type for all questions, to a path of the receiver.
func hook(kind, receiver, path string) models.WebhookInput {
	target := receiver + "/" + path
	return models.WebhookInput{
		Type: kind, Name: "Notify " + path, Location: benchLocation, TagMode: models.TagsAll,
		Events: []string{"question.created"}, URL: target, URLShown: target,
		Secrets: [2]models.SecretChange{{Set: apptest.TypeSecrets[kind]}},
	}
}

// tagged is one that wants the events of one tag.
func tagged(kind, receiver, tag string) models.WebhookInput {
	in := hook(kind, receiver, tag)
	in.TagMode, in.Tags = models.TagsSpecific, []string{tag}
	return in
}

// spread are so many webhooks, of which each event matches one.
func spread(kind, receiver string, n int) []models.WebhookInput {
	if n == 1 {
		return []models.WebhookInput{hook(kind, receiver, "all")}
	}
	hooks := make([]models.WebhookInput, n)
	for i := range hooks {
		hooks[i] = tagged(kind, receiver, "w"+strconv.Itoa(i))
	}
	return hooks
}

// strangers are so many webhooks that match none of the load's events, for
// the three reasons that there are within a location.
func strangers(kind, receiver string, n int) []models.WebhookInput {
	hooks := make([]models.WebhookInput, n)
	for i := range hooks {
		hooks[i] = hook(kind, receiver, "stranger-"+strconv.Itoa(i))
		switch i % 3 {
		case 0:
			hooks[i].TagMode, hooks[i].Tags = models.TagsSpecific, []string{"other-" + strconv.Itoa(i)}
		case 1:
			hooks[i].Community = "community-" + strconv.Itoa(i%50)
		case 2:
			hooks[i].Events = []string{"answer.created", "comment.created"}
		}
	}
	return hooks
}

// create stores webhooks, several at once, so that their commits share a
// flush to disk.
func (s *benchSite) create(hooks []models.WebhookInput) {
	s.t.Helper()
	next := make(chan models.WebhookInput)
	var wg sync.WaitGroup
	var first firstError
	for range 8 {
		wg.Go(func() {
			for in := range next {
				_, err := s.store.Webhooks.Create(s.t.Context(), benchActor, in)
				first.set(err)
			}
		})
	}
	for _, in := range hooks {
		next <- in
	}
	close(next)
	wg.Wait()
	ok(s.t, first.get())
}

// serve starts an instance for one run.
func (s *benchSite) serve(t testing.TB, more ...string) *apptest.Instance {
	t.Helper()
	return apptest.Serve(t, s.env, more...)
}

// stop ends instances as an operator does, so that the next run finds nothing
// of theirs.
func stop(t testing.TB, instances []*apptest.Instance) {
	t.Helper()
	for _, in := range instances {
		ok(t, in.Terminate())
	}
}

// prefix is new for every load.
func (s *benchSite) prefix() string {
	s.runs++
	return fmt.Sprintf("load%d", s.runs)
}

// remember notes where the deliveries end, before a load adds to them.
func (s *benchSite) remember() {
	s.t.Helper()
	s.last = s.number("select coalesce(max(id), 0) from deliveries")
}

// settled waits until every outcome of the load is stored.
func (s *benchSite) settled() {
	s.t.Helper()
	waiting := fmt.Sprintf("select count(*) from (select 1 from delivery_queue where delivery_id > %d limit 1) w", s.last)
	if s.open != "" {
		waiting = s.open
	}
	apptest.Eventually(s.t, "all outcomes stored", func() bool { return s.number(waiting) == 0 })
}

func bases(instances []*apptest.Instance) []string {
	all := make([]string, len(instances))
	for i, in := range instances {
		all[i] = in.Base
	}
	return all
}
