package modelstest

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/sitehooks/sitehooks/models"
)

// Size is how much a database is filled with.
type Size struct {
	Webhooks, Events, Deliveries int
	Locations                    int // teams; 0: one for 100 webhooks, and at least 5
}

func (s Size) teams() int {
	if s.Locations > 0 {
		return s.Locations
	}
	return max(5, s.Webhooks/100)
}

// BigHot is how many webhooks, numbered from 1, are made like any other: they
// open, and get two of five deliveries, the first of them one of five.
const BigHot = 10

// bigSpan is how long ago the first event was: within the retention.
const bigSpan = 25 * 24 * time.Hour

// bigChunk is how many rows one statement makes: few enough for the time that
// the store gives a statement.
const bigChunk = 50_000

// Fill makes an installation that has run for weeks, by the database itself: a
// thousand rows of Go would take longer than a million of SQL. Of the webhooks
// a tenth is at the main site, one in 50 is stopped and one in 100 broken;
// these hold some of their deliveries. The number of a delivery is that of its
// event. The store must be new.
func Fill(t testing.TB, s *models.Store, size Size) {
	t.Helper()
	now, err := s.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := &filler{TB: t, size: size, now: now.UnixMicro(), start: now.Add(-bigSpan).UnixMicro()}
	f.hot(s)
	db := s.SQLite()
	if f.postgres = db == nil; f.postgres {
		db = stdlib.OpenDBFromPool(s.Postgres())
		defer db.Close()
	}
	if f.conn, err = db.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer f.conn.Close()
	// A power cut would lose nothing but test data.
	if !f.postgres {
		f.exec("pragma synchronous = off")
		defer f.exec("pragma synchronous = full")
	}
	f.webhooks()
	if f.postgres { // their rows are looked up for each row of the history
		f.exec("analyze webhooks")
	}
	f.history()
	f.rest()
	if f.postgres {
		f.exec("analyze")
	}
}

type filler struct {
	testing.TB
	size       Size
	now, start int64 // microseconds since 1970
	postgres   bool
	conn       *sql.Conn
}

// hot makes the first webhooks, which have a real target.
func (f *filler) hot(s *models.Store) {
	f.Helper()
	for i := range BigHot {
		name := "Hot webhook " + strconv.Itoa(i+1)
		_, err := s.Webhooks.Create(f.Context(), models.Actor{UserID: 1, Name: "Mary Wilkins"}, models.WebhookInput{
			Type: "generic", Name: name, Location: models.MainLocation, TagMode: models.TagsAll,
			Events: []string{"question.created", "answer.created"}, URL: "https://hooks.example.com/hot", URLShown: "https://hooks.example.com/hot",
			Secrets: [2]models.SecretChange{{Set: "a secret of the big database"}},
		})
		if err != nil {
			f.Fatal(err)
		}
	}
}

func (f *filler) exec(statement string) {
	f.Helper()
	if _, err := f.conn.ExecContext(context.WithoutCancel(f.Context()), statement); err != nil {
		f.Fatalf("%v: %s", err, statement)
	}
}

// insert makes rows from to to of a table: in the columns' expressions i is
// the row's number, ⟨…⟩ a time in microseconds, and «…» bytes. The table
// from may join others to the numbers, which are g.
func (f *filler) insert(table string, from, to int, join string, columns ...string) {
	f.Helper()
	names, values := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i], values[i], _ = strings.Cut(c, "=")
	}
	for low := from; low <= to; low += bigChunk {
		high := min(to, low+bigChunk-1)
		f.exec(fmt.Sprintf("insert into %s (%s) with recursive g(i) as (select cast(%d as bigint) union all select i + 1 from g where i < %d) select %s from g %s",
			table, strings.Join(names, ", "), low, high, f.spoken(strings.Join(values, ", ")), f.spoken(join)))
	}
}

// spoken puts a statement into the words of the database.
func (f *filler) spoken(text string) string {
	words := []string{"⟨", "(", "⟩", ")", "«", "cast((", "»", ") as blob)"}
	if f.postgres {
		words = []string{"⟨", "(timestamptz 'epoch' + interval '1 microsecond' * (", "⟩", "))", "«", "convert_to((", "»", "), 'UTF8')"}
	}
	return strings.NewReplacer(append(words,
		"START", strconv.FormatInt(f.start, 10), "NOW", strconv.FormatInt(f.now, 10),
		"STEP", strconv.FormatInt(bigSpan.Microseconds()/int64(max(f.size.Events, f.size.Deliveries)+1), 10),
		"TEAMS", strconv.Itoa(f.size.teams()), "HOUR", strconv.FormatInt(time.Hour.Microseconds(), 10),
		"WEBHOOK", fmt.Sprintf("(case i %% 5 when 0 then 1 when 1 then 2 + (i / 5) %% %d else %d + (i / 5 * 3 + i %% 5) %% %d end)", BigHot-1, BigHot+1, f.size.Webhooks-BigHot),
		"VERSION", strconv.Itoa(2*f.size.Webhooks+1), "ALL", strconv.Itoa(f.size.Webhooks),
	)...).Replace(text)
}

// number makes ids go on after those given.
func (f *filler) number(table string) {
	f.Helper()
	if f.postgres {
		f.exec(fmt.Sprintf("select setval(pg_get_serial_sequence('%s', 'id'), (select max(id) from %s))", table, table))
	}
}

func (f *filler) webhooks() {
	f.Helper()
	f.insert("locations", 0, f.size.teams()-1, "", "slug='team-' || i", "name='Team ' || i", "created_at=⟨START⟩")
	f.insert("communities", 0, f.size.teams()-1, "", "location='team-' || i", "slug='data-platform'", "created_at=⟨START⟩")
	f.insert("tags", 0, 49, "", "location='main'", "name='tag-' || i")
	f.insert("webhooks", BigHot+1, f.size.Webhooks, "",
		"id=i", "type=case i % 5 when 0 then 'slack' when 1 then 'stackauth' when 2 then 'userecho' else 'generic' end",
		"name='Webhook ' || i", "location=case when i % 10 = 0 then 'main' else 'team-' || (i % TEAMS) end",
		`events=case i % 5 when 1 then '["user.created"]' when 2 then '["topic.created"]' else '["question.created","answer.created"]' end`,
		"tag_mode=case when i % 3 = 0 then 'specific' else 'all' end", `tags=case when i % 3 = 0 then '["tag-' || (i % 50) || '"]' else '[]' end`,
		"community=''", "url=''", "url_shown='https://hooks-' || (i % 500) || '.example.com/in'",
		"secret_1=''", "secret_2=''", "headers=''", "options='{}'",
		"state=case when i % 50 = 0 then 'stopped' when i % 100 = 13 then 'broken' else 'active' end",
		"state_reason=case when i % 100 = 13 then 'Every attempt failed for 24 hours.' else '' end",
		"state_at=case when i % 50 = 0 or i % 100 = 13 then ⟨NOW - (i % 700) * HOUR⟩ end", "state_by=''",
		"owner_id=i % 40", "owner_name='Owner ' || (i % 40)",
		"created_at=⟨START - HOUR + i⟩", "updated_at=⟨START - HOUR + i⟩", "updated_by='Mary Wilkins'")
	f.exec(f.spoken("update webhooks set created_at = ⟨START - HOUR + id⟩"))
	version := []string{
		"by='Mary Wilkins'", "type=w.type", "name=w.name", "location=w.location", "events=w.events",
		"tag_mode=w.tag_mode", "tags=w.tags", "community=''", "state='active'", "reason=''", "deleted=false", "at=⟨START - HOUR⟩", "webhook_id=i",
	}
	const of = "join webhooks w on w.id = g.i"
	f.insert("webhook_versions", BigHot+1, f.size.Webhooks, of, append(version, "version=i + 1")...)
	f.insert("webhook_versions", 1, f.size.Webhooks, of, append(version, "version=ALL + 1 + i")...)
	f.exec(f.spoken("update match_versions set version = VERSION"))
	f.insert("lanes", BigHot+1, f.size.Webhooks, "", "webhook_id=i", "leased_by=''", "slow=false", "paced=false",
		"failures_in_row=case when i % 20 = 3 then 3 else 0 end", "failing_since=case when i % 20 = 3 then ⟨NOW - (i % 40) * HOUR / 10⟩ end",
		"last_at=case when i % 20 <> 7 then ⟨NOW - i * 1000⟩ end", "last_code=case when i % 20 = 3 then 500 else 200 end", "last_error=''")
	f.insert("webhook_hours", 0, 23, "cross join webhooks w", "webhook_id=w.id", "hour=⟨NOW - NOW % HOUR - i * HOUR⟩",
		"delivered=(w.id + i) % 30", "failed=(w.id + i) % 3", "ms_sum=1000", "ms_max=90")
	f.insert("webhook_hours", 24, 30*24, "join webhooks w on w.id <= "+strconv.Itoa(BigHot), "webhook_id=w.id", "hour=⟨NOW - NOW % HOUR - i * HOUR⟩",
		"delivered=i", "failed=1", "ms_sum=1000", "ms_max=90")
	const places = "cross join (select slug from locations union all select '') l" // and all together
	f.insert("event_hours", 0, 30*24, places, "hour=⟨NOW - NOW % HOUR - i * HOUR⟩", "location=l.slug", "events=1 + i % 7")
	f.insert("location_hours", 2, 30*24, places, "hour=⟨NOW - NOW % HOUR - i * HOUR⟩", "location=l.slug",
		"delivered=i % 30", "failed=i % 3", "ms_sum=1000", "ms_max=90")
	f.number("webhooks")
	f.number("webhook_versions")
}

func (f *filler) history() {
	f.Helper()
	const of = "join webhooks w on w.id = WEBHOOK"
	f.insert("events", 1, f.size.Events, of,
		"id=i", "event_id='big-' || i", "type=case i % 4 when 0 then 'answer.created' when 1 then 'comment.created' else 'question.created' end",
		"location=w.location", "community=''", `tags='["tag-' || (i % 50) || '"]'`, "merge_key='k' || i", "subject=cast(i as text)",
		"title='Question ' || i || ' about extraction'", "occurred_at=⟨START + i * STEP⟩", "received_at=⟨START + i * STEP⟩",
		`payload=«'{"id":"big-' || i || '","type":"question.created","occurred_at":"2026-11-01T10:00:00Z","question":{"question_id":' || i || `+
			`',"title":"Question ' || i || ' about extraction","link":"https://site.example/questions/' || i || '/x","tags":["tag-' || (i % 50) || `+
			`'"],"body":"How fine should the coffee be ground, and does it matter which water is used for it? Mine runs through in ten seconds."}}'»`)
	f.insert("dispatches", 1, f.size.Events, "", "id=i", "at=⟨START + i * STEP + 5000000⟩", "match_version=VERSION", "logged=true")
	f.insert("dispatched_events", 1, f.size.Events, "join events e on e.id = g.i and (i % 50 = 49 or i > "+strconv.Itoa(f.size.Deliveries)+")",
		"event_id=i", "dispatch_id=i", "merged_into=case when i % 50 = 49 then i + 1 end")
	held := "w.state <> 'active' and i / 15 % 4 = 0"
	f.insert("deliveries", 1, f.size.Deliveries, of,
		"id=i", "public_id='msg_big' || i", "webhook_id=w.id", "location=w.location", "event_types=',question.created,'", "items=1", "created_at=⟨START + i * STEP⟩",
		"event_id=case when i % 50 <> 49 and i <= "+strconv.Itoa(f.size.Events)+" then i end", "dispatch_id=i",
		`body=«'{"questions":[{"question_id":' || i || ',"title":"Question ' || i || ' about extraction","tags":["tag-' || (i % 50) || '"],`+
			`"link":"https://site.example/questions/' || i || '/x","body":"How fine should the coffee be ground, and does it matter which water is used?"}],"answers":[],"comments":[]}'»`)
	f.insert("delivery_queue", 1, f.size.Deliveries, of+" and "+held, "delivery_id=i", "webhook_id=w.id", "due_at=⟨START + i * STEP⟩", "round=0", "tries=0", "resend=false",
		"paced=false", "subject=0", "bytes=200")
	f.insert("delivery_ends", 1, f.size.Deliveries, of+" and i % 100 in (7, 8) and not ("+held+")", "delivery_id=i", "webhook_id=w.id", "state=case when i % 100 = 7 then 'failed' else 'dropped' end",
		"at=⟨START + i * STEP + 1000000⟩", "reason=case when i % 100 = 8 then 'dropped by Mary Wilkins' else '' end")
	f.insert("attempts", 1, f.size.Deliveries, of+" and not ("+held+")",
		"delivery_id=i", "webhook_id=w.id", "manual=false", "started_at=⟨START + i * STEP + 1000000⟩", "duration_us=12345", "code=case when i % 100 = 7 then 500 else 200 end",
		"error_class=''", "error=''", "url='https://hooks.example.com/hot'", `request_headers=«'[["Content-Type","application/json"],["Webhook-Id","msg_big' || i || '"]]'»`,
		`response_headers=«'[["Content-Type","text/plain"]]'»`, "response_body=«'thank you'»", "truncated=false", "reconnected=false", "arrived=i % 100 <> 7")
	f.number("events")
	f.number("deliveries")
	f.number("dispatches")
}

func (f *filler) rest() {
	f.Helper()
	f.insert("audit_entries", 1, min(f.size.Events, 100_000), "", "at=⟨NOW - 1000000000 + i⟩", "by_id=1", "by_name='Mary Wilkins'",
		"action=case when i % 2 = 0 then 'webhook.saved' else 'delivery.resent' end", "target='webhook ' || i", "detail='' ")
	f.insert("tokens", 1, 20, "", "name='Token ' || i", "scope='ingest'", "location=''", "hash='hash' || i", "created_by='Mary Wilkins'", "created_at=⟨START⟩")
}
