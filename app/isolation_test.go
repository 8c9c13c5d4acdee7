package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// Healthy receivers get everything while others are stuck, and the open
// requests of an instance do not grow with the deliveries that wait for the
// stuck ones. The time it takes is measured by BenchmarkIsolation.
func TestStuckReceiversDelayNobody(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		in := apptest.Serve(t, apptest.Environment(t, kind), "SITEHOOKS_LOG_LEVEL=error")
		b := in.Login()
		b.Quick()
		healthy := []*apptest.Watch{apptest.NewWatch(t), apptest.NewWatch(t)}
		for _, w := range healthy {
			b.CreateWebhook(apptest.WebhookForm(w.URL))
		}
		bad := b.AddBad(30)
		most, posted := apptest.Footprint{}, 0
		post := func(n int) {
			for range n {
				posted++
				in.Accept(apptest.ForRefused(posted))
			}
		}
		post(40)
		apptest.Eventually(t, "the stuck receivers have a request each", func() bool {
			silent, _ := bad.Silent.AtOnce()
			late, _ := bad.Late.AtOnce()
			return silent > 0 && late > 0
		})
		for range 4 {
			post(20)
			most = most.Most(in.Footprint())
			apptest.Eventually(t, "the healthy have all", func() bool {
				return healthy[0].Count() == posted && healthy[1].Count() == posted
			})
		}
		// Given up ones count until the receiver notices.
		if _, n := bad.Silent.AtOnce(); n > 2*apptest.InFlight {
			t.Errorf("%d requests at once to one receiver", n)
		}
		// 16 requests to each stuck receiver with three goroutines each, the
		// pool of the database, the jobs: hundreds. There must not be a
		// connection or a goroutine for each of the thousands that wait.
		if most.Sockets > 250 || most.Goroutines > 1200 {
			t.Errorf("%d sockets, %d goroutines", most.Sockets, most.Goroutines)
		}
		t.Logf("at most %+v", most)
	})
}

// TestTheSameIDInTwoLocations: an event's id belongs to its location, so that a
// token of one team neither takes ids from another team nor learns which it
// uses.
func TestTheSameIDInTwoLocations(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env := apptest.Environment(t, kind)
		in := apptest.Serve(t, env)
		b := in.Login()
		b.Quick()
		teams := map[string]string{
			"team-a": newToken(t, env, "ingest", "--location", "team-a"), "team-b": newToken(t, env, "ingest", "--location", "team-b"),
		}
		hooks, pages := map[string]*apptest.Receiver{}, map[string]string{}
		for _, team := range []string{"team-a", "team-b"} {
			in.Accept(apptest.QuestionJSON("first of "+team, 1, fmt.Sprintf(`,"location":%q`, team))) // which registers it
			hooks[team] = apptest.NewReceiver(t)
			form := apptest.WebhookForm(hooks[team].URL)
			form.Set("location", team)
			b.CreateWebhook(form)
			event := fmt.Sprintf(`{"id":"q1-created","type":"question.created","location":%q,`+
				`"question":{"question_id":7,"title":"Of %s","link":"https://site.example/questions/7/x"}}`, team, team)
			for _, want := range []string{`{"accepted":1,"duplicates":0}`, `{"accepted":0,"duplicates":1}`} {
				if a := call(in, http.MethodPost, "/api/v1/events", teams[team], event); a.Body != want {
					t.Fatalf("%s: %d %s, want %s", team, a.Code, a.Body, want)
				}
			}
		}
		for team, hook := range hooks {
			apptest.Eventually(t, "the event of "+team, func() bool {
				return slices.ContainsFunc(hook.Items(t), func(i apptest.Item) bool { return i.Title == "Of "+team })
			})
			a := b.Get("/admin/trigger-history?id=q1-created&location=" + team)
			if pages[team] = a.Header.Get("Location"); a.Code != http.StatusSeeOther || !strings.Contains(b.Get(pages[team]).Body, "Of "+team) {
				t.Errorf("%s: its id leads to %d %s", team, a.Code, pages[team])
			}
		}
		if pages["team-a"] == pages["team-b"] {
			t.Errorf("both are at %s", pages["team-a"])
		}
		both := b.Event("q1-created")
		for _, page := range pages {
			if !strings.Contains(both.Body, `href="`+page+`"`) {
				t.Errorf("the id alone does not lead to %s", page)
			}
		}
		a := b.Post(pages["team-a"]+"/erase", url.Values{})
		if a.Code != http.StatusSeeOther || strings.Contains(b.Get(pages["team-a"]).Body, "Of team-a") || !strings.Contains(b.Get(pages["team-b"]).Body, "Of team-b") {
			t.Errorf("erased: %d", a.Code)
		}
	})
}
