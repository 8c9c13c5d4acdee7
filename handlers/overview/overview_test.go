package overview_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/handlers/charts"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// lively is a site on which events were delivered, failed and were held.
func lively(t *testing.T, c *webtest.Console) {
	t.Helper()
	s := &webtest.HistorySite{T: t, Store: c.Store}
	s.Set(models.DispatchDelay, "0")
	s.Set(models.DispatchInterval, "0")
	well, broken := s.Hook("Healthy", nil), s.Hook("Gone "+webtest.Nasty, nil)
	for i := range 3 {
		s.Event(fmt.Sprintf("e-%d", i), "A question", nil)
		s.Dispatch(1)
		s.Attempt(well.ID, models.DeliveryDelivered, models.Attempt{Code: 200, DurationUS: 40_000}, 0, "")
	}
	s.Attempt(broken.ID, models.DeliveryRetrying, models.Attempt{Code: 503, DurationUS: 1_000_000}, time.Hour, "")
	s.Attempt(broken.ID, models.DeliveryFailed, models.Attempt{Code: 500, DurationUS: 2_000_000}, 0, "The receiver answered 500.")
	webtest.OK(t, s.Store.Lanes.Record(t.Context(), broken.ID, "", nil, models.LaneHealth{Broken: "The receiver answered 410 Gone."}))
}

// TestOverview: what came in, what went out, what failed, and each figure leads
// to a list that has it.
func TestOverview(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		s := &webtest.HistorySite{T: t, Store: c.Store}
		s.Event("old", "Long ago", nil)
		c.Exec("delete from pending_events")
		c.Exec("update events set received_at = ?", charts.DaySince(time.Now()).Add(-time.Second))
		lively(t, c)
		c.Exec("insert into pending_events (location, received_at, event_id, merge_key) select location, received_at, id, '' from events where event_id = 'old'")
		_, err := c.Store.Tokens.Create(t.Context(), models.Token{Name: "The site", Scope: models.ScopeIngest})
		webtest.OK(t, err)
		a := c.Get("/admin").Want(http.StatusOK)
		webtest.NoMarkup(t, a)
		// The fourth event is that of the webhook that broke; the fifth came just
		// before the first hour of the day. Both wait for dispatch.
		for id, of := range map[string][2]string{"24h": {"4", ""}, "7d": {"5", "Webhooks that failed most "}} {
			webtest.Says(t, id, a.Text("section[aria-labelledby=in-"+id+"]"), "Events in "+of[0]+
				" Delivered 3 Failed attempts 2 Show the deliveries "+of[1]+"Response time 624 ms at most 2,000 ms")
		}
		// The webhook that failed most is two clicks away, with what failed.
		most := c.Get(a.Find("a:contains('Webhooks that failed most')").AttrOr("href", "")).Want(http.StatusOK)
		first := most.Find("tbody tr[data-id]").First()
		webtest.Says(t, "the first", webtest.Words(first), "Gone "+webtest.Nasty, "2 of 2 attempts")
		webtest.Says(t, "the last", webtest.Words(most.Find("tbody tr[data-id]").Last()), "Healthy", "0 of 3 attempts")
		if rows := c.Get(first.Find("a[href*='state=tried']").AttrOr("href", "")).Want(http.StatusOK).Find("main tbody tr[data-id]").Length(); rows != 1 {
			t.Errorf("it leads to %d deliveries", rows)
		}
		webtest.Says(t, "attention", a.Text("section[aria-labelledby=attention]"), "Broken 1", "All webhooks", "Gone ", "The receiver answered 410 Gone.", "2 held")
		webtest.Says(t, "the queue", a.Text("section[aria-labelledby=queue]"), "Late since ", "Events waiting for dispatch 2", "Deliveries waiting 2", "Held 2")
		webtest.Says(t, "sources", a.Text("section[aria-labelledby=sources]"), "The site API token Nothing received yet never")
		links := 0
		a.Find("main section a[href]").Each(func(_ int, link *goquery.Selection) {
			href, text := link.AttrOr("href", ""), strings.TrimSpace(link.Text())
			list := c.Get(href).Want(http.StatusOK)
			if text == "Show the deliveries" {
				text = "1"
			}
			if rows := list.Find("main tbody tr[data-id]").Length(); strings.Contains(href, "?") && !strings.HasPrefix(href, "/admin/webhooks") && text != "none" && !strings.Contains(text, "ms") && strconv.Itoa(rows) != text {
				t.Errorf("%s says %s and leads to %d rows", href, text, rows)
			}
			links++
		})
		if links < 16 {
			t.Errorf("%d links", links)
		}
	})
}

// TestOverviewIsTheFirstPage: where a login leads, and the first entry.
func TestOverviewIsTheFirstPage(t *testing.T) {
	c := webtest.NewConsole(t)
	c.Get("/").GoesTo("/admin")
	a := c.Get("/admin").Want(http.StatusOK)
	if got := a.Text(".app-nav"); !strings.HasPrefix(got, "Overview Admin Settings Webhooks Deliveries Trigger history ") {
		t.Errorf("the navigation is %q", got)
	}
	webtest.Says(t, "an empty site", a.Text("main"), "None. No webhook is broken or failing", "Dispatch On time", "POST /api/v1/events")
	c.Cookie = ""
	form := webtest.Credentials(webtest.AdminPassword)
	form.Del("next")
	c.Post("/login", form).GoesTo("/admin")
}

// TestOverviewAsksThreeQuestions however much history there is: its queries are
// those that no other page has.
func TestOverviewAsksThreeQuestions(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		ask := func() int {
			frame := map[string]bool{}
			for _, query := range c.Queries(func() { c.Get("/developer/site-settings").Want(http.StatusOK) }) {
				frame[query] = true
			}
			own := 0
			for _, query := range c.Queries(func() { c.Get("/admin").Want(http.StatusOK) }) {
				if !frame[query] {
					own++
					for _, table := range []string{"from events", "from deliveries", "from attempts", "from triggers"} {
						if strings.Contains(query, table) {
							t.Errorf("reads the history: %s", query)
						}
					}
				}
			}
			return own
		}
		empty := ask()
		lively(t, c)
		if full := ask(); empty != 3 || full != 3 {
			t.Errorf("%d questions of an empty site, %d of a lively one", empty, full)
		}
	})
}

// TestSourcesAreAsOnTheirPage: both pages say the same of each, and the overview
// names those with a problem first.
func TestSourcesAreAsOnTheirPage(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		ctx := t.Context()
		_, err := c.Store.Tokens.Create(ctx, models.Token{Name: "a token", Scope: models.ScopeIngest})
		webtest.OK(t, err)
		for _, name := range []string{"failing", "new", "silent", "well"} {
			_, _, err = c.Store.Sources.Create(ctx, webtest.Boss, name, models.SourceInput{Kind: "generic", Location: "main", ExpectHours: 1})
			webtest.OK(t, err)
		}
		c.Exec("update sources set updated_at = ? where name = 'silent'", time.Now().UTC().Add(-2*time.Hour))
		_, err = c.Store.Sources.Silence(ctx)
		webtest.OK(t, err)
		webtest.OK(t, c.Store.Sources.Keep(ctx, &models.SourceRequest{Source: "failing", Verified: true, State: models.RequestRefused, Reason: "The body is not JSON."}))
		webtest.OK(t, c.Store.Sources.Keep(ctx, &models.SourceRequest{Source: "well", Verified: true, State: models.RequestAccepted, Accepted: 1}))
		_, err = c.Store.Sources.PutCursor(ctx, webtest.Boss, "behind", models.CursorInput{Holder: "a", BehindSeconds: 3 * 3600, Lease: time.Minute})
		webtest.OK(t, err)
		c.Store.Sources.Count("behind", 1)
		webtest.OK(t, c.Store.Sources.Flush(ctx))
		states := func(path, rows string) (names []string, words map[string]string) {
			words = map[string]string{}
			c.Get(path).Want(http.StatusOK).Find(rows).Each(func(_ int, row *goquery.Selection) {
				name := row.Find("td.o1 a").Text()
				names, words[name] = append(names, name), webtest.Words(row.Find("td.o2"))
			})
			return names, words
		}
		first, overview := states("/admin", "section[aria-labelledby=sources] tbody tr")
		_, list := states("/admin/sources", "main tbody tr")
		if len(list) != 6 || !maps.Equal(overview, list) {
			t.Errorf("the overview says %q, the list %q", overview, list)
		}
		webtest.Says(t, "a late follower", overview["behind"], "Behind by 3 h")
		if top := strings.Join(slices.Sorted(slices.Values(first[:min(3, len(first))])), " "); top != "behind failing silent" {
			t.Errorf("the overview begins with %s of %v", top, first)
		}
	})
}
