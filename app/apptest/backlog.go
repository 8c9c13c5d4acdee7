package apptest

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
	"github.com/sitehooks/sitehooks/models/secret"
)

const keyVariable = "SITEHOOKS_SECRET_KEY"

// WithKey makes an environment whose database a test can open beside, or before,
// an instance.
func WithKey(env []string) []string {
	if ValueOf(env, keyVariable) != "" {
		return env
	}
	return append(env, keyVariable+"="+base64.StdEncoding.EncodeToString(modelstest.Key()))
}

// OpenStore opens the database of an environment as an instance would.
func OpenStore(t testing.TB, env []string) *models.Store {
	t.Helper()
	box, err := secret.NewBox(modelstest.Key())
	ok(t, err)
	s, err := models.Open(t.Context(), models.Options{
		Box: box, Log: slog.New(slog.DiscardHandler),
		DatabaseURL: ValueOf(env, "DATABASE_URL"), DataDir: ValueOf(env, "SITEHOOKS_DATA_DIR"),
	})
	ok(t, err)
	return s
}

// Ranked is a receiver that notes in which order deliveries came, by the rank
// that stands in the body.
type Ranked struct {
	URL   string
	mu    sync.Mutex
	ranks []int
}

func newRanked(t testing.TB) *Ranked {
	t.Helper()
	r := &Ranked{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		var body struct{ Rank int }
		_ = json.NewDecoder(req.Body).Decode(&body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ranks = append(r.ranks, body.Rank)
	}))
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

// Count is how many deliveries came.
func (r *Ranked) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ranks)
}

// InFlight is how many requests one receiver has at once.
const InFlight = 16

// CheckOrder fails unless, when one came, all that are older had been sent, and all but
// those still under way had come.
func (r *Ranked) CheckOrder(t testing.TB) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for came, rank := range r.ranks {
		if rank > came+InFlight-1 {
			t.Errorf("the delivery with rank %d came when only %d had come", rank, came)
			return
		}
	}
}

// Backlog fills a new database with n deliveries that are due, spread evenly
// over webhooks with a receiver each. In each webhook they are numbered in
// another order than they fell due.
func Backlog(t testing.TB, env []string, webhooks, n int) []*Ranked {
	t.Helper()
	s := OpenStore(t, env)
	defer s.Close()
	ok(t, s.Settings.Change(t.Context(), models.Actor{}, models.EnableGenericWebhooks, "True", "for the test"))
	to := make([]*Ranked, webhooks)
	for i := range to {
		to[i] = newRanked(t)
		_, err := s.Webhooks.Create(t.Context(), models.Actor{}, models.WebhookInput{
			Type: "generic", Name: "Webhook " + strconv.Itoa(i), Location: models.MainLocation, TagMode: models.TagsAll,
			Events: []string{"question.created"}, URL: to[i].URL, URLShown: to[i].URL,
		})
		ok(t, err)
	}
	now, err := s.Now(t.Context())
	ok(t, err)
	db, from, at, bytes := s.SQLite(), "with recursive g(i) as (select 0 union all select i+1 from g where i < %d)", "%s", "cast(%s as blob)"
	if db == nil {
		db = stdlib.OpenDBFromPool(s.Postgres())
		defer db.Close()
		from, at, bytes = "with g as (select generate_series(0, %d) as i)", "timestamptz 'epoch' + (%s) * interval '1 microsecond'", "convert_to(%s, 'UTF8')"
	}
	// The rank goes once through all numbers of a webhook, in steps of 7919.
	const rank = "((i / %[1]d) * 7919 %% %[2]d)"
	r := fmt.Sprintf(rank, webhooks, n/webhooks)
	due := fmt.Sprintf(at, fmt.Sprintf("%d + %s * 1000", now.UnixMicro()-int64(n)*1000, r))
	Exec(t, db, fmt.Sprintf(from, n-1)+fmt.Sprintf(`
		insert into deliveries (public_id, webhook_id, location, event_types, items, created_at, body)
		select 'msg_' || i, 1 + i %% %d, 'main', ',question.created,', 1, %s, %[3]s from g`,
		webhooks, due, fmt.Sprintf(bytes, `'{"rank":' || `+r+` || ',"questions":[],"answers":[],"comments":[]}'`)))
	Exec(t, db, `insert into delivery_queue (delivery_id, webhook_id, due_at, round, tries, resend, paced, subject, bytes)
		select id, webhook_id, created_at, 0, 0, false, false, 0, length(body) from deliveries`)
	Exec(t, db, "update lanes set next_due_at = (select min(due_at) from delivery_queue q where q.webhook_id = lanes.webhook_id)")
	return to
}

// Exec executes a statement, or several.
func Exec(t testing.TB, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%v: %s", err, statement)
	}
}
