package inbound_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/sitehooks/sitehooks/jobs/jq"
	"github.com/sitehooks/sitehooks/models"
)

// exec changes the database behind the store's back.
func (r *receiver) exec(statement string) {
	r.t.Helper()
	db := r.store.SQLite()
	if db == nil {
		db = stdlib.OpenDBFromPool(r.store.Postgres())
		defer db.Close()
	}
	_, err := db.ExecContext(r.t.Context(), statement)
	ok(r.t, err)
}

// without runs a function while a table cannot be found.
func (r *receiver) without(table string, do func()) {
	r.t.Helper()
	r.exec("alter table " + table + " rename to lost_" + table)
	do()
	r.exec("alter table lost_" + table + " rename to " + table)
}

// signed posts to the source team.
func (r *receiver) signed(body string) (status int, answer string) {
	r.t.Helper()
	return r.post("team", body, "X-Signature", "first")
}

// refused fails unless a request of team is answered so, and kept or not.
func (r *receiver) refused(body string, status int, says string, stored int) {
	r.t.Helper()
	if got, answer := r.signed(body); got != status || !strings.Contains(answer, says) {
		r.t.Errorf("answered %d %s, want %d %s", got, answer, status, says)
	}
	if rows := r.recorded("team"); len(rows) != stored {
		r.t.Errorf("%d requests are kept, want %d: %+v", len(rows), stored, rows)
	}
}

// TestFaultsOfTheDatabase: the sender is asked to send again, and is told no more
// than that; what was stored was received.
func TestFaultsOfTheDatabase(t *testing.T) {
	onBoth(t, func(t *testing.T, r *receiver) {
		const later = "This request could not be completed: the database failed. Send it again later."
		r.source("team", "first")
		accepted, types := 0, map[string]int{}
		r.api.OnAccepted = func() { accepted++ }
		r.api.Accepted = func(some map[string]int) {
			for name, n := range some {
				types[name] += n
			}
		}
		body := `{"events":[` + scored("a") + `]}`
		r.without("events", func() { r.refused(body, http.StatusServiceUnavailable, later, 0) })
		if n := r.events(); n != 0 || accepted != 0 {
			t.Errorf("%d events are stored, told %d times", n, accepted)
		}
		r.without("source_requests", func() {
			if status, answer := r.signed(body); status != http.StatusAccepted || answer != `{"accepted":1,"duplicates":0}` {
				t.Errorf("without a note of it: %d %s", status, answer)
			}
			if status, answer := r.signed(`{"fault":"question.id is missing."}`); status != http.StatusUnprocessableEntity || !strings.Contains(answer, "Question.id is missing.") {
				t.Errorf("refused without a note of it: %d %s", status, answer)
			}
			if status, answer := r.signed(`{"lookups":["/t/1.json"]}`); status != http.StatusServiceUnavailable || !strings.Contains(answer, later) {
				t.Errorf("what would be lost: %d %s", status, answer)
			}
		})
		if n := r.events(); n != 1 || accepted != 1 || len(types) != 1 {
			t.Errorf("%d events are stored, told %d times, %v", n, accepted, types)
		}
		r.exec("alter table sources rename to lost_sources")
		status, answer := r.signed(body)
		r.exec("alter table lost_sources rename to sources")
		if status != http.StatusServiceUnavailable || !strings.Contains(answer, later) {
			t.Errorf("without sources: %d %s", status, answer)
		}
		r.exec("update sources set secret_1 = 'damaged'")
		r.refused(body, http.StatusServiceUnavailable, later, 0)
		log := r.log.String()
		for _, says := range []string{"storing events", "cannot keep a request of a source", "keeping the request", "finding the source", "opening the source's secrets"} {
			if !strings.Contains(log, says) {
				t.Errorf("the log lacks %q:\n%s", says, log)
			}
		}
	})
}

// TestRequestsThatNoVersionKnows: of a kind that was registered by another version.
func TestRequestsThatNoVersionKnows(t *testing.T) {
	onBoth(t, func(t *testing.T, r *receiver) {
		r.source("team", "first")
		token := r.source("address")
		r.exec("update sources set kind = 'newer'")
		r.refused(`{}`, http.StatusUnauthorized, "This version of Sitehooks cannot verify requests of this source.", 1)
		if status, answer := r.post("address/"+token, `{}`); status != http.StatusUnprocessableEntity || !strings.Contains(answer, "does not know sources of the kind") {
			t.Errorf("%d %s", status, answer)
		}
		rows := r.recorded("address")
		if len(rows) != 1 || rows[0].State != models.RequestRefused || !strings.Contains(rows[0].Reason, `the kind "newer"`) {
			t.Errorf("kept: %+v", rows)
		}
	})
}

// broken cannot run programs while it has a reason.
type broken struct{ why error }

func (b *broken) Run(context.Context, string, string, jq.Input) ([]json.RawMessage, error) {
	return []json.RawMessage{json.RawMessage(scored("a"))}, b.why
}

// TestAProgramThatCannotRun: the sender is asked to send again; a request that is
// read again by hand waits until the program runs.
func TestAProgramThatCannotRun(t *testing.T) {
	onBoth(t, func(t *testing.T, r *receiver) {
		p := &broken{}
		r.api.Reader.Programs = p
		in := models.SourceInput{Kind: "custom", Location: "main", Program: "."}
		src, token, err := r.store.Sources.Create(t.Context(), mary, "team", in)
		ok(t, err)
		if status, answer := r.post("team/"+token, `{}`); status != http.StatusAccepted {
			t.Fatalf("%d %s", status, answer)
		}
		p.why = errors.New("there is no memory for it")
		status, answer := r.post("team/"+token, `{}`)
		if status != http.StatusServiceUnavailable || !strings.Contains(answer, "The source's program could not be run. Send this request again later.") || strings.Contains(answer, "memory") {
			t.Errorf("%d %s", status, answer)
		}
		if rows, log := r.recorded("team"), r.log.String(); len(rows) != 1 || !strings.Contains(log, "cannot run the program of a source") || !strings.Contains(log, "there is no memory for it") {
			t.Errorf("kept: %+v, logged %s", rows, log)
		}
		request, err := r.store.Sources.Request(t.Context(), "team", r.recorded("team")[0].ID)
		ok(t, err)
		ok(t, r.api.Again(t.Context(), src, &request))
		if row := r.recorded("team")[0]; row.State != models.RequestWaiting || row.Reason != "The source's program could not be run: there is no memory for it." {
			t.Errorf("read again: %+v", row)
		}
		p.why = nil
		ok(t, r.api.Lookups(t.Context()))
		if row := r.recorded("team")[0]; row.State != models.RequestWaiting {
			t.Errorf("before it is due: %+v", row)
		}
		r.clock.Add(time.Minute)
		ok(t, r.api.Lookups(t.Context()))
		if row := r.recorded("team")[0]; row.State != models.RequestAccepted || row.Reason != "" || row.Duplicates+row.Accepted != 1 {
			t.Errorf("when it runs: %+v", row)
		}
		p.why = &jq.Fault{Text: "The program divides by zero."}
		ok(t, r.api.Again(t.Context(), src, &request))
		if row := r.recorded("team")[0]; row.State != models.RequestRefused || row.Reason != "The program divides by zero." {
			t.Errorf("with a fault of the program: %+v", row)
		}
	})
}

// TestLookupsThatLeadNowhere: each is on the source's page with what is wrong.
func TestLookupsThatLeadNowhere(t *testing.T) {
	onBoth(t, func(t *testing.T, r *receiver) {
		other := &instance{status: http.StatusOK}
		server := httptest.NewServer(other)
		t.Cleanup(server.Close)
		in := models.SourceInput{Kind: "example", Location: "main"}
		in.Secrets[0].Set = "first"
		src, _, err := r.store.Sources.Create(t.Context(), mary, "team", in)
		ok(t, err)
		waiting := 0
		r.api.OnWaiting = func() { waiting++ }
		paths := func(n int) string {
			var list []string
			for i := range n {
				list = append(list, fmt.Sprintf(`"/t/%d.json"`, i))
			}
			return `{"lookups":[` + strings.Join(list, ",") + `],"events":[` + scored(strconv.Itoa(n)) + `]}`
		}
		becomes := func(body, state, says string) {
			t.Helper()
			if status, answer := r.signed(body); status != http.StatusAccepted || answer != `{"accepted":0,"duplicates":0,"waiting":1}` {
				t.Errorf("%d %s", status, answer)
			}
			ok(t, r.api.Lookups(t.Context()))
			if row := r.recorded("team")[0]; row.State != state || !strings.Contains(row.Reason, says) {
				t.Errorf("%+v, want %s: %s", row, state, says)
			}
		}
		becomes(paths(1), models.RequestRefused, "The source has no URL of the instance, which is needed to look up whether this is public.")
		in.Fields = map[string]string{"instance": server.URL}
		in.Secrets[0] = models.SecretChange{}
		src, _, err = r.store.Sources.Update(t.Context(), mary, "team", src.UpdatedAt, in)
		ok(t, err)
		becomes(paths(4), models.RequestAccepted, "")
		becomes(paths(5), models.RequestRefused, "This request needs too many look-ups.")
		// When the events cannot be stored, the request is done later.
		r.exec("alter table events rename to lost_events")
		status, _ := r.signed(paths(2))
		err = r.api.Lookups(t.Context())
		r.exec("alter table lost_events rename to events")
		if status != http.StatusAccepted || err == nil || !strings.Contains(err.Error(), "store the events of a request of team") {
			t.Errorf("%d, %v", status, err)
		}
		r.clock.Add(time.Hour)
		stopped, stop := context.WithCancel(t.Context())
		stop()
		if err := r.api.Lookups(stopped); !errors.Is(err, context.Canceled) {
			t.Errorf("while it stops: %v", err)
		}
		if row := r.recorded("team")[0]; row.State != models.RequestWaiting {
			t.Errorf("before it is read again: %+v", row)
		}
		ok(t, r.api.Lookups(t.Context()))
		if row := r.recorded("team")[0]; row.State != models.RequestAccepted || row.Accepted != 1 {
			t.Errorf("when they can be stored: %+v", row)
		}
		server.Close()
		becomes(paths(3), models.RequestWaiting, "The look-up failed: ")
		if waiting != 5 {
			t.Errorf("told of %d requests that wait", waiting)
		}
		// A deleted source has nothing to look up.
		ok(t, r.store.Sources.Delete(t.Context(), mary, "team"))
		r.clock.Add(time.Hour)
		ok(t, r.api.Lookups(t.Context()))
		request := models.SourceRequest{Source: "team", ID: 1, Body: []byte("{}"), Headers: []byte("[]")}
		if err := r.api.Again(t.Context(), src, &request); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("a request of a deleted source: %v", err)
		}
	})
}

// TestNoLookUpAfterAMove: the requests that wait while their source moves to another
// location are not read any more.
func TestNoLookUpAfterAMove(t *testing.T) {
	onBoth(t, func(t *testing.T, r *receiver) {
		var src models.Source
		var in models.SourceInput
		moves := sync.OnceFunc(func() {
			in.Location = "team"
			_, _, err := r.store.Sources.Update(t.Context(), mary, "mover", src.UpdatedAt, in)
			if err != nil {
				t.Error(err)
			}
		})
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { moves() }))
		t.Cleanup(server.Close)
		ok(t, r.store.Locations.Ensure(t.Context(), "team", "Team"))
		in = models.SourceInput{Kind: "example", Location: "main", Fields: map[string]string{"instance": server.URL}}
		in.Secrets[0].Set = "first"
		var err error
		src, _, err = r.store.Sources.Create(t.Context(), mary, "mover", in)
		ok(t, err)
		for _, id := range []string{"a", "b"} {
			r.post("mover", `{"lookups":["/t/1.json"],"events":[`+scored(id)+`]}`, "X-Signature", "first")
		}
		ok(t, r.api.Lookups(t.Context()))
		r.clock.Add(time.Hour)
		ok(t, r.api.Lookups(t.Context()))
		n, err := r.store.Events.CountSince(t.Context(), models.OnlyLocations("team"), time.Time{})
		ok(t, err)
		if rows := r.recorded("mover"); len(rows) != 0 || r.events() != 1 || n != 0 {
			t.Errorf("%d events, %d of them in the new location; kept are %+v", r.events(), n, rows)
		}
	})
}

// TestSoManyRequestsWait: one too many is to be sent again later, and is not kept.
func TestSoManyRequestsWait(t *testing.T) {
	onBoth(t, func(t *testing.T, r *receiver) {
		r.source("team", "first")
		var all sync.WaitGroup
		for range models.RequestsWaitingMax {
			all.Go(func() {
				now := r.clock.Now()
				if err := r.store.Sources.Keep(t.Context(), &models.SourceRequest{Source: "team", Verified: true, State: models.RequestWaiting, NextAt: &now}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		r.refused(`{"lookups":["/t/1.json"]}`, http.StatusServiceUnavailable, "1000 requests of this source wait for look-ups. Send this one again later.", len(r.recorded("team")))
		if status, answer := r.signed(`{"events":[` + scored("a") + `]}`); status != http.StatusAccepted {
			t.Errorf("one that needs no look-up: %d %s", status, answer)
		}
	})
}

// TestALocationTooMany: a source whose location was removed registers it again, unless
// there are as many as there may be.
func TestALocationTooMany(t *testing.T) {
	onBoth(t, func(t *testing.T, r *receiver) {
		in := models.SourceInput{Kind: "example", Location: "removed"}
		in.Secrets[0].Set = "first"
		_, _, err := r.store.Sources.Create(t.Context(), mary, "team", in)
		ok(t, err)
		at := "now()"
		if r.store.SQLite() != nil {
			at = "1700000000000000"
		}
		r.exec(fmt.Sprintf(`insert into locations (slug, name, created_at)
			with recursive g(i) as (select 1 union all select i + 1 from g where i < %d) select 'team-' || i, 'Team', %s from g`, models.MaxLocations, at))
		r.refused(`{"events":[`+scored("a")+`]}`, http.StatusUnprocessableEntity, "The source's location is unknown, and no more locations can be registered.", 1)
		if n := r.events(); n != 0 {
			t.Errorf("%d events are stored", n)
		}
	})
}
