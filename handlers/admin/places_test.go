package admin_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func TestManyLocationsArePagedAndSearched(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		c.ManyLocations()
		a := c.Get("/admin/locations").Want(http.StatusOK).Small()
		if got := a.Text("[role=status]"); got != "Showing 1–50 of 20,002 locations" || a.Find("tbody tr").Length() != 50 || !strings.HasPrefix(a.Text("tbody"), "Main site") {
			t.Errorf("the first page: %s, %d rows", got, a.Find("tbody tr").Length())
		}
		a = c.Get(a.Find("a[rel=next]").AttrOr("href", "")).Want(http.StatusOK)
		if got := a.Text("[role=status]"); got != "Showing 51–100 of 20,002 locations" || a.Find("a[rel=prev]").AttrOr("href", "") != "/admin/locations" {
			t.Errorf("the second page: %s", got)
		}
		if got := c.Get("/admin/locations?page=401").Text("tbody"); !strings.Contains(got, "Team 9999") {
			t.Errorf("the last page: %s", got)
		}
		for query, want := range map[string]string{
			"?q=TEAM+777": "Showing 11 of 20,002 locations (11 match)", "?q=m-19999": "Showing 1 of 20,002 locations (1 matches)",
			"?q=team&page=3": "Showing 101–150 of 20,002 locations (20,000 match)",
		} {
			if got := c.Get("/admin/locations" + query).Small().Text("[role=status]"); got != want {
				t.Errorf("%s: %s", query, got)
			}
		}
		for query, want := range map[string]string{"?q=50%25": "No location matches", "?page=5000": "There is nothing on this page"} {
			if got := c.Get("/admin/locations" + query).Want(http.StatusOK).Text("h2"); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s", query, got)
			}
		}
		const team = "/admin/locations/python-wranglers"
		a = c.Get(team).Want(http.StatusOK).Small()
		if got := a.Text("#communities") + a.Text("#tags"); got != "Communities 1–50 of 20,000Tags 1–200 of 20,000" || a.Find("tbody tr").Length() != 50 {
			t.Errorf("the location's page: %s", got)
		}
		a = c.Get(team + "?q=guild+777&communities=2")
		if got := a.Text("#communities ~ p"); got != "This page no longer exists because the list is shorter now." {
			t.Errorf("beyond the list: %s", got)
		}
		a = c.Get(team + "?q=1999").Small()
		if got := a.Text("#communities") + a.Text("#tags"); got != "CommunitiesTags" || a.Find("tbody tr").Length() != 12 || a.Find("#tags ~ ul li").Length() != 12 {
			t.Errorf("searched: %s %d", got, a.Find("tbody tr").Length())
		}
	})
}

// TestOnlyWhatIsEmptyIsRemoved: a location, a community or a tag goes once no
// webhook, token or kept event names it, and comes back with the next event.
func TestOnlyWhatIsEmptyIsRemoved(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		const location = "/admin/locations/python-wranglers/remove"
		const community, tag = location + "?community=data", location + "?tag=c%2B%2B"
		places := []string{community, tag, location}
		c.AddEvent(1, "question.created", "data", "c++")
		w := c.AddWebhook(func(in *models.WebhookInput) {
			in.Location, in.Community, in.TagMode, in.Tags = "python-wranglers", "data", models.TagsSpecific, []string{"c++"}
		})
		_, err := c.Store.Tokens.Issue(t.Context(), c.Admin.Actor(), models.Token{Name: "theirs", Scope: models.ScopeIngest, Location: "python-wranglers"})
		webtest.OK(t, err)
		refused := func(when string, uses map[string]string) {
			t.Helper()
			for _, path := range places {
				a := c.Get(path).Want(http.StatusOK)
				if got := a.Text("main .bullets"); got != uses[path] || a.Find("main form").Length() != 0 {
					t.Errorf("%s: %s is used by %q", when, path, got)
				}
				if got := c.Post(path, nil).Want(http.StatusUnprocessableEntity).Text("main [role=alert]"); got != "It was not removed." {
					t.Errorf("%s: %s: %s", when, path, got)
				}
			}
		}
		refused("first", map[string]string{
			community: "1 webhook events kept for 30 days", tag: "1 webhook events kept for 30 days",
			location: "1 webhook 1 API token events kept for 30 days",
		})
		_, err = c.Store.Webhooks.Delete(t.Context(), c.Admin.Actor(), w.ID)
		webtest.OK(t, err)
		_, err = c.Store.Tokens.Revoke(t.Context(), c.Admin.Actor(), 1)
		webtest.OK(t, err)
		events := "events kept for 30 days"
		refused("with an event", map[string]string{community: events, tag: events, location: events})

		c.Exec("delete from pending_events")
		c.Exec("delete from events")
		theirs, err := c.Store.Users.Invite(t.Context(), c.Admin.Actor(), models.User{Email: "theirs@x.example", Role: models.RoleViewer, Limited: true, Locations: []string{"python-wranglers"}})
		webtest.OK(t, err)
		a := c.Post(location, nil).Want(http.StatusUnprocessableEntity)
		if got := a.Text("main .bullets"); got != "1 member limited to it" || a.Find("main .bullets a").AttrOr("href", "") != "/admin/members" {
			t.Errorf("with a member: it is used by %q", got)
		}
		_, err = c.Store.Users.Limit(t.Context(), c.Admin.Actor(), theirs.ID, models.AllLocations())
		webtest.OK(t, err)
		c.LogIn(c.AddViewer())
		c.Get(tag).Want(http.StatusForbidden)
		c.Post(location, nil).Want(http.StatusForbidden)
		c.LogIn(c.Admin)
		for path, button := range map[string]string{tag: "Remove this tag", community: "Remove this community", location: "Remove this location"} {
			if got := c.Get(path).Want(http.StatusOK).Text("main form button"); got != button {
				t.Errorf("%s asks with the button %q", path, got)
			}
		}
		c.Get(tag + "&community=data").Want(http.StatusNotFound)
		c.Post(tag, nil).GoesTo("/admin/locations/python-wranglers")
		c.Post(community, nil).GoesTo("/admin/locations/python-wranglers")
		c.Post(community, nil).Want(http.StatusNotFound)
		c.AddEvent(2, "question.created", "data", "c++")
		if got := c.Get("/admin/locations/python-wranglers").Text("tbody, #tags ~ ul"); !strings.HasPrefix(got, "Data data") || !strings.HasSuffix(got, "c++") {
			t.Errorf("they did not come back: %s", got)
		}
		c.Exec("delete from pending_events")
		c.Exec("delete from events")
		if a := c.Post(location, c.Get(location).Want(http.StatusOK).Form()).GoesTo("/admin/locations"); c.Flash(a) != "Removed Python wranglers." {
			t.Errorf("it does not say that it was removed")
		}
		c.Get(location).Want(http.StatusNotFound)
		got := c.Get("/admin/audit").Text("tbody")
		for _, want := range []string{"Removed a location python-wranglers", "Removed a community python-wranglers/data", "Removed a tag python-wranglers/c++"} {
			if !strings.Contains(got, want) {
				t.Errorf("the log lacks %q: %s", want, got)
			}
		}
		c.Get("/admin/locations/main/remove").Want(http.StatusUnprocessableEntity)
		c.Post("/admin/locations/main/remove", url.Values{}).Want(http.StatusUnprocessableEntity)
		c.Get("/admin/locations/main/remove?tag=nothing").Want(http.StatusNotFound)
		c.Get("/admin/locations/main/remove?tag=a&community=b").Want(http.StatusNotFound)
	})
}

// TestFieldsSearchAmongManyLocations: no page lists thousands to choose from. A
// field takes slug or name, and shows a fault for an unknown one.
func TestFieldsSearchAmongManyLocations(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		c.ManyLocations()
		for _, path := range []string{webtest.NewForm, "/admin/webhooks", "/admin/webhooks?team=team-777", "/admin/trigger-history", "/admin/deliveries", "/admin/tokens", "/admin/webhooks/location?location=python-wranglers"} {
			c.Get(path).Want(http.StatusOK).Small()
		}
		a := c.Get(webtest.NewForm)
		if a.Form().Get("location") != "main" || a.Find("input[name=location][list], input[name=community][list]").Length() != 2 {
			t.Errorf("the form: %v", a.Form())
		}
		form := a.Form()
		for name, value := range map[string]string{"name": "Found", "events": "question.created", "url": webtest.NewReceiver(t).URL, "do": "save"} {
			form.Set(name, value)
		}
		form.Set("location", "team 7770x")
		a = c.Post(webtest.NewForm, form).Want(http.StatusUnprocessableEntity).Small()
		if got := a.Text("#location-err"); got != "There is no location with the slug or name “team 7770x”." || a.Form().Get("location") != "team 7770x" {
			t.Errorf("an unknown location: %q %v", got, a.Form())
		}
		form.Set("location", "eam 1999")
		a = c.Post(webtest.NewForm, form).Want(http.StatusUnprocessableEntity).Small()
		if got := a.Text("#location-err"); !strings.HasSuffix(got, "Similar: team-1999, team-19990 and team-19991.") || a.Find("#location-list option").Length() != 11 {
			t.Errorf("a part of names: %q, %d suggested", got, a.Find("#location-list option").Length())
		}
		form.Set("location", "python WRANGLERS")
		form.Set("community", "Guild none")
		a = c.Post(webtest.NewForm, form).Want(http.StatusUnprocessableEntity)
		if got := a.Text("#community-err"); got != "This location has no such community. Choose another, or none." || a.Form().Get("location") != "python-wranglers" {
			t.Errorf("an unknown community: %q", got)
		}
		form.Set("community", "Guild 19999")
		c.Post(webtest.NewForm, form).GoesTo("/admin/webhooks")
		w, err := c.Store.Webhooks.Get(t.Context(), models.AllLocations(), 1)
		webtest.OK(t, err)
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
			if a := c.Get(path).Want(http.StatusOK).Small(); !strings.Contains(a.Body, want) {
				t.Errorf("%s does not say %q", path, want)
			}
		}
		c.AddEvent(1, "question.created", "", "x")
		a = c.Get("/admin/trigger-history?location=python+wranglers")
		if a.Find("tbody tr").Length() != 1 || a.Text("[aria-label='Filters in force']") != "Location Python wranglers × Show all" {
			t.Errorf("the history by a name: %s", a.Text("main"))
		}

		a = c.Post("/admin/tokens", url.Values{"name": {"x"}, "scope": {models.ScopeIngest}, "location": {"nowhere"}}).Want(http.StatusUnprocessableEntity).Small()
		if a.Text("#location-err") == "" || a.Form().Get("location") != "nowhere" {
			t.Errorf("a token for nowhere: %s", a.Text("main"))
		}
		c.Post("/admin/tokens", url.Values{"name": {"x"}, "scope": {models.ScopeIngest}, "location": {"Team 777"}}).Want(http.StatusSeeOther)
		tok, err := c.Store.Tokens.Get(t.Context(), models.AllLocations(), 1)
		webtest.OK(t, err)
		if tok.Location != "team-777" {
			t.Errorf("the token is for %q", tok.Location)
		}
	})
}

func TestDeliveriesAreFilteredByOneOfManyWebhooks(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		for i := range web.PickMax + 1 {
			c.AddWebhook(func(in *models.WebhookInput) { in.Name = fmt.Sprintf("Hook %d", i+1) })
		}
		c.AddWebhook(func(in *models.WebhookInput) { in.Name = "Hook 1" })
		a := c.Get("/admin/deliveries?webhook=hook+7&state=failed").Want(http.StatusOK)
		if got := a.Find("input[name=webhook]").AttrOr("value", ""); got != "Hook 7 #7" || a.Text("[aria-label='Filters in force'] li:first-child") != "Webhook Hook 7 #7 ×" {
			t.Errorf("the field holds %q, in force are %s", got, a.Text("[aria-label='Filters in force']"))
		}
		if got := a.Find("a[download]").First().AttrOr("href", ""); got != "" && !strings.Contains(got, "webhook=7") {
			t.Errorf("the export is %s", got)
		}
		for value, want := range map[string]string{"Hook+7+%237": "Hook 7 #7", "7": "Hook 7 #7", "999": "Webhook 999 (unknown) #999"} {
			if got := c.Get("/admin/deliveries?webhook="+value).Find("input[name=webhook]").AttrOr("value", ""); got != want {
				t.Errorf("%s: the field holds %q", value, got)
			}
		}
		for _, value := range []string{"hook+1", "nothing", "%23"} { // two are called so, none is
			if got := c.Get("/admin/deliveries?webhook=" + value).Text("main .s-notice__warning"); !strings.Contains(got, "so it was ignored") {
				t.Errorf("%s: %q", value, got)
			}
		}
		if got := c.Get("/admin/suggestions/webhooks?q=HOOK+10").Body; !strings.HasPrefix(got, `[{"value":"Hook 10 #10","label":""},{"value":"Hook 100 #100"`) {
			t.Errorf("suggested: %s", got)
		}
	})
}

// TestEmptyLocationsAreRemovedTogether: with a search only those that match it;
// used, renamed and described ones stay.
func TestEmptyLocationsAreRemovedTogether(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		c.ManyLocations()
		c.AddEvent(1, "question.created", "data", "c++")
		c.AddWebhook(func(in *models.WebhookInput) { in.Location = "team-1" })
		_, err := c.Store.Tokens.Issue(t.Context(), c.Admin.Actor(), models.Token{Name: "theirs", Scope: models.ScopeIngest, Location: "team-2"})
		webtest.OK(t, err)
		c.Post("/admin/locations/team-3", url.Values{"name": {"Renamed"}}).Want(http.StatusSeeOther)
		c.Post("/admin/locations/team-4", url.Values{"name": {"Team 4"}, "description": {"Described"}}).Want(http.StatusSeeOther)
		c.Exec("insert into tags (location, name) values ('team-777', 'x')")

		a := c.Get(c.Get("/admin/locations?q=team+777").Find(".table-bar a").AttrOr("href", "")).Want(http.StatusOK).Small()
		if got := a.Text("main form button"); got != "Remove 11 locations" || a.Find(".bullets li").Length() != 11 {
			t.Errorf("of those searched: %q", a.Text("main"))
		}
		c.Post("/admin/empty-locations", a.Form()).GoesTo("/admin/locations")
		a = c.Get("/admin/empty-locations").Want(http.StatusOK).Small()
		if got := a.Text("main form button"); got != "Remove 19,985 locations" || !strings.Contains(a.Text("main"), "The first 20 of them:") || a.Find(".bullets li").Length() != 20 {
			t.Errorf("of all: %q", a.Text("main"))
		}
		c.LogIn(c.AddViewer())
		c.Post("/admin/empty-locations", a.Form()).Want(http.StatusForbidden)
		c.LogIn(c.Admin)
		if got := c.Flash(c.Post("/admin/empty-locations", a.Form())); got != "Removed 19,985 locations." {
			t.Errorf("it says %q", got)
		}
		if got := c.Get("/admin/locations").Text("[role=status]"); got != "Showing 6 of 6 locations" {
			t.Errorf("the list: %s", got)
		}
		if got := c.Get("/admin/audit?about=location").Text("tbody tr:first-child"); !strings.Contains(got, "Removed a location empty locations team-10, team-100,") || !strings.HasSuffix(got, "and 19885 more") {
			t.Errorf("the log says %q", got)
		}
		if got := c.Get("/admin/empty-locations").Text("main"); !strings.Contains(got, "No location is empty.") {
			t.Errorf("afterwards: %q", got)
		}
	})
}
