package app_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models"
)

// fillPlaces registers n names by SQL, since ingest would take its time. In
// values i is the number of a row and AT a time.
func fillPlaces(t testing.TB, db *sql.DB, kind, table, columns, values string, n int) {
	t.Helper()
	at := "1700000000000000"
	if kind == "postgres" {
		at = "now()"
	}
	_, err := db.ExecContext(t.Context(), fmt.Sprintf(
		"insert into %s (%s) with recursive g(i) as (select 1 union all select i + 1 from g where i < %d) select %s from g",
		table, columns, n, strings.NewReplacer("AT", at).Replace(values)))
	ok(t, err)
}

func rowsOf(t testing.TB, db *sql.DB, query string) (n int) {
	t.Helper()
	ok(t, db.QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

// TestEventsRegisterUpToTheLimits: beyond them tags and communities are still
// accepted and matched, and an unknown location is refused.
func TestEventsRegisterUpToTheLimits(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env := apptest.Environment(t, kind)
		in, hook := apptest.Serve(t, env), apptest.NewReceiver(t)
		b, db := in.Login(), openDatabase(t, env)
		b.Quick()
		in.Accept(apptest.QuestionJSON("first", 1, "")) // which registers the main site
		fillPlaces(t, db, kind, "locations", "slug, name, created_at", "'team-' || i, 'Team ' || i, AT", models.MaxLocations-2)
		fillPlaces(t, db, kind, "communities", "location, slug, created_at", "'main', 'c-' || i, AT", models.MaxLocationCommunities-1)
		fillPlaces(t, db, kind, "tags", "location, name", "'main', 'tag-' || i", models.MaxLocationTags-1)
		form := apptest.WebhookForm(hook.URL + "/hook")
		form.Set("tag_mode", "specific")
		form.Set("tags", "b-beyond")
		b.CreateWebhook(form)

		in.Accept(`{"events":[` + event("a-last", "main", "a-last", "a-last") + `,` + event("b", "main", "b-beyond", "b-beyond") + `]}`)
		apptest.Eventually(t, "a tag beyond the limit matches", func() bool { return len(hook.Items(t)) == 1 })
		for query, want := range map[string]int{
			"select count(*) from communities where location = 'main'":                      models.MaxLocationCommunities,
			"select count(*) from communities where slug = 'a-last'":                        1,
			"select count(*) from tags where location = 'main'":                             models.MaxLocationTags,
			"select count(*) from tags where name = 'a-last'":                               1,
			"select count(*) from events where community = 'b-beyond' and event_id = 'b'":   1,
			"select count(*) from tags where name = 'b-beyond' or name = 'b-beyond-second'": 0,
		} {
			if got := rowsOf(t, db, query); got != want {
				t.Errorf("%s: %d, want %d", query, got, want)
			}
		}

		in.Accept(event("c", "last", "x", "x"))
		a := in.Ingest(`{"events":[` + event("d", "team-7", "x", "x") + `,` + event("e", "one-too-many", "x", "x") + `]}`)
		var said struct {
			Errors []struct {
				Index *int
				Field string
			}
		}
		ok(t, json.Unmarshal([]byte(a.Body), &said))
		if a.Code != http.StatusForbidden || len(said.Errors) != 1 || *said.Errors[0].Index != 1 || said.Errors[0].Field != "location" {
			t.Errorf("an unknown location: %d %s", a.Code, a.Body)
		}
		if n := rowsOf(t, db, "select count(*) from events where event_id in ('d', 'e')"); n != 0 {
			t.Errorf("%d events of a refused request are stored", n)
		}
		in.Accept(event("d", "team-7", "x", "x")) // it is registered
		if n := rowsOf(t, db, "select count(*) from locations"); n != models.MaxLocations {
			t.Errorf("%d locations", n)
		}
	})
}

func event(id, location, community, tag string) string {
	return fmt.Sprintf(`{"id":%q,"type":"question.created","location":%q,"community":%q,`+
		`"question":{"question_id":1,"title":"Question","link":"https://site.example/questions/1/x","tags":[%q]}}`, id, location, community, tag)
}
