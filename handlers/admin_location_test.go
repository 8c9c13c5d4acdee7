package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestLocationsAndCommunitiesAreDescribed(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		c.addEvent(1, "question.created", "data-platform")
		const team, data = "/admin/locations/python-wranglers", "/admin/locations/python-wranglers?community=data-platform"
		about := "First line of " + nasty + "\nand the second"
		c.post(team, url.Values{"name": {"Wranglers"}, "description": {strings.ReplaceAll(about, "\n", "\r\n") + " "}}).goesTo("/admin/locations")
		c.post(data, url.Values{"name": {"Data " + nasty}, "description": {"Pipes"}}).goesTo(team)
		a := c.get(team).want(http.StatusOK)
		if got := a.text("main tbody"); a.form().Get("description") != about || !strings.HasPrefix(got, "Data "+nasty+"Pipes data-platform") {
			t.Errorf("the location: %q %q", a.form().Get("description"), got)
		}
		noMarkup(t, a)
		if got := c.get(data).want(http.StatusOK).form(); got.Get("name") != "Data "+nasty || got.Get("description") != "Pipes" {
			t.Errorf("the community: %v", got)
		}
		if got := c.get("/admin/locations").text("tbody"); !strings.Contains(got, "WranglersFirst line of "+nasty+" and the second python-wranglers") {
			t.Errorf("the list says %q", got)
		}
		event, err := c.store.Events.Named(t.Context(), "event-1question.created", 1)
		ok(t, err)
		for path, want := range map[string]string{
			"/admin/trigger-history": "WranglersData " + nasty, triggerPath(event[0].ID): "CommunityData " + nasty,
			"/admin/audit?about=community": "Data platform → Data " + nasty, "/admin/audit?about=location": "(nothing) → First line of " + nasty,
		} {
			if got := c.get(path).want(http.StatusOK).text("main"); !strings.Contains(got, want) {
				t.Errorf("%s does not say %q: %s", path, want, got)
			}
		}
		form := url.Values{"do": {"preview"}, "location": {"python-wranglers"}, "community": {"data-platform"}, "events": {"question.created"}}
		a = c.post("/admin/webhooks/new?type=generic", form).want(http.StatusOK)
		if got := a.text("#location-help") + a.text("#community [selected]"); got != "First line of "+nasty+" and the secondData "+nasty {
			t.Errorf("the form says %q", got)
		}
		if got := c.get("/admin/webhooks/known?location=python-wranglers").want(http.StatusOK).Body; !strings.Contains(got, `"about":"First line of`) {
			t.Errorf("the form's script is told %s", got)
		}
		c.get("/admin/webhooks/known?location=nowhere").want(http.StatusOK)
	})
}

func TestDescriptionsAreRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		c.addEvent(1, "question.created", "data-platform")
		long, longName := strings.Repeat("é", descriptionMax+1), strings.Repeat("é", nameMax+1)
		for _, path := range []string{"/admin/locations", "/admin/locations/main", "/admin/locations/python-wranglers?community=data-platform"} {
			for _, wrong := range []url.Values{
				{"name": {longName}, "description": {long}, "slug": {"new"}}, {"name": {" "}, "description": {"a\x00b"}, "slug": {"new"}}, {"name": {"a\nb"}, "description": {"a\x1bb"}, "slug": {"new"}},
			} {
				a := c.post(path, wrong).want(http.StatusUnprocessableEntity)
				if a.text("#name-err") == "" || a.text("#description-err") == "" || a.Find("[role=alert] a[href='#description']").Length() != 1 {
					t.Errorf("%s with %.20q: %q", path, wrong, a.text("[role=alert]"))
				}
			}
			a := c.post(path, url.Values{"name": {longName}, "description": {long}})
			if a.form().Get("description") != long || a.form().Get("name") != longName {
				t.Errorf("%s forgets what was typed", path)
			}
		}
		fits := url.Values{"name": {longName[2:]}, "description": {long[2:]}, "slug": {"new"}}
		c.post("/admin/locations", fits).goesTo("/admin/locations")
		if got := c.get("/admin/locations/new").want(http.StatusOK).form(); got.Get("description") != long[2:] {
			t.Errorf("it holds %v", got)
		}
		for _, path := range []string{"/admin/locations/nowhere", "/admin/locations/main?community=data-platform", "/admin/locations/main?community="} {
			c.get(path).want(http.StatusNotFound)
			c.post(path, fits).want(http.StatusNotFound)
		}
	})
}

func TestViewerReadsDescriptions(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		c.addEvent(1, "question.created", "data-platform")
		const team, data = "/admin/locations/python-wranglers", "/admin/locations/python-wranglers?community=data-platform"
		said := url.Values{"name": {"Called so"}, "description": {"Who they are"}}
		c.post(team, said).want(http.StatusSeeOther)
		c.post(data, said).want(http.StatusSeeOther)
		c.logIn(c.addViewer())
		for _, path := range []string{team, data} {
			a := c.get(path).want(http.StatusOK)
			if a.text("h1")+a.text("main .pre-line") != "Called soWho they are"+map[string]string{team: "Who they are"}[path] || a.Find("main form[method=post], main a[href*=community]").Length() > 0 {
				t.Errorf("%s says %q", path, a.text("main"))
			}
			c.post(path, url.Values{"name": {"Mine"}}).want(http.StatusForbidden)
		}
	})
}
