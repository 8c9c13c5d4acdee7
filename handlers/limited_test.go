package handlers_test

import (
	"fmt"
	"html"
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

// team is a location with one of everything, all named after an animal.
type team struct {
	slug, hook, delivery, event, eventID, token, source, request, send, member string
}

func newTeam(t *testing.T, c *webtest.Console, slug, animal string) team {
	t.Helper()
	s := &webtest.HistorySite{T: t, Store: c.Store}
	if slug == "go-team" { // the first
		s.Set(models.DispatchDelay, "0")
		s.Set(models.DispatchInterval, "0")
	}
	webtest.OK(t, c.Store.Locations.Ensure(t.Context(), slug, "Team "+animal))
	webtest.OK(t, c.Store.Locations.Describe(t.Context(), webtest.Boss, slug, models.Label{Name: "Team " + animal, Description: "About " + animal}))
	w := s.Hook("Hook "+animal, func(in *models.WebhookInput) {
		in.Location, in.URL, in.URLShown = slug, "https://"+animal+".example/x", "https://"+animal+".example/x"
		in.Secrets[0].Set = "a secret of sixteen or more"
	})
	eventID := fmt.Sprintf("event-%x", animal) // the site's, which does not name the animal
	s.Event(eventID, "Title "+animal, func(e *models.NewEvent) {
		e.Location, e.Community, e.Tags = slug, animal+"-community", []string{animal + "-tag"}
	})
	s.Dispatch(1)
	d := s.Attempt(w.ID, models.DeliveryFailed, models.Attempt{Code: 500, Error: "failed for " + animal}, 0, "The receiver of "+animal+" answered 500.")
	webtest.OK(t, c.Store.Webhooks.Break(t.Context(), w.ID, "It answered 410 for "+animal))
	events := models.EventQuery{Location: slug}
	counted, err := c.Store.Sends.Count(t.Context(), events, 0)
	webtest.OK(t, err)
	byHand, err := c.Store.Sends.Start(t.Context(), webtest.Boss, models.ManualSend{Key: animal, WebhookID: w.ID, Query: events, Total: 1}, counted, "events of "+animal)
	webtest.OK(t, err)
	_, err = c.Store.Tokens.Issue(t.Context(), c.Admin.Actor(), models.Token{Name: "token of " + animal, Scope: models.ScopeIngest, Location: slug})
	webtest.OK(t, err)
	tokens, err := c.Store.Tokens.List(t.Context(), models.OnlyLocations(slug))
	webtest.OK(t, err)
	_, _, err = c.Store.Sources.Create(t.Context(), webtest.Boss, animal+"-source", models.SourceInput{Kind: "generic", Location: slug, Fields: map[string]string{}})
	webtest.OK(t, err)
	request := &models.SourceRequest{Source: animal + "-source", Verified: true, State: models.RequestIgnored, Reason: "It is about the " + animal, EventIDs: []string{eventID}}
	webtest.OK(t, c.Store.Sources.Keep(t.Context(), request))
	user := c.AddUser(models.User{Email: animal + "@example.com", Name: "Member " + animal, Role: models.RoleViewer, Limited: true, Locations: []string{slug}})
	return team{
		slug: slug, hook: web.FormatID(w.ID), delivery: d.PublicID, event: web.FormatID(s.Number(eventID)), eventID: eventID,
		token: web.FormatID(tokens[0].ID), source: animal + "-source", request: web.FormatID(request.ID), send: web.FormatID(byHand.ID), member: web.FormatID(user.ID),
	}
}

// pages are the addresses of a route for a team; nil: the route has no case. An
// empty list: it is open, or tells nothing of any team.
func (x team) pages(route string) ([]string, bool) {
	one := strings.NewReplacer("/webhooks/:id", "/webhooks/"+x.hook, "/deliveries/:id", "/deliveries/"+x.delivery, ":event", x.event,
		"/sources/:name", "/sources/"+x.source, "/locations/:id", "/locations/"+x.slug, "/members/:id", "/members/"+x.member,
		"/tokens/:id", "/tokens/"+x.token, "/requests/:id", "/requests/"+x.request, "/sends/:id", "/sends/"+x.send).Replace(route)
	if one != route && !strings.ContainsAny(one, ":*") {
		return []string{one}, true
	}
	filters := "?q=ani&team=" + x.slug + "&location=" + x.slug + "&webhook=" + x.hook
	switch route {
	case "/admin/webhooks", "/admin/deliveries", "/admin/deliveries/export", "/admin/deliveries.csv", "/admin/deliveries.json", "/admin/trigger-history",
		"/admin/locations", "/admin/audit", "/admin/sources", "/admin/tokens":
		return []string{
			route, route + filters, route + "?webhook=" + x.hook, route + "?location=" + x.slug + "&team=" + x.slug,
			route + "?id=" + x.eventID, route + "?q=" + x.eventID,
		}, true
	case "/admin/search":
		return []string{route + "?q=" + x.delivery, route + "?q=" + x.eventID, route + "?q=Hook", route + "?q=" + url.QueryEscape("https://site.example/questions/1")}, true
	case "/admin/suggestions/:of":
		var list []string
		for _, of := range []string{"webhooks?q=", "locations?q=", "communities?location=" + x.slug + "&q="} {
			list = append(list, "/admin/suggestions/"+of)
		}
		return list, true
	case "/admin/webhooks/location":
		return []string{route + "?location=" + x.slug + "&prefix=q"}, true
	case "/admin/webhooks/new":
		return []string{route + "?type=generic", route + "?type=generic&from=" + x.hook}, true
	case "/admin/webhooks/bulk":
		return []string{route + "?do=delete&id=" + x.hook, route + "?do=delete&all=1&list=" + url.QueryEscape("team="+x.slug)}, true
	case "/admin/deliveries/resend", "/admin/trigger-history/send":
		return []string{route + "?webhook=" + x.hook + "&location=" + x.slug, route + "?state=failed", route + "?to=" + x.hook}, true
	case "/admin/deliveries/resent":
		return []string{route + "?at=1&total=5"}, true
	case "/admin/sources/new":
		return []string{route + "?kind=generic"}, true
	case "/developer/receivers/:type":
		return []string{"/developer/receivers/generic"}, true
	case "/developer/sources/:kind":
		return []string{"/developer/sources/generic"}, true
	case "/developer/site-settings/edit":
		return []string{webtest.SettingPath(models.DispatchDelay)}, true
	case "/admin", "/", "/admin/members", "/admin/system", "/admin/empty-locations", "/admin/system/dispatch", "/developer/site-settings", "/developer/api", "/developer/receivers",
		"/account", "/account/password", "/account/sessions", "/theme", "/attention":
		return []string{route}, true
	}
	return nil, webtest.Open[route] || web.IsAPI(route) || strings.HasPrefix(route, "/in/") || strings.HasPrefix(route, "/login")
}

// searches are addresses that lead on to the team's event.
func (x team) searches() []string {
	return []string{"/admin/search?q=" + x.eventID, "/admin/trigger-history?id=" + x.eventID}
}

// TestLimitedMemberSeesOneTeam walks all routes as a viewer and as an
// administrator of one team: no page, export, count, search, suggestion or audit
// line tells anything of the other team, and nothing of it can be changed.
func TestLimitedMemberSeesOneTeam(t *testing.T) {
	c := webtest.NewConsole(t)
	ours, theirs := newTeam(t, c, "go-team", "gopher"), newTeam(t, c, "zebra-team", "quagga")
	for _, role := range []string{models.RoleViewer, models.RoleAdministrator} {
		user := c.AddUser(models.User{Email: role + "@example.com", Name: "Limited " + role, Role: role, Limited: true, Locations: []string{ours.slug}})
		c.LogIn(user)
		var seen strings.Builder
		links := map[string]string{} // and a page that has them
		for _, route := range c.Engine.Routes() {
			if route.Method != http.MethodGet {
				continue
			}
			for _, x := range []team{theirs, ours} {
				paths, known := x.pages(route.Path)
				if !known {
					t.Fatalf("no case for %s: add its addresses to team.pages", route.Path)
				}
				for _, path := range paths {
					a := c.Get(path)
					if x == ours {
						seen.WriteString(a.Body)
						addLinks(links, path, a)
						if a.Status == http.StatusNotFound {
							t.Errorf("%s: GET %s: not found, so it shows nothing of theirs or of others", role, path)
						}
					}
					if led := a.Header.Get("Location") != ""; slices.Contains(x.searches(), path) && led != (x == ours) {
						t.Errorf("%s: GET %s leads to %q", role, path, a.Header.Get("Location"))
					}
					tellsNothing(t, role, path, a, theirs)
				}
			}
		}
		for _, word := range []string{"Team gopher", "Hook gopher", "Title gopher", "gopher-source", "It is about the gopher", "token of gopher", "gopher-tag"} {
			if !strings.Contains(seen.String(), word) {
				t.Errorf("the %s finds nothing of %q, which is theirs", role, word)
			}
		}
		for link, page := range links {
			a := c.Get(link)
			if to := a.Header.Get("Location"); to != "" {
				a = c.Get(to)
			}
			if a.Status != http.StatusOK {
				t.Errorf("%s: %s leads to %s: %d", role, page, link, a.Status)
			}
		}
		if len(links) < 30 {
			t.Errorf("%s: %d links", role, len(links))
		}
	}
}

// TestSentencesAreTrueForLimitedMembers: what pages say of all locations they say
// to members that see all of them.
func TestSentencesAreTrueForLimitedMembers(t *testing.T) {
	c := webtest.NewConsole(t)
	ours := newTeam(t, c, "go-team", "gopher")
	pages := []struct{ path, all, some string }{
		{"/admin", "All webhooks together", "The webhooks of your locations together"},
		{"/admin/webhooks", "Control all webhooks across the site.", "Control the webhooks of your locations."},
		{"/admin/deliveries", "Every notification with", "The notifications of your locations with their attempts"},
		{"/admin/trigger-history", "Events reported by the site", "Events of your locations"},
		{"/admin/tokens", "Manage webhooks and settings", "Manage webhooks and sources"},
		{"/admin/locations", "The main site and the Private Teams.", "The locations that you may see."},
		{"/admin/audit", "All changes,", "Changes that concern your locations,"},
		{"/admin/deliveries", "All locations", "Your locations"},
		{"/admin/trigger-history", "All locations", "Your locations"},
		{"/admin/webhooks", "All locations", "Your locations"},
		{"/developer/site-settings/edit?name=Webhooks.DispatchDelay", "Save New Network Default", "Only administrators of all locations can change it."},
	}
	for _, page := range pages {
		webtest.Says(t, page.path, c.Get(page.path).Want(http.StatusOK).Text("main"), page.all)
	}
	if text := c.Get("/admin/locations").Text("main"); strings.Contains(text, "Everyone who logs in") || !strings.Contains(text, "Every member that sees this location can read it.") {
		t.Errorf("/admin/locations says %s", text)
	}
	limited := func(role string) {
		c.LogIn(c.AddUser(models.User{Email: role + "@some.example", Name: "Some " + role, Role: role, Limited: true, Locations: []string{ours.slug}}))
	}
	limited(models.RoleAdministrator)
	for _, page := range pages {
		text := c.Get(page.path).Want(http.StatusOK).Text("main")
		webtest.Says(t, page.path, text, page.some)
		if strings.Contains(text, page.all) {
			t.Errorf("%s says %q to a limited member", page.path, page.all)
		}
	}
	limited(models.RoleViewer)
	webtest.Says(t, "a viewer's list", c.Get("/admin/webhooks").Text("main"), "See the webhooks of your locations.")
	webtest.Says(t, "the refusal", c.Get("/admin/webhooks/new?type=generic").Want(http.StatusForbidden).Text("main"), "you can see everything of your locations except secrets and message bodies")
}

// TestNoSourceOfTheirLocations: a member limited to locations is not told that nothing
// reports events, as a source for all locations may.
func TestNoSourceOfTheirLocations(t *testing.T) {
	c := webtest.NewConsole(t)
	webtest.Says(t, "the overview", c.Get("/admin").Text("section[aria-labelledby=sources]"), "None yet.")
	webtest.Says(t, "the sources", c.Get("/admin/sources").Text("main"), "Nothing reports events yet")
	webtest.OK(t, c.Store.Locations.Ensure(t.Context(), "empty-team", "Empty team"))
	c.LogIn(c.AddUser(models.User{Email: "one@some.example", Name: "One", Role: models.RoleViewer, Limited: true, Locations: []string{"empty-team"}}))
	for _, path := range []string{"/admin", "/admin/sources"} {
		text := c.Get(path).Want(http.StatusOK).Text("main")
		webtest.Says(t, path, text, "No source or token is bound to your locations. One for all locations, which you do not see here, may report for yours.")
		if strings.Contains(text, "None yet.") || strings.Contains(text, "Nothing reports events yet") {
			t.Errorf("%s says that nothing reports events: %q", path, text)
		}
	}
}

// addLinks adds the links of a page to others of the console.
func addLinks(links map[string]string, path string, a *webtest.Answer) {
	if a.Status != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		return
	}
	a.Find("a[href^='/']").Each(func(_ int, link *goquery.Selection) {
		links[link.AttrOr("href", "")] = path
	})
}

// tellsNothing fails if an answer has a word of the other team that the request
// did not have.
func tellsNothing(t *testing.T, role, path string, a *webtest.Answer, theirs team) {
	t.Helper()
	body := strings.ToLower(a.Body + a.Header.Get("Location"))
	if a.Status == http.StatusInternalServerError {
		t.Errorf("%s: GET %s: %d", role, path, a.Status)
	}
	for _, said := range []string{path, html.EscapeString(path), url.QueryEscape(path), theirs.slug, theirs.source} {
		if strings.Contains(path, theirs.slug) || strings.Contains(path, theirs.source) || said == path {
			body = strings.ReplaceAll(body, strings.ToLower(said), "")
		}
	}
	for _, word := range []string{"quagga", "zebra", theirs.delivery, theirs.eventID} {
		typed := (word == theirs.delivery || word == theirs.eventID) && strings.Contains(path, word)
		if at := strings.Index(body, strings.ToLower(word)); at >= 0 && !typed {
			t.Errorf("%s: GET %s (%d) tells …%s…", role, path, a.Status, body[max(0, at-120):min(len(body), at+60)])
		}
	}
}

// TestLimitedAdministratorChangesOneTeam posts to all routes what would change
// the other team or the installation.
func TestLimitedAdministratorChangesOneTeam(t *testing.T) {
	c := webtest.NewConsole(t)
	ours, theirs := newTeam(t, c, "go-team", "gopher"), newTeam(t, c, "zebra-team", "quagga")
	user := c.AddUser(models.User{Email: "limited@example.com", Name: "Limited", Role: models.RoleAdministrator, Limited: true, Locations: []string{ours.slug}})
	c.LogIn(user)
	form := url.Values{
		"do": {"save"}, "name": {"Taken over"}, "location": {theirs.slug}, "locations": {theirs.slug}, "events": {"question.created"},
		"tag_mode": {"all"}, "url": {"https://hooks.example/y"}, "updated_at": {"2026-01-01T00:00:00Z"}, "id": {theirs.hook}, "webhook": {theirs.hook},
		"held": {"send"}, "secret": {"1"}, "password": {webtest.AdminPassword}, "once": {"once"}, "through": {"9999"}, "floor": {"0"}, "now": {"1"},
		"role": {"administrator"}, "limited": {"no"}, "email": {"new@example.com"}, "slug": {"new-team"}, "scope": {"ingest"}, "value": {"7"},
		"reason": {"why not"}, "kind": {"generic"},
	}
	own := []string{"/theme", "/attention", "/account", "/account/password", "/account/sessions", "/login", "/logout"}
	posted := 0
	for _, route := range c.Engine.Routes() {
		if route.Method != http.MethodPost || slices.Contains(own, route.Path) {
			continue
		}
		paths, known := theirs.pages(route.Path)
		if !known {
			t.Fatalf("no case for %s: add its addresses to team.pages", route.Path)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "?state=failed") { // their own
				continue
			}
			before := c.Stored()
			form.Set("do", map[bool]string{true: "delete", false: "save"}[strings.HasPrefix(path, "/admin/webhooks/bulk")])
			a := c.Post(path, form)
			if after := c.Stored(); after != before {
				t.Errorf("POST %s (%d) changed something:\n%s", path, a.Status, webtest.Difference(before, after))
			}
			posted++
		}
	}
	for _, place := range []string{"", theirs.slug} {
		if a := c.Post("/admin/tokens", url.Values{"name": {"x"}, "scope": {"ingest"}, "location": {place}}); a.Status != http.StatusUnprocessableEntity {
			t.Errorf("a token for %q: %d", place, a.Status)
		}
	}
	if posted < 30 {
		t.Errorf("%d posts", posted)
	}
	edit := c.Get("/admin/webhooks/" + ours.hook + "/edit").Want(http.StatusOK).Form()
	edit.Set("location", theirs.slug)
	edit.Set("do", "save")
	if got := c.Post("/admin/webhooks/"+ours.hook+"/edit", edit).Want(http.StatusUnprocessableEntity).Text("#location-err"); !strings.Contains(got, "no location") {
		t.Errorf("moved to the other team: %q", got)
	}
}
