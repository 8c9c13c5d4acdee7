package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func TestLocationsAndCommunitiesAreDescribed(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		c.AddEvent(1, "question.created", "data-platform")
		const team, data = "/admin/locations/python-wranglers", "/admin/locations/python-wranglers?community=data-platform"
		about := "First line of " + webtest.Nasty + "\nand the second"
		c.Post(team, url.Values{"name": {"Wranglers"}, "description": {strings.ReplaceAll(about, "\n", "\r\n") + " "}}).GoesTo("/admin/locations")
		c.Post(data, url.Values{"name": {"Data " + webtest.Nasty}, "description": {"Pipes"}}).GoesTo(team)
		a := c.Get(team).Want(http.StatusOK)
		if got := a.Text("main tbody"); a.Form().Get("description") != about || !strings.HasPrefix(got, "Data "+webtest.Nasty+"Pipes data-platform") {
			t.Errorf("the location: %q %q", a.Form().Get("description"), got)
		}
		webtest.NoMarkup(t, a)
		if got := c.Get(data).Want(http.StatusOK).Form(); got.Get("name") != "Data "+webtest.Nasty || got.Get("description") != "Pipes" {
			t.Errorf("the community: %v", got)
		}
		if got := c.Get("/admin/locations").Text("tbody"); !strings.Contains(got, "WranglersFirst line of "+webtest.Nasty+" and the second Private Team python-wranglers") {
			t.Errorf("the list says %q", got)
		}
		event, err := c.Store.Events.Named(t.Context(), models.AllLocations(), "event-1question.created", 1)
		webtest.OK(t, err)
		for path, want := range map[string]string{
			"/admin/trigger-history": "WranglersData " + webtest.Nasty, web.TriggerPath(event[0].ID): "CommunityData " + webtest.Nasty,
			"/admin/audit?about=community": "Data platform → Data " + webtest.Nasty, "/admin/audit?about=location": "(nothing) → First line of " + webtest.Nasty,
		} {
			if got := c.Get(path).Want(http.StatusOK).Text("main"); !strings.Contains(got, want) {
				t.Errorf("%s does not say %q: %s", path, want, got)
			}
		}
		form := url.Values{"do": {"preview"}, "location": {"python-wranglers"}, "community": {"data-platform"}, "events": {"question.created"}}
		a = c.Post("/admin/webhooks/new?type=generic", form).Want(http.StatusOK)
		if got := a.Text("#location-help") + a.Text("#community [selected]"); got != "First line of "+webtest.Nasty+" and the secondData "+webtest.Nasty {
			t.Errorf("the form says %q", got)
		}
		if got := c.Get("/admin/webhooks/location?location=python-wranglers").Want(http.StatusOK).Body; !strings.Contains(got, `"about":"First line of`) {
			t.Errorf("the form's script is told %s", got)
		}
		c.Get("/admin/webhooks/location?location=nowhere").Want(http.StatusOK)
	})
}

func TestDescriptionsAreRefused(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		c.AddEvent(1, "question.created", "data-platform")
		long, longName := strings.Repeat("é", rules.TextMax+1), strings.Repeat("é", rules.NameMax+1)
		for _, path := range []string{"/admin/locations", "/admin/locations/main", "/admin/locations/python-wranglers?community=data-platform"} {
			for _, wrong := range []url.Values{
				{"name": {longName}, "description": {long}, "slug": {"new"}}, {"name": {" "}, "description": {"a\x00b"}, "slug": {"new"}}, {"name": {"a\nb"}, "description": {"a\x1bb"}, "slug": {"new"}},
			} {
				a := c.Post(path, wrong).Want(http.StatusUnprocessableEntity)
				if a.Text("#name-err") == "" || a.Text("#description-err") == "" || a.Find("[role=alert] a[href='#description']").Length() != 1 {
					t.Errorf("%s with %.20q: %q", path, wrong, a.Text("[role=alert]"))
				}
			}
			a := c.Post(path, url.Values{"name": {longName}, "description": {long}})
			if a.Form().Get("description") != long || a.Form().Get("name") != longName {
				t.Errorf("%s forgets what was typed", path)
			}
		}
		fits := url.Values{"name": {longName[2:]}, "description": {long[2:]}, "slug": {"new"}}
		c.Post("/admin/locations", fits).GoesTo("/admin/locations")
		if got := c.Get("/admin/locations/new").Want(http.StatusOK).Form(); got.Get("description") != long[2:] {
			t.Errorf("it holds %v", got)
		}
		for _, path := range []string{"/admin/locations/nowhere", "/admin/locations/main?community=data-platform", "/admin/locations/main?community="} {
			c.Get(path).Want(http.StatusNotFound)
			c.Post(path, fits).Want(http.StatusNotFound)
		}
	})
}

func TestViewerReadsDescriptions(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		c.AddEvent(1, "question.created", "data-platform")
		const team, data = "/admin/locations/python-wranglers", "/admin/locations/python-wranglers?community=data-platform"
		said := url.Values{"name": {"Called so"}, "description": {"Who they are"}}
		c.Post(team, said).Want(http.StatusSeeOther)
		c.Post(data, said).Want(http.StatusSeeOther)
		c.LogIn(c.AddViewer())
		for _, path := range []string{team, data} {
			a := c.Get(path).Want(http.StatusOK)
			if a.Text("h1")+a.Text("main .pre-line") != "Called soWho they are"+map[string]string{team: "Who they are"}[path] || a.Find("main form[method=post], main a[href*=community]").Length() > 0 {
				t.Errorf("%s says %q", path, a.Text("main"))
			}
			c.Post(path, url.Values{"name": {"Mine"}}).Want(http.StatusForbidden)
		}
	})
}
