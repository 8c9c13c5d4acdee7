package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

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

// TestFieldsSearchAmongManyLocations: no page lists thousands to choose from.
// A field takes slug or name, and says beside it what it does not know.
func TestFieldsSearchAmongManyLocations(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		c.manyLocations()
		for _, path := range []string{newForm, "/admin/webhooks", "/admin/webhooks?team=team-777", "/admin/trigger-history", "/admin/deliveries", "/admin/tokens", "/admin/webhooks/known?location=python-wranglers"} {
			c.get(path).want(http.StatusOK).small()
		}
		a := c.get(newForm)
		if a.form().Get("location") != "main" || a.Find("input[name=location][list], input[name=community][list]").Length() != 2 {
			t.Errorf("the form: %v", a.form())
		}
		form := a.form()
		for name, value := range map[string]string{"name": "Found", "events": "question.created", "url": newReceiver(t).URL, "do": "save"} {
			form.Set(name, value)
		}
		form.Set("location", "team 7770x")
		a = c.post(newForm, form).want(http.StatusUnprocessableEntity).small()
		if got := a.text("#location-err"); got != "There is no location with the slug or name “team 7770x”." || a.form().Get("location") != "team 7770x" {
			t.Errorf("an unknown location: %q %v", got, a.form())
		}
		form.Set("location", "eam 1999")
		a = c.post(newForm, form).want(http.StatusUnprocessableEntity).small()
		if got := a.text("#location-err"); !strings.HasSuffix(got, "Similar: team-1999, team-19990 and team-19991.") || a.Find("#location-list option").Length() != 11 {
			t.Errorf("a part of names: %q, %d suggested", got, a.Find("#location-list option").Length())
		}
		form.Set("location", "python WRANGLERS")
		form.Set("community", "Guild none")
		a = c.post(newForm, form).want(http.StatusUnprocessableEntity)
		if got := a.text("#community-err"); got != "This location has no such community. Choose another, or none." || a.form().Get("location") != "python-wranglers" {
			t.Errorf("an unknown community: %q", got)
		}
		form.Set("community", "Guild 19999")
		c.post(newForm, form).goesTo("/admin/webhooks")
		w, err := c.store.Webhooks.Get(t.Context(), 1)
		ok(t, err)
		if w.Location != "python-wranglers" || w.Community != "guild-19999" {
			t.Errorf("saved at %s, %s", w.Location, w.Community)
		}

		for path, want := range map[string]string{
			"/admin/webhooks?team=Python+wranglers":                                 "Found",
			"/admin/webhooks?team=nowhere":                                          "There is no location with the slug or name “nowhere”.",
			"/admin/trigger-history?location=nowhere":                               "There is no location with the slug or name “nowhere”.",
			"/admin/suggestions/locations?q=TEAM+777":                               `[{"value":"team-777","label":"Team 777"},{"value":"team-7770",`,
			"/admin/suggestions/communities?location=main&q=x":                      "[]",
			"/admin/suggestions/communities?location=Python+wranglers&q=guild+1999": `{"value":"guild-1999","label":"Guild 1999"}`,
		} {
			if a := c.get(path).want(http.StatusOK).small(); !strings.Contains(a.Body, want) {
				t.Errorf("%s does not say %q", path, want)
			}
		}
		c.addEvent(1, "question.created", "", "x")
		a = c.get("/admin/trigger-history?location=python+wranglers")
		if a.Find("tbody tr").Length() != 1 || a.text("[aria-label='Filters in force']") != "Location Python wranglers×" {
			t.Errorf("the history by a name: %s", a.text("main"))
		}

		a = c.post("/admin/tokens", url.Values{"name": {"x"}, "scope": {models.ScopeIngest}, "location": {"nowhere"}}).want(http.StatusUnprocessableEntity).small()
		if a.text("#location-err") == "" || a.form().Get("location") != "nowhere" {
			t.Errorf("a token for nowhere: %s", a.text("main"))
		}
		c.post("/admin/tokens", url.Values{"name": {"x"}, "scope": {models.ScopeIngest}, "location": {"Team 777"}}).want(http.StatusSeeOther)
		tok, err := c.store.Tokens.Get(t.Context(), 1)
		ok(t, err)
		if tok.Location != "team-777" {
			t.Errorf("the token is for %q", tok.Location)
		}
	})
}

func TestDeliveriesAreFilteredByOneOfManyWebhooks(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		for i := range pickMax + 1 {
			c.addWebhook(func(in *models.WebhookInput) { in.Name = fmt.Sprintf("Hook %d", i+1) })
		}
		c.addWebhook(func(in *models.WebhookInput) { in.Name = "Hook 1" })
		a := c.get("/admin/deliveries?webhook=hook+7&state=failed").want(http.StatusOK)
		if got := a.Find("input[name=webhook]").AttrOr("value", ""); got != "Hook 7 #7" || a.text("[aria-label='Filters in force'] li:first-child") != "Webhook Hook 7 #7×" {
			t.Errorf("the field holds %q, in force are %s", got, a.text("[aria-label='Filters in force']"))
		}
		if got := a.Find("a[download]").First().AttrOr("href", ""); got != "" && !strings.Contains(got, "webhook=7") {
			t.Errorf("the export is %s", got)
		}
		for value, want := range map[string]string{"Hook+7+%237": "Hook 7 #7", "7": "Hook 7 #7", "999": "Webhook 999 (unknown) #999"} {
			if got := c.get("/admin/deliveries?webhook="+value).Find("input[name=webhook]").AttrOr("value", ""); got != want {
				t.Errorf("%s: the field holds %q", value, got)
			}
		}
		for _, value := range []string{"hook+1", "nothing", "%23"} { // two are called so, none is
			if got := c.get("/admin/deliveries?webhook=" + value).text("main .s-notice__warning"); !strings.Contains(got, "so it was left out") {
				t.Errorf("%s: %q", value, got)
			}
		}
		if got := c.get("/admin/suggestions/webhooks?q=HOOK+10").Body; !strings.HasPrefix(got, `[{"value":"Hook 10 #10","label":""},{"value":"Hook 100 #100"`) {
			t.Errorf("suggested: %s", got)
		}
	})
}

// TestEmptyLocationsAreRemovedTogether: with a search only those that match
// it; what is used, renamed or described stays.
func TestEmptyLocationsAreRemovedTogether(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		c.manyLocations()
		c.addEvent(1, "question.created", "data", "c++")
		c.addWebhook(func(in *models.WebhookInput) { in.Location = "team-1" })
		_, err := c.store.Tokens.Issue(t.Context(), c.admin.Actor(), models.Token{Name: "theirs", Scope: models.ScopeIngest, Location: "team-2"})
		ok(t, err)
		c.post("/admin/locations/team-3", url.Values{"name": {"Renamed"}}).want(http.StatusSeeOther)
		c.post("/admin/locations/team-4", url.Values{"name": {"Team 4"}, "description": {"Described"}}).want(http.StatusSeeOther)
		c.exec("insert into tags (location, name) values ('team-777', 'x')")

		a := c.get(c.get("/admin/locations?q=team+777").Find(".table-bar a").AttrOr("href", "")).want(http.StatusOK).small()
		if got := a.text("main form button"); got != "Remove 11 locations" || a.Find(".bullets li").Length() != 11 {
			t.Errorf("of those searched: %q", a.text("main"))
		}
		c.post("/admin/empty-locations", a.form()).goesTo("/admin/locations")
		a = c.get("/admin/empty-locations").want(http.StatusOK).small()
		if got := a.text("main form button"); got != "Remove 19,985 locations" || !strings.Contains(a.text("main"), "The first 20 of them:") || a.Find(".bullets li").Length() != 20 {
			t.Errorf("of all: %q", a.text("main"))
		}
		c.logIn(c.addViewer())
		c.post("/admin/empty-locations", a.form()).want(http.StatusForbidden)
		c.logIn(c.admin)
		if got := c.flash(c.post("/admin/empty-locations", a.form())); got != "Removed 19,985 locations." {
			t.Errorf("it says %q", got)
		}
		if got := c.get("/admin/locations").text("[role=status]"); got != "Showing 6 of 6 locations" {
			t.Errorf("the list: %s", got)
		}
		if got := c.get("/admin/audit?about=location").text("tbody tr:first-child"); !strings.Contains(got, "Removed a locationempty locationsteam-10, team-100,") || !strings.HasSuffix(got, "and 19885 more") {
			t.Errorf("the log says %q", got)
		}
		if got := c.get("/admin/empty-locations").text("main"); !strings.Contains(got, "No location is empty.") {
			t.Errorf("afterwards: %q", got)
		}
	})
}
