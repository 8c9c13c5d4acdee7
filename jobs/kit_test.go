package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

var admin = models.Actor{UserID: 1, Name: "Mary Wilkins"}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bench is a store with the jobs' parts, run by hand, one step at a time.
type bench struct {
	t          *testing.T
	store      *models.Store
	clock      *modelstest.Clock
	dispatcher *dispatcher
	runner     *runner
	receiver   *receiver
	stopping   chan struct{}
	faults     atomic.Int64 // in the program, as logged
	faulty     bool         // they are meant
}

// faultLog counts the faults in the program that are logged.
type faultLog struct {
	slog.Handler
	b *bench
}

// Enabled implements slog.Handler.
func (faultLog) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }

// Handle implements slog.Handler.
func (f faultLog) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if strings.Contains(a.Value.String(), "a fault in the program") {
			f.b.faults.Add(1)
		}
		return true
	})
	return nil
}

// onBoth runs a test on both databases, with the feature on.
func onBoth(t *testing.T, test func(b *bench)) {
	t.Helper()
	modelstest.Each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		b := newBench(t, s, clock)
		b.set(models.EnableGenericWebhooks, "True")
		test(b)
	})
}

func newBench(t *testing.T, s *models.Store, clock *modelstest.Clock) *bench {
	b := &bench{t: t, store: s, clock: clock, receiver: newReceiver(t), stopping: make(chan struct{})}
	log := slog.New(faultLog{slog.DiscardHandler, b})
	t.Cleanup(func() {
		if n := b.faults.Load(); n > 0 != b.faulty {
			t.Errorf("%d faults in the program", n)
		}
	})
	b.runner = newRunner(&deliverer{
		readingMost: readingMost,
		store:       s, log: log, metrics: newMetrics(prometheus.NewRegistry(), s), stopping: b.stopping, instance: "test", jitter: func() float64 { return 0.5 }, lookEvery: laneLook,
		sender: send.New(send.Config{AllowCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
	}, sharePlaces, openMost)
	b.dispatcher = &dispatcher{store: s, runner: b.runner, log: log, mostBytes: dispatchBytes}
	return b
}

func (b *bench) sweeper() *sweeper {
	return &sweeper{store: b.store, runner: b.runner, log: b.runner.log}
}

// offered are the lanes that wait for a place, in the order in which they would
// begin. They wait no longer.
func (b *bench) offered() (ids []int64) {
	for _, at := range b.runner.choose() {
		b.runner.places.free(at)
		ids = append(ids, at.id)
	}
	return ids
}

// due are the lanes that a sweep finds.
func (b *bench) due() (refs []models.LaneRef) {
	b.t.Helper()
	refs, err := b.store.Lanes.Sweep(b.t.Context(), models.SweepQuery{Limit: 1000})
	ok(b.t, err)
	return refs
}

// claim takes a lane as another instance does.
func (b *bench) claim(w models.Webhook, holder string) (work models.Work, claimed bool) {
	b.t.Helper()
	works, err := b.store.Lanes.Claim(b.t.Context(), []int64{w.ID}, holder, laneLease)
	ok(b.t, err)
	work, claimed = works[w.ID]
	return work, claimed
}

func (b *bench) set(name, value string) {
	b.t.Helper()
	ok(b.t, b.store.Settings.Change(b.t.Context(), admin, name, value, "test"))
}

// webhook makes a webhook on everything of the main site.
func (b *bench) webhook(change func(*models.WebhookInput)) models.Webhook {
	b.t.Helper()
	in := models.WebhookInput{
		Type: "generic", Name: "all", Location: "main", TagMode: models.TagsAll,
		Events: []string{
			wire.QuestionCreated, wire.QuestionEdited, wire.AnswerCreated,
			wire.AnswerEdited, wire.AnswerAccepted, wire.CommentCreated,
		},
		URL: b.receiver.URL + "/hook", URLShown: b.receiver.URL + "/hook",
	}
	if change != nil {
		change(&in)
	}
	w, err := b.store.Webhooks.Create(b.t.Context(), admin, in)
	ok(b.t, err)
	return w
}

// question makes an event about a question.
func question(id string, number int, change func(*models.NewEvent)) models.NewEvent {
	e := models.NewEvent{
		EventID: id, Type: wire.QuestionCreated, Location: "main", Title: "Title of " + id, Tags: []string{"go"},
		Subject: strconv.Itoa(number), MergeKey: fmt.Sprintf("main question.created %d", number),
		Payload: fmt.Appendf(nil, `{"id":%q,"type":"question.created","question":{"question_id":%d,"title":"Title of %s","link":"https://site/questions/%d/x","tags":["go"]}}`,
			id, number, id, number),
	}
	if change != nil {
		change(&e)
	}
	return e
}

func (b *bench) record(events ...models.NewEvent) {
	b.t.Helper()
	accepted, _, err := b.store.Events.Record(b.t.Context(), events)
	ok(b.t, err)
	if accepted != len(events) {
		b.t.Fatalf("accepted %d of %d events", accepted, len(events))
	}
}

// dispatch runs dispatch until nothing more is due.
func (b *bench) dispatch() {
	b.t.Helper()
	for {
		r, err := b.dispatcher.once(b.t.Context())
		ok(b.t, err)
		if !r.More {
			return
		}
	}
}

// later moves the clock past delay and interval, and dispatches.
func (b *bench) later() {
	b.t.Helper()
	b.clock.Add(15 * time.Second)
	b.dispatch()
}

// deliver works on a lane for one turn, if it is due.
func (b *bench) deliver(w models.Webhook) {
	b.t.Helper()
	b.begin(b.t.Context(), w)
	b.runner.lanes.Wait()
}

// begin begins a turn on a lane, if it is due. ctx ends the turn.
func (b *bench) begin(ctx context.Context, w models.Webhook) {
	b.t.Helper()
	b.offered()
	due := slices.DeleteFunc(b.due(), func(ref models.LaneRef) bool { return ref.WebhookID != w.ID }) //nolint:contextcheck // a turn that has ended does not end the test's own questions
	b.runner.offer(due)
	b.runner.begin(ctx)
}

// exec changes the database behind the models' back.
func (b *bench) exec(statement string) {
	b.t.Helper()
	_, err := b.db().ExecContext(b.t.Context(), statement)
	ok(b.t, err)
}

func (b *bench) db() *sql.DB {
	db := b.store.SQLite()
	if db == nil {
		db = stdlib.OpenDBFromPool(b.store.Postgres())
		b.t.Cleanup(func() { _ = db.Close() })
	}
	return db
}

func (b *bench) deliveries(w models.Webhook) []models.DeliveryRow {
	b.t.Helper()
	rows, _, err := b.store.Deliveries.List(b.t.Context(), models.DeliveryQuery{Within: models.AllLocations(), WebhookID: w.ID, Limit: 1000})
	ok(b.t, err)
	slices.Reverse(rows)
	return rows
}

func (b *bench) only(w models.Webhook) models.DeliveryRow {
	b.t.Helper()
	rows := b.deliveries(w)
	if len(rows) != 1 {
		b.t.Fatalf("%d deliveries, want 1", len(rows))
	}
	return rows[0]
}

func (b *bench) reload(w models.Webhook) models.Webhook {
	b.t.Helper()
	w, err := b.store.Webhooks.GetAny(b.t.Context(), models.AllLocations(), w.ID)
	ok(b.t, err)
	return w
}

// receiver is a real HTTP server that keeps its requests.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []received
	answer func(n int) (code int, header map[string]string)
	code   int // that answers was told last
}

type received struct {
	id     string
	header http.Header
	body   []byte
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	r.got = append(r.got, received{req.Header.Get("webhook-id"), req.Header, body})
	n, answer := len(r.got), r.answer
	r.mu.Unlock()
	if answer == nil {
		return
	}
	code, header := answer(n)
	for name, value := range header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(code)
}

func (r *receiver) answers(code int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer, r.code = func(int) (int, map[string]string) { return code, nil }, code
}

func (r *receiver) requests() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// titles are those of all questions received, in order.
func (r *receiver) titles(t *testing.T) string {
	t.Helper()
	var all []string
	for _, got := range r.requests() {
		var body struct{ Questions []struct{ Title string } }
		ok(t, json.Unmarshal(got.body, &body))
		for _, q := range body.Questions {
			all = append(all, strings.TrimPrefix(q.Title, "Title of "))
		}
	}
	return strings.Join(all, " ")
}
