package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Healthy receivers get everything while others are stuck, and what an
// instance holds open does not grow with what waits for the stuck ones. The
// time it takes is measured by BenchmarkIsolation.
func TestStuckReceiversDelayNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, kind string) {
		in := serve(t, environment(t, kind), "SITEHOOKS_LOG_LEVEL=error")
		b := in.login()
		b.quick()
		healthy := []*watch{newWatch(t), newWatch(t)}
		for _, w := range healthy {
			b.createWebhook(webhookForm(w.url))
		}
		bad := b.bad(30)
		most, posted := footprint{}, 0
		post := func(n int) {
			for range n {
				posted++
				in.accept(forRefused(posted))
			}
		}
		post(40)
		eventually(t, "the stuck receivers have what they take at once", func() bool {
			silent, _ := bad.silent.atOnce()
			late, _ := bad.late.atOnce()
			return silent == inFlight && late == inFlight
		})
		for range 4 {
			post(20)
			most = most.most(in.footprint())
			eventually(t, "the healthy have all", func() bool {
				return healthy[0].count() == posted && healthy[1].count() == posted
			})
		}
		// Given up ones count until the receiver notices.
		if _, n := bad.silent.atOnce(); n > 2*inFlight {
			t.Errorf("%d requests at once to one receiver", n)
		}
		// 16 requests to each stuck receiver with three goroutines each, the
		// pool of the database, the jobs: hundreds. What must not be is a
		// connection or a goroutine for each of the thousands that wait.
		if most.sockets > 250 || most.goroutines > 1200 {
			t.Errorf("%d sockets, %d goroutines", most.sockets, most.goroutines)
		}
		t.Logf("at most %+v", most)
	})
}

// TestTheSameIDInTwoLocations: an event's id belongs to its location, so that a
// token of one team neither takes ids from another team nor learns which it
// uses.
func TestTheSameIDInTwoLocations(t *testing.T) {
	onBoth(t, func(t *testing.T, kind string) {
		env := environment(t, kind)
		in := serve(t, env)
		b := in.login()
		b.quick()
		teams := map[string]string{
			"team-a": newToken(t, env, "ingest", "--location", "team-a"), "team-b": newToken(t, env, "ingest", "--location", "team-b"),
		}
		hooks, pages := map[string]*receiver{}, map[string]string{}
		for _, team := range []string{"team-a", "team-b"} {
			in.accept(questionJSON("first of "+team, 1, fmt.Sprintf(`,"location":%q`, team))) // which registers it
			hooks[team] = newReceiver(t)
			form := webhookForm(hooks[team].URL)
			form.Set("location", team)
			b.createWebhook(form)
			event := fmt.Sprintf(`{"id":"q1-created","type":"question.created","location":%q,`+
				`"question":{"question_id":7,"title":"Of %s","link":"https://site.example/questions/7/x"}}`, team, team)
			for _, want := range []string{`{"accepted":1,"duplicates":0}`, `{"accepted":0,"duplicates":1}`} {
				if a := in.call(http.MethodPost, "/api/v1/events", teams[team], event); a.body != want {
					t.Fatalf("%s: %d %s, want %s", team, a.code, a.body, want)
				}
			}
		}
		for team, hook := range hooks {
			eventually(t, "the event of "+team, func() bool {
				return slices.ContainsFunc(hook.items(t), func(i item) bool { return i.Title == "Of "+team })
			})
			a := b.get("/admin/trigger-history?id=q1-created&location=" + team)
			if pages[team] = a.header.Get("Location"); a.code != http.StatusSeeOther || !strings.Contains(b.get(pages[team]).body, "Of "+team) {
				t.Errorf("%s: its id leads to %d %s", team, a.code, pages[team])
			}
		}
		if pages["team-a"] == pages["team-b"] {
			t.Errorf("both are at %s", pages["team-a"])
		}
		both := b.event("q1-created")
		for _, page := range pages {
			if !strings.Contains(both.body, `href="`+page+`"`) {
				t.Errorf("the id alone does not lead to %s", page)
			}
		}
		a := b.post(pages["team-a"]+"/erase", url.Values{})
		if a.code != http.StatusSeeOther || strings.Contains(b.get(pages["team-a"]).body, "Of team-a") || !strings.Contains(b.get(pages["team-b"]).body, "Of team-b") {
			t.Errorf("erased: %d", a.code)
		}
	})
}
