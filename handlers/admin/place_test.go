package admin_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// groups are a select's choices, each group as "Label: one, two".
func groups(a *webtest.Answer, selector string) string {
	var list []string
	a.Find(selector).Find("optgroup").Each(func(_ int, group *goquery.Selection) {
		var labels []string
		group.Find("option").Each(func(_ int, one *goquery.Selection) { labels = append(labels, one.Text()) })
		list = append(list, group.AttrOr("label", "")+": "+strings.Join(labels, ", "))
	})
	return strings.Join(list, "; ")
}

// TestLocationsHaveAKind: main is the main site, every other location a Private
// Team until an administrator changes it. Selects and the list go by it.
func TestLocationsHaveAKind(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		c.AddEvent(1, "question.created", "data")
		c.Post("/admin/locations", url.Values{"slug": {"archive"}, "name": {"Archive"}}).GoesTo("/admin/locations")
		c.Post("/admin/locations", url.Values{"slug": {"zurich"}, "name": {"Zürich office"}, "kind": {"main_site"}}).GoesTo("/admin/locations")
		w := c.AddWebhook(func(in *models.WebhookInput) { in.Location = "zurich" })
		offered := func(want string) {
			t.Helper()
			for path, selector := range map[string]string{
				webtest.NewForm: "#location", webtest.EditPath(w): "#location", "/admin/webhooks": "#team", "/admin/deliveries": "#location",
				"/admin/trigger-history": "#location", "/admin/tokens": "#location", "/admin/sources/new?kind=generic": "#location",
			} {
				if got := groups(c.Get(path).Want(http.StatusOK), selector); got != want {
					t.Errorf("%s offers %q", path, got)
				}
			}
			var names []string
			c.Get("/admin/locations").Find("tbody .o1 a").Each(func(_ int, a *goquery.Selection) { names = append(names, a.Text()) })
			flat := strings.NewReplacer("Main site: ", "", "; Private Teams: ", ", ").Replace(want)
			if got := strings.Join(names, ", "); got != flat {
				t.Errorf("the list has %q", got)
			}
			names = nil
			c.Get("/admin/members").Find(".tick-list label").Each(func(_ int, a *goquery.Selection) { names = append(names, a.Text()) })
			if got := strings.Join(names, ", "); got != flat {
				t.Errorf("the members' form has %q", got)
			}
		}
		offered("Main site: Main site, Zürich office; Private Teams: Archive, Python wranglers")

		team := c.Get("/admin/locations/python-wranglers").Form()
		if team.Get("kind") != "private_team" || c.Get("/admin/locations/zurich").Form().Get("kind") != "main_site" || c.Get("/admin/locations/main").Form().Has("kind") {
			t.Errorf("the forms have the kinds %v", team)
		}
		team.Set("kind", "main_site")
		c.Post("/admin/locations/python-wranglers", team).GoesTo("/admin/locations")
		offered("Main site: Main site, Python wranglers, Zürich office; Private Teams: Archive")
		if got := c.Get("/admin/audit").Text("tbody tr:first-child"); !strings.Contains(got, "Changed a location's kind python-wranglers Private Team → Main site") {
			t.Errorf("the log says %q", got)
		}
		before := c.Stored()
		c.Post("/admin/locations/python-wranglers", url.Values{"name": team["name"]}).GoesTo("/admin/locations")
		for path, field := range map[string]url.Values{
			"/admin/locations/main": {"kind": {"private_team"}}, "/admin/locations/archive": {"kind": {"other"}}, "/admin/locations": {"kind": {"private_team"}, "slug": {"main"}},
		} {
			field.Set("name", "Another")
			if got := c.Post(path, field).Want(http.StatusUnprocessableEntity).Text("[role=alert] a[href='#kind']"); got == "" {
				t.Errorf("%s does not name the field", path)
			}
		}
		c.LogIn(c.AddViewer())
		c.Post("/admin/locations/archive", url.Values{"name": {"Archive"}, "kind": {"main_site"}}).Want(http.StatusForbidden)
		if after := c.Stored(); strings.Contains(webtest.Difference(before, after), "locations") {
			t.Errorf("stored %s", webtest.Difference(before, after))
		}
	})
}

// hides presses the button of a place's page.
func hides(t *testing.T, c *webtest.Console, path, button string) {
	t.Helper()
	press := c.Get(path).Want(http.StatusOK).Find("main button[formaction]")
	if press.Text() != button {
		t.Fatalf("%s has the button %q", path, press.Text())
	}
	c.Post(press.AttrOr("formaction", ""), url.Values{"hidden": {press.AttrOr("value", "")}}).GoesTo(path)
}

// TestHiddenPlacesAreNotOffered: a hidden location, community or tag is in no
// select and no suggestion. A webhook that has them keeps them, and an event with
// them still matches it.
func TestHiddenPlacesAreNotOffered(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		const location = "/admin/locations/python-wranglers"
		places := []string{location + "?community=data", location + "?tag=c%2B%2B", location}
		c.AddEvent(1, "question.created", "data", "c++")
		w := c.AddWebhook(func(in *models.WebhookInput) {
			in.Location, in.Community, in.TagMode, in.Tags = "python-wranglers", "data", models.TagsSpecific, []string{"c++"}
		})
		about := c.Get("/admin/webhooks/location?location=python-wranglers&prefix=c").Body
		if !strings.Contains(about, "Data") || !strings.Contains(about, "c++") {
			t.Fatalf("at first the form is told %s", about)
		}
		for _, place := range places[:2] {
			hides(t, c, place, "Hide")
		}
		if got := c.Get("/admin/webhooks/location?location=python-wranglers&prefix=c").Body; strings.Contains(got, "data") || strings.Contains(got, "c++") {
			t.Errorf("the form is told %s", got)
		}
		if got := c.Get(location).Text("tbody, #tags ~ ul"); strings.Count(got, "Hidden") != 2 {
			t.Errorf("the location's page says %q", got)
		}
		hides(t, c, location, "Hide")
		offersNone(t, c)
		if got := c.Get(location).Text("main"); !strings.Contains(got, "forms and filters do not offer it") {
			t.Errorf("its page says %q", got)
		}
		keepsAll(t, c, w)

		for _, place := range places {
			hides(t, c, place, "Show again")
		}
		if got := c.Get("/admin/webhooks/location?location=python-wranglers&prefix=c").Body; got != about {
			t.Errorf("shown again the form is told %s", got)
		}
		if got := groups(c.Get(webtest.NewForm), "#location, #community"); got != "Main site: Main site; Private Teams: Python wranglers; Python wranglers: Data" {
			t.Errorf("shown again the form offers %q", got)
		}
		log := c.Get("/admin/audit").Text("tbody")
		for _, line := range []string{
			"Hid a location python-wranglers", "Hid a community python-wranglers/data", "Hid a tag python-wranglers/c++",
			"Showed a location again python-wranglers", "Showed a community again python-wranglers/data", "Showed a tag again python-wranglers/c++",
		} {
			if strings.Count(log, line) == 0 {
				t.Errorf("the log lacks %q: %s", line, log)
			}
		}
	})
}

// offersNone looks for the hidden location in all that offers locations.
func offersNone(t *testing.T, c *webtest.Console) {
	t.Helper()
	for _, path := range []string{webtest.NewForm, "/admin/webhooks", "/admin/deliveries", "/admin/trigger-history", "/admin/tokens", "/admin/sources/new?kind=generic", "/admin/members"} {
		a := c.Get(path).Want(http.StatusOK)
		if got := a.Text("main select, main .tick-list"); strings.Contains(got, "Python wranglers") || strings.Contains(got, "Data") {
			t.Errorf("%s offers %q", path, got)
		}
		if len(a.Find("main select option, main .tick-list label").Nodes) == 0 {
			t.Errorf("%s offers nothing at all", path)
		}
	}
	for _, of := range []string{"locations?q=py", "communities?location=python-wranglers&q=da"} {
		if got := c.Get("/admin/suggestions/" + of).Want(http.StatusOK).Body; got != "[]" {
			t.Errorf("%s suggests %s", of, got)
		}
	}
}

// keepsAll saves a webhook at hidden places as its form has it, and lets it match.
func keepsAll(t *testing.T, c *webtest.Console, w models.Webhook) {
	t.Helper()
	a := c.Get(webtest.EditPath(w)).Want(http.StatusOK)
	if got := a.Text("#location [selected]") + a.Text("#community [selected]"); got != "Python wranglersData" {
		t.Errorf("its form has %q", got)
	}
	if got := c.Get("/admin/webhooks?team=python-wranglers").Text("#team [selected], [aria-label='Filters in force'], tbody"); !strings.Contains(got, "Python wranglers") || !strings.Contains(got, w.Name) {
		t.Errorf("the list filtered by it has %q", got)
	}
	form := a.Form()
	form["events"], form["do"], form["name"] = []string{"question.created"}, []string{"save"}, []string{"Renamed"}
	form.Set("url", webtest.NewReceiver(t).URL)
	c.Post(webtest.EditPath(w), form).Want(http.StatusSeeOther)
	if got := c.Reload(w); got.Name != "Renamed" || got.Location != "python-wranglers" || got.Community != "data" || !slices.Equal(got.Tags, []string{"c++"}) {
		t.Errorf("saved is %+v", got)
	}
	c.AddEvent(2, "question.created", "data", "c++")
	c.AddEvent(3, "question.created", "data", "rust")
	site := &webtest.HistorySite{T: t, Store: c.Store}
	site.Set(models.DispatchDelay, "0")
	site.Dispatch(10)
	list, _, err := c.Store.Deliveries.List(t.Context(), models.DeliveryQuery{Within: models.AllLocations(), WebhookID: w.ID, Limit: 10})
	webtest.OK(t, err)
	items := 0
	for _, d := range list {
		items += d.Items
	}
	if items != 1 { // the first event is older than the webhook
		t.Errorf("%d events reached it: %+v", items, list)
	}
}

// TestHidingIsRefused: the main site stays, only administrators of all locations
// hide, and what was hidden is not removed with the empty ones.
func TestHidingIsRefused(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		c.AddEvent(1, "question.created", "data", "c++")
		c.Post("/admin/locations", url.Values{"slug": {"old"}, "name": {"Old"}}).GoesTo("/admin/locations")
		hides(t, c, "/admin/locations/old", "Hide")
		if got := c.Get("/admin/empty-locations").Text("main"); !strings.Contains(got, "No location is empty.") {
			t.Errorf("a hidden location is removed with the empty ones: %q", got)
		}
		before := c.Stored()
		if c.Get("/admin/locations/main").Find("button[formaction], a[href$=remove]").Length() > 0 {
			t.Error("the main site offers to be hidden")
		}
		hidden := url.Values{"hidden": {"yes"}}
		c.Post("/admin/locations/main/hide", hidden).Want(http.StatusUnprocessableEntity)
		c.Post("/admin/locations/python-wranglers/hide", nil).Want(http.StatusUnprocessableEntity)
		for _, path := range []string{"nowhere/hide", "main/hide?tag=c%2B%2B", "python-wranglers/hide?community=x", "python-wranglers/hide?tag=c%2B%2B&community=data"} {
			c.Post("/admin/locations/"+path, hidden).Want(http.StatusNotFound)
		}
		c.Post("/admin/locations/python-wranglers?tag=c%2B%2B", url.Values{"name": {"x"}}).Want(http.StatusNotFound)
		c.Post("/admin/locations/old/hide", hidden).Want(http.StatusSeeOther) // it is hidden already
		limited := c.AddUser(models.User{Email: "limited@example.com", Name: "Limited", Role: models.RoleAdministrator, Limited: true, Locations: []string{"python-wranglers"}})
		before += webtest.Difference(before, c.Stored()) // the new members
		for _, user := range []models.User{limited, c.AddViewer()} {
			c.LogIn(user)
			c.Post("/admin/locations/python-wranglers/hide", hidden).Want(http.StatusForbidden)
			for _, path := range []string{"", "?community=data", "?tag=c%2B%2B"} {
				if a := c.Get("/admin/locations/python-wranglers" + path).Want(http.StatusOK); a.Find("main form[method=post], main a[href*=remove]").Length() > 0 {
					t.Errorf("%s offers a change to %s", path, user.Name)
				}
			}
		}
		if got := webtest.Difference(before, c.Stored()); strings.Contains(got, "python-wranglers") && strings.Contains(got, "true") {
			t.Errorf("stored %s", got)
		}
	})
}

// TestManyHiddenLocationsLeaveASelect: a select lists what is shown, however many
// are hidden.
func TestManyHiddenLocationsLeaveASelect(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		c.ManyLocations()
		c.AddWebhook(nil)
		c.Exec("update locations set hidden = true where slug like 'team-%' and slug <> 'team-7'")
		c.Exec("update communities set hidden = true where slug <> 'guild-7'")
		if got := groups(c.Get(webtest.NewForm).Want(http.StatusOK).Small(), "#location, #community"); got != "Main site: Main site; Private Teams: Python wranglers, Team 7; Python wranglers: Guild 7" {
			t.Errorf("the form offers %q", got)
		}
		if got := c.Get("/admin/webhooks?team=team-777").Want(http.StatusOK).Text("#team [selected]"); got != "Team 777" {
			t.Errorf("filtered by a hidden one the list has %q", got)
		}
		form := c.Get(webtest.NewForm).Form()
		for name, value := range map[string]string{"name": "New", "url": webtest.NewReceiver(t).URL, "do": "save", "location": "python-wranglers", "community": "guild-777", "events": "question.created"} {
			form.Set(name, value)
		}
		c.Post(webtest.NewForm, form).GoesTo(web.WebhooksPath)
	})
}
