package follow

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/client"
	"github.com/sitehooks/sitehooks/app/follow/answertest"
)

// TestABadEventIsSkipped: it is named and counted, and the others arrive.
func TestABadEventIsSkipped(t *testing.T) {
	s := newFollowed(t, "sqlite")
	s.in.refuse = func(e client.Event) string {
		if e.Question.QuestionID%2 == 0 {
			return "must have 1 to 300 characters, not 0"
		}
		return ""
	}
	s.follow()
	for n := int64(1); n <= 5; n++ {
		s.question(n, nil)
		s.logs(n, "question.asked", qid(n), nil)
	}
	s.round()
	s.arrived("q1:created", "q3:created", "q5:created")
	const last = "answer:community:q4:created: question.title must have 1 to 300 characters, not 0"
	if s.in.field("skipped") != 2.0 || s.in.field("last_skipped") != last || strings.Count(s.log.String(), `msg="event skipped"`) != 2 {
		t.Errorf("skipped %v, the last %v; log:\n%s", s.in.field("skipped"), s.in.field("last_skipped"), &s.log)
	}
	s.question(6, nil)
	s.logs(6, "question.asked", qid(6), nil)
	s.round()
	s.round()
	if s.in.field("skipped") != 3.0 {
		t.Errorf("then %v", s.in.field("skipped"))
	}
}

// TestAFaultWithoutAnEventIsFoundByHalves.
func TestAFaultWithoutAnEventIsFoundByHalves(t *testing.T) {
	s := newFollowed(t, "sqlite")
	s.follow()
	p := &s.f.poster
	events := []event{
		{"a", []byte("{\"id\":\"a\",\"question\":{}}\n")}, {"b", []byte("{\"id\":\"b\",\"question\":{}}\n")}, {"c", []byte("{\"id\":\"c\",\"question\":{}}\n")},
	}
	s.in.whole = func(body string) bool { return strings.Contains(body, `"id":"b"`) }
	ok(t, p.post(t.Context(), events))
	if got := s.in.ids(); !slices.Equal(got, []string{"a", "c"}) || p.skipped != 1 || p.lastSkipped != "b: The request is too large." {
		t.Errorf("arrived %q, skipped %d: %s", got, p.skipped, p.lastSkipped)
	}
}

// TestOneFollowerWorks: a second one stands by until the lease ends, and the
// first stands by in its turn when it comes too late.
func TestOneFollowerWorks(t *testing.T) {
	s := newFollowed(t, "sqlite")
	s.follow()
	first := s.f
	a, err := newAnswer(s.o)
	ok(t, err)
	defer a.db.Close()
	ok(t, a.start(t.Context()))
	second := newFollower(a.Options, a)
	for range 2 {
		_, err = second.round(t.Context())
		ok(t, err)
	}
	if second.held || strings.Count(s.log.String(), "standing by") != 1 {
		t.Errorf("held %v; log:\n%s", second.held, &s.log)
	}
	s.question(1, nil)
	s.logs(1, "question.asked", qid(1), nil)
	s.in.holder = "" // the first one's lease ends
	_, err = second.round(t.Context())
	ok(t, err)
	s.arrived("q1:created")
	s.now = s.now.Add(time.Minute)
	more, err := first.round(t.Context())
	ok(t, err)
	if first.held || !second.held || more {
		t.Errorf("held by the first %v, by the second %v", first.held, second.held)
	}
	second.release(t.Context())
	_, err = first.round(t.Context())
	ok(t, err)
	if !first.held {
		t.Error("a lease that was given back is not taken")
	}
}

// TestARefusedTokenEndsTheFollower, with one line.
func TestARefusedTokenEndsTheFollower(t *testing.T) {
	for status, says := range map[int]string{
		http.StatusUnauthorized: "does not accept the token: 401 Unauthorized: Not now.", http.StatusForbidden: "does not accept the token: 403 Forbidden: Not now.",
		http.StatusNotFound: "answered 404 Not Found: Not now.",
	} {
		s := newFollowed(t, "sqlite")
		s.in.answers = []int{status}
		err := FollowAnswer(t.Context(), s.o)
		if err == nil || !strings.HasPrefix(err.Error(), "follow: ") || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// TestBothSidesMayBeAway: the follower waits longer each time, keeps its place,
// and says at the instance what it cannot read.
func TestBothSidesMayBeAway(t *testing.T) {
	s := newFollowed(t, "sqlite")
	s.follow()
	ctx, cancel := context.WithCancel(t.Context())
	var pauses []time.Duration
	broken := &brokenSystem{system: s.f.system, fail: 3}
	s.f.system = broken
	s.f.wait = func(_ context.Context, d time.Duration) {
		pauses = append(pauses, d)
		s.now = s.now.Add(d)
	}
	broken.paused = func() {
		switch broken.pauses {
		case 1:
			s.question(1, nil)
			s.logs(1, "question.asked", qid(1), nil)
			s.in.answers = []int{503, 502, 500} // the other side
		default:
			cancel()
		}
	}
	broken.failing = func() {
		if broken.fail == 1 && s.in.field("error") != "the disk is away" {
			t.Errorf("the instance has %v", s.in.field("error"))
		}
	}
	ok(t, s.f.run(ctx))
	s.arrived("q1:created")
	if want := []time.Duration{1e9, 2e9, 4e9, 1e9, 2e9, 4e9}; !slices.Equal(pauses, want) {
		t.Errorf("paused %v", pauses)
	}
	if s.in.field("error") != "" || s.in.holder != "" {
		t.Errorf("error %v, leased by %q", s.in.field("error"), s.in.holder)
	}
	if n := strings.Count(s.log.String(), "the disk is away"); n != 1 || strings.Count(s.log.String(), "msg=continuing") != 2 {
		t.Errorf("log:\n%s", &s.log)
	}
}

// brokenSystem fails some times.
type brokenSystem struct {
	system
	fail, pauses    int
	paused, failing func()
}

func (b *brokenSystem) next(ctx context.Context, place json.RawMessage) (batch, error) {
	if b.fail > 0 {
		b.failing()
		b.fail--
		return batch{}, errors.New("the disk is away")
	}
	return b.system.next(ctx, place)
}

func (b *brokenSystem) pause(context.Context, time.Duration) {
	b.pauses++
	b.paused()
}

// TestAPrivateSiteWantsALocation.
func TestAPrivateSiteWantsALocation(t *testing.T) {
	s := newFollowed(t, "sqlite")
	s.Put("site_info", answertest.Row{"id": 2, "type": "security", "content": `{"login_required":true}`})
	if err := FollowAnswer(t.Context(), s.o); err == nil || !strings.Contains(err.Error(), "--location") {
		t.Errorf("%v", err)
	}
	s.o.Location = "members"
	s.follow()
	if !strings.Contains(s.log.String(), "only to members who have logged in") {
		t.Errorf("log:\n%s", &s.log)
	}
}

// TestDatabasesThatCannotBeFollowed are refused with one line that says what to
// do.
func TestDatabasesThatCannotBeFollowed(t *testing.T) {
	s := newFollowed(t, "sqlite")
	s.Remove("config", int64(activityNumbers["answer.accept"]))
	other := filepath.Join(t.TempDir(), "other.db")
	db, err := sql.Open("sqlite", other)
	ok(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "create table t (id int)")
	ok(t, err)
	for dsn, says := range map[string]string{
		s.DSN:                       "config has no answer.accept",
		other:                       "sqlite3 " + other + " 'PRAGMA journal_mode=WAL'",
		"/does/not/exist.db":        "/does/not/exist.db: no such file",
		"/etc/hosts":                "/etc/hosts is not an SQLite database",
		"mysql://host":              "mysql://user:password@host:3306/name",
		"user:secret@tcp(host:1/db": "--database: ",
	} {
		s.o.Database = dsn
		err := FollowAnswer(t.Context(), s.o)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

// TestNothingIsWritten: the connection itself refuses.
func TestNothingIsWritten(t *testing.T) {
	onBoth(t, func(t *testing.T, s *followed) {
		db, err := openDatabase(s.DSN)
		ok(t, err)
		defer db.Close()
		err = db.readView(t.Context(), func(v view) error {
			_, err := v.tx.ExecContext(t.Context(), "update question set title = 'x'")
			return err
		})
		if err == nil {
			t.Error("wrote")
		}
	})
}

// TestMySQL: what differs from the others is the form of the DSN; the
// statements quote names as ANSI_QUOTES wants it.
func TestMySQL(t *testing.T) {
	for dsn, want := range map[string]string{
		"mysql://u:p%40ss@db.example/answer":     "u:p@ss@tcp(db.example:3306)/answer?",
		"mariadb://u@127.0.0.1:3307/answer":      "u@tcp(127.0.0.1:3307)/answer?",
		"u:p@tcp(127.0.0.1:3306)/answer?loc=UTC": "u:p@tcp(127.0.0.1:3306)/answer?",
		"u:p@unix(/run/mysqld.sock)/answer":      "u:p@unix(/run/mysqld.sock)/answer?",
	} {
		got, err := mysqlSource(dsn)
		if err != nil || !strings.HasPrefix(got, want) || !strings.Contains(got, "sql_mode=%27ANSI_QUOTES%27") || strings.Contains(got, "parseTime=true") {
			t.Errorf("%s: %s, %v", dsn, got, err)
		}
		db, err := openDatabase(dsn)
		if err != nil || db.kind != "mysql" {
			t.Fatalf("%s: %v", dsn, err)
		}
		_ = db.Close()
	}
	if got := (view{kind: "mysql"}).numbered(`select "show" from question where id in (?, ?)`); got != `select "show" from question where id in (?, ?)` {
		t.Errorf("%s", got)
	}
	if got := (view{kind: "postgres"}).numbered(`select "show" from question where id in (?, ?)`); got != `select "show" from question where id in ($1, $2)` {
		t.Errorf("%s", got)
	}
}

// TestTimesOfThreeDrivers.
func TestTimesOfThreeDrivers(t *testing.T) {
	want := time.Date(2026, 11, 30, 12, 0, 5, 0, time.UTC)
	for _, v := range []any{
		want, time.Date(2026, 11, 30, 12, 0, 5, 0, time.FixedZone("", 3600)), "2026-11-30 12:00:05", []byte("2026-11-30 12:00:05"),
		"2026-11-30T12:00:05Z", "2026-11-30 12:00:05+00:00", "2026-11-30 12:00:05.000000",
	} {
		var w wall
		if err := w.Scan(v); err != nil || !w.Equal(want) {
			t.Errorf("%v: %v, %v", v, w, err)
		}
	}
	for _, v := range []any{nil, "0001-01-01 00:00:00", "0000-00-00 00:00:00", time.Time{}} {
		w := wall{want}
		if err := w.Scan(v); err != nil || !w.IsZero() {
			t.Errorf("%v: %v, %v", v, w, err)
		}
	}
	for _, v := range []any{"soon", 5} {
		if err := new(wall).Scan(v); err == nil {
			t.Errorf("%v is a time", v)
		}
	}
}
