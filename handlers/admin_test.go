package handlers

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

func TestLocationsPage(t *testing.T) {
	c := newConsole(t)
	a := c.get("/admin/locations").want(http.StatusOK)
	if got := a.text("tbody tr:first-child"); !strings.HasPrefix(got, "Main site main 0 0 0") {
		t.Errorf("the first line says %q", got)
	}
	w := c.addWebhook(nil)
	c.addWebhook(func(in *models.WebhookInput) { in.Location, in.Name = "team-x", "Elsewhere" })
	there := c.get("/admin/locations").Find("tbody tr:first-child [data-l=Webhooks] a")
	listed := c.get(there.AttrOr("href", "")).want(http.StatusOK).text("tbody")
	if there.Text() != "1" || !strings.Contains(listed, w.Name) || strings.Contains(listed, "Elsewhere") {
		t.Errorf("%s webhooks, the list says %q", there.Text(), listed)
	}
	a = c.post("/admin/locations", url.Values{"name": {nasty}, "slug": {"A b"}}).want(http.StatusUnprocessableEntity)
	if a.form().Get("name") != nasty || a.text("#slug-err") == "" || a.Find("[role=alert] a[href='#slug']").Length() != 1 {
		t.Errorf("refused: %v %q", a.form(), a.text("[role=alert]"))
	}
	noMarkup(t, a)
	a = c.post("/admin/locations", url.Values{"name": {nasty}, "slug": {"odd-one"}}).goesTo("/admin/locations")
	if got := c.flash(a); got != "Added "+nasty+"." {
		t.Errorf("it says %q", got)
	}
	c.post("/admin/locations", url.Values{"name": {"x"}, "slug": {"odd-one"}}).want(http.StatusUnprocessableEntity)
	c.post("/admin/locations", url.Values{"name": {"\x00"}, "slug": {"nul"}}).want(http.StatusUnprocessableEntity)
	a = c.get("/admin/locations/odd-one").want(http.StatusOK)
	if a.form().Get("name") != nasty {
		t.Errorf("the form holds %v", a.form())
	}
	c.post("/admin/locations/odd-one", url.Values{"name": {" "}}).want(http.StatusUnprocessableEntity)
	c.post("/admin/locations/odd-one", url.Values{"name": {"Even"}}).goesTo("/admin/locations")
	c.post("/admin/locations/nobody", url.Values{"name": {"Even"}}).want(http.StatusNotFound)
	if got := c.get("/admin/locations").text("tbody"); !strings.Contains(got, "Even odd-one") {
		t.Errorf("the list says %q", got)
	}
	if got := c.get("/admin/audit?about=location").text("tbody"); !strings.Contains(got, "Renamed a location") || !strings.Contains(got, nasty+" → Even") {
		t.Errorf("the log says %q", got)
	}
}

func TestMembersPage(t *testing.T) {
	c := newConsole(t)
	a := c.post("/admin/members", url.Values{"email": {"no address"}, "name": {strings.Repeat("x", nameMax+1)}, "role": {"king"}}).want(http.StatusUnprocessableEntity)
	for _, field := range []string{"email", "name", "role"} {
		if a.text("#"+field+"-err") == "" {
			t.Errorf("nothing is said about %s", field)
		}
	}
	c.post("/admin/members", url.Values{"email": {strings.ToUpper(adminEmail)}, "role": {"viewer"}}).want(http.StatusUnprocessableEntity)
	a = c.post("/admin/members", url.Values{"email": {"New@example.com"}, "name": {nasty}, "role": {"viewer"}}).want(http.StatusOK)
	noMarkup(t, a)
	password := a.text("#given-password")
	if len(password) < 16 || a.Header.Get("Cache-Control") != "no-store" || strings.Contains(c.get("/admin/members").Body, password) {
		t.Errorf("the password is %q", password)
	}
	// It opens the door once, to a page that asks for another.
	admin := c.cookie
	c.cookie = ""
	a = c.post("/login", url.Values{"email": {"new@example.com"}, "password": {password}}).want(http.StatusSeeOther)
	theirs := sessionOf(t, a).Value
	c.cookie = theirs
	c.get("/admin/webhooks").goesTo("/account/password?next=%2Fadmin%2Fwebhooks")
	c.cookie = admin
	user, err := c.store.Users.ByEmail(t.Context(), "new@example.com")
	ok(t, err)
	path := memberPath(user.ID)
	c.get(path).want(http.StatusOK)
	again := c.post(path+"/password", nil).want(http.StatusOK).text("#given-password")
	if again == password || again == "" {
		t.Errorf("another password: %q", again)
	}
	c.cookie = theirs
	c.get("/admin/webhooks").goesTo("/login?next=%2Fadmin%2Fwebhooks") // their session ended
	c.cookie = admin
	c.post(path+"/role", url.Values{"role": {"king"}}).want(http.StatusUnprocessableEntity)
	c.post(path+"/role", url.Values{"role": {"administrator"}}).goesTo("/admin/members")
	if got := c.get(path + "/remove").want(http.StatusOK).text("main button"); got != "Remove new@example.com" {
		t.Errorf("the button says %q", got)
	}
	c.post(path+"/remove", nil).goesTo("/admin/members")
	c.get(path).want(http.StatusNotFound)
	c.get("/admin/members/x").want(http.StatusNotFound)
}

func TestTheLastAdministratorStays(t *testing.T) {
	c := newConsole(t)
	path := memberPath(c.admin.ID)
	a := c.post(path+"/role", url.Values{"role": {"viewer"}}).want(http.StatusUnprocessableEntity)
	if !strings.Contains(a.text("[role=alert]"), "only administrator") {
		t.Errorf("it says %q", a.text("[role=alert]"))
	}
	a = c.post(path+"/remove", nil).want(http.StatusUnprocessableEntity)
	if !strings.Contains(a.text("[role=alert]"), "only administrator") || !strings.Contains(a.text("main"), "This is you") {
		t.Errorf("it says %q", a.text("main"))
	}
	c.post(path+"/password", nil).goesTo("/account/password")
	c.addUser(models.User{Email: "b@example.com", Role: models.RoleAdministrator})
	c.post(path+"/remove", nil).want(http.StatusSeeOther)
	c.get("/admin/webhooks").goesTo("/login?next=%2Fadmin%2Fwebhooks")
}

func TestTokensPage(t *testing.T) {
	c := newConsole(t)
	if got := c.get("/admin/tokens").want(http.StatusOK).text(".empty"); !strings.Contains(got, "No tokens yet") {
		t.Errorf("without any it says %q", got)
	}
	a := c.post("/admin/tokens", url.Values{"name": {""}, "scope": {"all"}, "location": {"nowhere"}}).want(http.StatusUnprocessableEntity)
	if a.Find("[role=alert] a").Length() != 3 {
		t.Errorf("it says %q", a.text("[role=alert]"))
	}
	a = c.post("/admin/tokens", url.Values{"name": {nasty}, "scope": {"ingest"}, "location": {"python-wranglers"}}).goesTo("/admin/tokens")
	if strings.Contains(a.Body+fmt.Sprint(a.Header), "shk_") {
		t.Error("the redirect tells the token")
	}
	if session := modelstest.Dump(t, c.store); strings.Contains(session, "shk_") {
		t.Error("the token is stored in clear")
	}
	c.do(c.request(http.MethodHead, "/admin/tokens", nil)).want(http.StatusOK) // shows it to nobody
	a = c.get("/admin/tokens").want(http.StatusOK)
	noMarkup(t, a)
	plain := a.text("#fresh-token")
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Error("the page may be kept")
	}
	tok, err := c.store.Tokens.Authenticate(t.Context(), plain)
	ok(t, err)
	if tok.Location != "python-wranglers" || tok.CreatedBy != "Mary Wilkins" {
		t.Errorf("token: %+v", tok)
	}
	a = c.get("/admin/tokens") // as a reload does
	if a.Find("tbody tr").Length() != 1 || strings.Contains(a.Body, plain) || strings.Contains(a.Body, tok.Hash) || !strings.Contains(a.text("tbody"), nasty+" ingest Python wranglers") {
		t.Errorf("the list says %q", a.text("tbody"))
	}
	path := "/admin/tokens/" + formatID(tok.ID) + "/revoke"
	c.get(path).want(http.StatusOK)
	c.post(path, nil).goesTo("/admin/tokens")
	c.post(path, nil).want(http.StatusNotFound)
	if _, err = c.store.Tokens.Authenticate(t.Context(), plain); err == nil {
		t.Error("it still works")
	}
	if got := c.get("/admin/audit?about=token").text("tbody"); strings.Contains(got, plain) || !strings.Contains(got, "Revoked an API token") {
		t.Errorf("the log says %q", got)
	}
}

func TestAuditPage(t *testing.T) {
	c := newConsole(t)
	for range auditShown + 5 {
		c.post("/admin/tokens", url.Values{"name": {"token " + nasty}, "scope": {"ingest"}}).goesTo("/admin/tokens")
	}
	a := c.get("/admin/audit?q=" + url.QueryEscape("TOKEN "+nasty) + "&who=Mary+Wilkins&about=token&time=1h").want(http.StatusOK)
	noMarkup(t, a)
	if a.Find("tbody tr").Length() != auditShown || a.Find("main .s-tag").Length() != 4 {
		t.Errorf("%d lines, filters %q", a.Find("tbody tr").Length(), a.text("main .s-tag"))
	}
	a = c.get(a.Find("a[rel=next]").AttrOr("href", ""))
	if a.Find("tbody tr").Length() != 5 || a.text("main .s-pagination") != "Newest" {
		t.Errorf("older: %d lines, %q", a.Find("tbody tr").Length(), a.text("main .s-pagination"))
	}
	if got := c.get("/admin/audit?who=Nobody").text(".empty"); !strings.Contains(got, "No entry is like that") {
		t.Errorf("it says %q", got)
	}
	if got := c.get("/admin/audit?from=noon&before=x&about=all").text("main .s-notice"); strings.Count(got, "left out") != 3 {
		t.Errorf("odd values: %q", got)
	}
	if auditWords("thing.new_kind") != "Thing new kind" {
		t.Error("an unknown action has no words")
	}
}

func TestSystemPage(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		c.addDelivery(c.addWebhook(nil))
		if text := c.get("/admin/system").text("main"); !strings.Contains(text, "None has said so") {
			t.Errorf("without an instance it says %q", text)
		}
		for _, in := range []models.Instance{{ID: "a", Name: nasty, Role: "jobs", Version: "1.2.2"}, {ID: "b", Name: "gone", Role: "web"}} {
			ok(t, c.store.Instances.Seen(t.Context(), in))
		}
		c.exec("update instances set seen_at = ? where id = 'b'", time.Now().UTC().Add(-time.Minute))
		c.exec("insert into river_job (kind, max_attempts, args, metadata, queue, state, finalized_at) values ('old', 1, '{}', '{}', 'default', 'discarded', ?)", time.Now().UTC())
		a := c.get("/admin/system").want(http.StatusOK)
		noMarkup(t, a)
		for _, part := range []string{
			"Ready", "1.2.3", "Webhooks: Active1", models.DispatchDelay, "seals", "go1.", nasty + "jobs1.2.2", "running0", "discarded1",
		} {
			if !strings.Contains(a.text("main"), part) {
				t.Errorf("it does not say %q: %s", part, a.text("main"))
			}
		}
		if got := a.Find("main tbody").First().Find("tr").Length(); got != 1 {
			t.Errorf("%d instances are alive, want 1", got)
		}
	}, func(d *Deps) { d.Version = "1.2.3" })
	for n, want := range map[int64]string{0: "0 bytes", 1: "1 byte", 1536: "1.5 KiB", 5 << 30: "5.0 GiB", 1 << 50: "1024.0 TiB"} {
		if got := bytesWords(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

// viewable are the pages of all members, each with an address and what it
// answers there. Every other page is the administrators'.
var viewable = map[string]struct {
	at   string
	want int
}{
	"/":                             {"/", http.StatusSeeOther},
	"/account/password":             {"/account/password", http.StatusOK},
	"/admin/webhooks":               {"/admin/webhooks", http.StatusOK},
	"/admin/webhooks/:id":           {"/admin/webhooks/1", http.StatusOK},
	"/admin/deliveries":             {"/admin/deliveries", http.StatusOK},
	"/admin/deliveries.csv":         {"/admin/deliveries.csv", http.StatusOK},
	"/admin/deliveries.json":        {"/admin/deliveries.json", http.StatusOK},
	"/admin/deliveries/:id":         {"/admin/deliveries/none", http.StatusNotFound},
	"/admin/trigger-history":        {"/admin/trigger-history", http.StatusOK},
	"/admin/trigger-history/:event": {"/admin/trigger-history/none", http.StatusNotFound},
	"/admin/suggestions/:of":        {"/admin/suggestions/locations", http.StatusOK},
	"/admin/locations":              {"/admin/locations", http.StatusOK},
	"/admin/locations/:id":          {"/admin/locations/main", http.StatusOK},
	"/admin/members":                {"/admin/members", http.StatusOK},
	"/admin/tokens":                 {"/admin/tokens", http.StatusOK},
	"/admin/audit":                  {"/admin/audit", http.StatusOK},
	"/admin/system":                 {"/admin/system", http.StatusOK},
	"/developer/site-settings":      {"/developer/site-settings", http.StatusOK},
	"/developer/site-settings/edit": {"/developer/site-settings/edit?name=" + models.DispatchDelay, http.StatusOK},
}

// TestViewerReadsAdministration walks the list of routes: a viewer reads the
// pages named above without being offered a change, and no other.
func TestViewerReadsAdministration(t *testing.T) {
	c := newConsole(t)
	c.addWebhook(nil)
	c.logIn(c.addViewer())
	refused, left := 0, maps.Clone(viewable)
	for _, route := range c.engine.Routes() {
		if route.Method != http.MethodGet || open[route.Path] || isAPI(route.Path) {
			continue
		}
		page, allowed := viewable[route.Path]
		if !allowed {
			refused++
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				if a := c.do(c.request(method, pathOf(route), nil)); a.Status != http.StatusForbidden {
					t.Errorf("%s %s: %d to a viewer, want 403", method, route.Path, a.Status)
				}
			}
			continue
		}
		delete(left, route.Path)
		a := c.get(page.at)
		if a.Status != page.want {
			t.Errorf("%s: %d to a viewer, want %d", page.at, a.Status, page.want)
		}
		if a.Status == http.StatusOK && a.Find("main").Length() > 0 && !own[route.Path] {
			c.offersNothing(route.Path, a)
		}
	}
	if refused < 21 {
		t.Errorf("only %d pages are the administrators'", refused)
	}
	for path := range left {
		t.Errorf("there is no page %s", path)
	}
}
