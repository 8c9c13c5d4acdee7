package overview_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

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
	s.Attempt(broken.ID, models.DeliveryFailed, models.Attempt{Code: 500, DurationUS: 2_000_000}, 0, "The receiver answered 500.")
	webtest.OK(t, s.Store.Lanes.Record(t.Context(), broken.ID, "", nil, models.LaneHealth{Broken: "The receiver answered 410 Gone."}))
}

// TestOverview: what came in, what went out, what failed, and each figure leads
// to a list that has it.
func TestOverview(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		lively(t, c)
		_, err := c.Store.Tokens.Create(t.Context(), models.Token{Name: "The site", Scope: models.ScopeIngest})
		webtest.OK(t, err)
		a := c.Get("/admin").Want(http.StatusOK)
		webtest.NoMarkup(t, a)
		// The fourth event is that of the webhook that broke.
		for _, id := range []string{"24h", "7d"} {
			webtest.Says(t, id, a.Text("section[aria-labelledby=in-"+id+"]"), "Events in 4 Delivered 3 Failed attempts 1 Response time 530 ms at most 2,000 ms")
		}
		webtest.Says(t, "attention", a.Text("section[aria-labelledby=attention]"), "Broken 1", "All webhooks", "Gone ", "The receiver answered 410 Gone.", "2 held")
		webtest.Says(t, "the queue", a.Text("section[aria-labelledby=queue]"), "On time", "Deliveries waiting 2", "Held 2")
		webtest.Says(t, "sources", a.Text("section[aria-labelledby=sources]"), "The site API token Not used yet never")
		links := 0
		a.Find("main section a[href]").Each(func(_ int, link *goquery.Selection) {
			href, text := link.AttrOr("href", ""), strings.TrimSpace(link.Text())
			list := c.Get(href).Want(http.StatusOK)
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
	webtest.Says(t, "an empty site", a.Text("main"), "None. No webhook is broken or failing", "POST /api/v1/events")
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
