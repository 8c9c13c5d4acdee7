package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

const manyPlaces = 20_000

// manyLocations adds locations named Team 1, Team 2 … with the slugs team-1 …,
// and as many communities and tags at python-wranglers.
func (c *console) manyLocations() {
	c.t.Helper()
	at := "1700000000000000"
	if c.store.SQLite() == nil {
		at = "now()"
	}
	for _, into := range []string{
		"locations (slug, name, created_at) %s select 'team-' || i, 'Team ' || i, " + at,
		"communities (location, slug, created_at) %s select 'python-wranglers', 'guild-' || i, " + at,
		"tags (location, name) %s select 'python-wranglers', 'tag-' || i",
	} {
		numbers := fmt.Sprintf("with recursive g(i) as (select 1 union all select i + 1 from g where i < %d)", manyPlaces)
		c.exec("insert into " + fmt.Sprintf(into, numbers) + " from g")
	}
}

// small fails if a page is larger than pages with a few rows are.
func (a *answer) small() *answer {
	a.t.Helper()
	if n := len(a.Body); n > 128<<10 {
		a.t.Errorf("the page has %d KiB", n>>10)
	}
	return a
}

func TestManyLocationsArePagedAndSearched(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		c.manyLocations()
		a := c.get("/admin/locations").want(http.StatusOK).small()
		if got := a.text("[role=status]"); got != "Showing 1–50 of 20,002 locations" || a.Find("tbody tr").Length() != 50 || !strings.HasPrefix(a.text("tbody"), "Main site") {
			t.Errorf("the first page: %s, %d rows", got, a.Find("tbody tr").Length())
		}
		a = c.get(a.Find("a[rel=next]").AttrOr("href", "")).want(http.StatusOK)
		if got := a.text("[role=status]"); got != "Showing 51–100 of 20,002 locations" || a.Find("a[rel=prev]").AttrOr("href", "") != "/admin/locations" {
			t.Errorf("the second page: %s", got)
		}
		if got := c.get("/admin/locations?page=401").text("tbody"); !strings.Contains(got, "Team 9999") {
			t.Errorf("the last page: %s", got)
		}
		for query, want := range map[string]string{
			"?q=TEAM+777": "Showing 11 of 20,002 locations (11 match)", "?q=m-19999": "Showing 1 of 20,002 locations (1 matches)",
			"?q=team&page=3": "Showing 101–150 of 20,002 locations (20,000 match)",
		} {
			if got := c.get("/admin/locations" + query).small().text("[role=status]"); got != want {
				t.Errorf("%s: %s", query, got)
			}
		}
		for query, want := range map[string]string{"?q=50%25": "No location matches", "?page=5000": "There is nothing on this page"} {
			if got := c.get("/admin/locations" + query).want(http.StatusOK).text("h2"); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s", query, got)
			}
		}
		const team = "/admin/locations/python-wranglers"
		a = c.get(team).want(http.StatusOK).small()
		if got := a.text("#communities") + a.text("#tags"); got != "Communities 1–50 of 20,000Tags 1–200 of 20,000" || a.Find("tbody tr").Length() != 50 {
			t.Errorf("the location's page: %s", got)
		}
		a = c.get(team + "?q=guild+777&communities=2")
		if got := a.text("#communities ~ p"); got != "There is nothing on this page: the list is shorter now." {
			t.Errorf("beyond the list: %s", got)
		}
		a = c.get(team + "?q=1999").small()
		if got := a.text("#communities") + a.text("#tags"); got != "CommunitiesTags" || a.Find("tbody tr").Length() != 12 || a.Find("#tags ~ ul li").Length() != 12 {
			t.Errorf("searched: %s %d", got, a.Find("tbody tr").Length())
		}
	})
}

// TestOnlyWhatIsEmptyIsRemoved: a location, a community or a tag goes once no
// webhook, token or kept event names it, and comes back with the next event.
func TestOnlyWhatIsEmptyIsRemoved(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		const location = "/admin/locations/python-wranglers/remove"
		const community, tag = location + "?community=data", location + "?tag=c%2B%2B"
		places := []string{community, tag, location}
		c.addEvent(1, "question.created", "data", "c++")
		w := c.addWebhook(func(in *models.WebhookInput) {
			in.Location, in.Community, in.TagMode, in.Tags = "python-wranglers", "data", models.TagsSpecific, []string{"c++"}
		})
		_, err := c.store.Tokens.Issue(t.Context(), c.admin.Actor(), models.Token{Name: "theirs", Scope: models.ScopeIngest, Location: "python-wranglers"})
		ok(t, err)
		refused := func(when string, uses map[string]string) {
			t.Helper()
			for _, path := range places {
				a := c.get(path).want(http.StatusOK)
				if got := a.text("main .bullets"); got != uses[path] || a.Find("main form").Length() != 0 {
					t.Errorf("%s: %s is used by %q", when, path, got)
				}
				if got := c.post(path, nil).want(http.StatusUnprocessableEntity).text("main [role=alert]"); got != "It was not removed." {
					t.Errorf("%s: %s: %s", when, path, got)
				}
			}
		}
		refused("first", map[string]string{
			community: "1 webhookevents kept for 30 days", tag: "1 webhookevents kept for 30 days",
			location: "1 webhook1 API tokenevents kept for 30 days",
		})
		_, err = c.store.Webhooks.Delete(t.Context(), c.admin.Actor(), w.ID)
		ok(t, err)
		_, err = c.store.Tokens.Revoke(t.Context(), c.admin.Actor(), 1)
		ok(t, err)
		events := "events kept for 30 days"
		refused("with an event", map[string]string{community: events, tag: events, location: events})

		c.exec("delete from events_waiting")
		c.exec("delete from events")
		c.logIn(c.addViewer())
		c.get(tag).want(http.StatusForbidden)
		c.post(location, nil).want(http.StatusForbidden)
		c.logIn(c.admin)
		c.post(tag, nil).goesTo("/admin/locations/python-wranglers")
		c.post(community, nil).goesTo("/admin/locations/python-wranglers")
		c.post(community, nil).want(http.StatusNotFound)
		c.addEvent(2, "question.created", "data", "c++")
		if got := c.get("/admin/locations/python-wranglers").text("tbody, #tags ~ ul"); !strings.HasPrefix(got, "Data data") || !strings.HasSuffix(got, "c++×") {
			t.Errorf("they did not come back: %s", got)
		}
		c.exec("delete from events_waiting")
		c.exec("delete from events")
		if a := c.post(location, c.get(location).want(http.StatusOK).form()).goesTo("/admin/locations"); c.flash(a) != "Removed Python wranglers." {
			t.Errorf("it does not say that it was removed")
		}
		c.get(location).want(http.StatusNotFound)
		got := c.get("/admin/audit").text("tbody")
		for _, want := range []string{"Removed a locationpython-wranglers", "Removed a communitypython-wranglers/data", "Removed a tagpython-wranglers/c++"} {
			if !strings.Contains(got, want) {
				t.Errorf("the log lacks %q: %s", want, got)
			}
		}
		c.get("/admin/locations/main/remove").want(http.StatusUnprocessableEntity)
		c.post("/admin/locations/main/remove", url.Values{}).want(http.StatusUnprocessableEntity)
		c.get("/admin/locations/main/remove?tag=nothing").want(http.StatusNotFound)
		c.get("/admin/locations/main/remove?tag=a&community=b").want(http.StatusNotFound)
	})
}
