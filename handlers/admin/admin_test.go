package admin_test

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/admin"
	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/api/ingest"
	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

func TestLocationsPage(t *testing.T) {
	c := webtest.NewConsole(t)
	a := c.Get("/admin/locations").Want(http.StatusOK)
	if got := a.Text("tbody tr:first-child"); !strings.HasPrefix(got, "Main site Main site main 0 0 0") {
		t.Errorf("the first line says %q", got)
	}
	w := c.AddWebhook(nil)
	c.AddWebhook(func(in *models.WebhookInput) { in.Location, in.Name = "team-x", "Elsewhere" })
	there := c.Get("/admin/locations").Find("tbody tr:first-child [data-l=Webhooks] a")
	shown := c.Get(there.AttrOr("href", "")).Want(http.StatusOK).Text("tbody")
	if there.Text() != "1" || !strings.Contains(shown, w.Name) || strings.Contains(shown, "Elsewhere") {
		t.Errorf("%s webhooks, the list says %q", there.Text(), shown)
	}
	a = c.Post("/admin/locations", url.Values{"name": {webtest.Nasty}, "slug": {"A b"}}).Want(http.StatusUnprocessableEntity)
	if a.Form().Get("name") != webtest.Nasty || a.Text("#slug-err") == "" || a.Find("[role=alert] a[href='#slug']").Length() != 1 {
		t.Errorf("refused: %v %q", a.Form(), a.Text("[role=alert]"))
	}
	webtest.NoMarkup(t, a)
	a = c.Post("/admin/locations", url.Values{"name": {webtest.Nasty}, "slug": {"odd-one"}}).GoesTo("/admin/locations")
	if got := c.Flash(a); got != "Added "+webtest.Nasty+"." {
		t.Errorf("it says %q", got)
	}
	c.Post("/admin/locations", url.Values{"name": {"x"}, "slug": {"odd-one"}}).Want(http.StatusUnprocessableEntity)
	c.Post("/admin/locations", url.Values{"name": {"\x00"}, "slug": {"nul"}}).Want(http.StatusUnprocessableEntity)
	a = c.Get("/admin/locations/odd-one").Want(http.StatusOK)
	if a.Form().Get("name") != webtest.Nasty {
		t.Errorf("the form holds %v", a.Form())
	}
	c.Post("/admin/locations/odd-one", url.Values{"name": {" "}}).Want(http.StatusUnprocessableEntity)
	c.Post("/admin/locations/odd-one", url.Values{"name": {"Even"}}).GoesTo("/admin/locations")
	c.Post("/admin/locations/nobody", url.Values{"name": {"Even"}}).Want(http.StatusNotFound)
	if got := c.Get("/admin/locations").Text("tbody"); !strings.Contains(got, "Even Private Team odd-one") {
		t.Errorf("the list says %q", got)
	}
	if got := c.Get("/admin/audit?about=location").Text("tbody"); !strings.Contains(got, "Renamed a location") || !strings.Contains(got, webtest.Nasty+" → Even") {
		t.Errorf("the log says %q", got)
	}
}

func TestMembersPage(t *testing.T) {
	c := webtest.NewConsole(t)
	a := c.Post("/admin/members", url.Values{"email": {"no address"}, "name": {strings.Repeat("x", rules.NameMax+1)}, "role": {"king"}}).Want(http.StatusUnprocessableEntity)
	for _, field := range []string{"email", "name", "role"} {
		if a.Text("#"+field+"-err") == "" {
			t.Errorf("nothing is said about %s", field)
		}
	}
	c.Post("/admin/members", url.Values{"email": {strings.ToUpper(webtest.AdminEmail)}, "role": {"viewer"}}).Want(http.StatusUnprocessableEntity)
	a = c.Post("/admin/members", url.Values{"email": {"New@example.com"}, "name": {webtest.Nasty}, "role": {"viewer"}}).Want(http.StatusOK)
	webtest.NoMarkup(t, a)
	password := a.Text("#given-password")
	if len(password) < 16 || a.Header.Get("Cache-Control") != "no-store" || strings.Contains(c.Get("/admin/members").Body, password) {
		t.Errorf("the password is %q", password)
	}
	// It opens the door once, to a page that asks for another.
	boss := c.Cookie
	c.Cookie = ""
	a = c.Post("/login", url.Values{"email": {"new@example.com"}, "password": {password}}).Want(http.StatusSeeOther)
	theirs := webtest.SessionOf(t, a).Value
	c.Cookie = theirs
	c.Get("/admin/webhooks").GoesTo("/account/password?next=%2Fadmin%2Fwebhooks")
	c.Cookie = boss
	user, err := c.Store.Users.ByEmail(t.Context(), "new@example.com")
	webtest.OK(t, err)
	path := admin.MemberPath(user.ID)
	c.Get(path).Want(http.StatusOK)
	again := c.Post(path+"/password", nil).Want(http.StatusOK).Text("#given-password")
	if again == password || again == "" {
		t.Errorf("another password: %q", again)
	}
	c.Cookie = theirs
	c.Get("/admin/webhooks").GoesTo("/login?next=%2Fadmin%2Fwebhooks") // their session ended
	c.Cookie = boss
	c.Post(path+"/role", url.Values{"role": {"king"}}).Want(http.StatusUnprocessableEntity)
	c.Post(path+"/role", url.Values{"role": {"administrator"}}).GoesTo("/admin/members")
	if got := c.Get(path + "/remove").Want(http.StatusOK).Text("main button"); got != "Remove new@example.com" {
		t.Errorf("the button says %q", got)
	}
	c.Post(path+"/remove", nil).GoesTo("/admin/members")
	c.Get(path).Want(http.StatusNotFound)
	c.Get("/admin/members/x").Want(http.StatusNotFound)
}

func TestTheLastAdministratorStays(t *testing.T) {
	c := webtest.NewConsole(t)
	path := admin.MemberPath(c.Admin.ID)
	a := c.Post(path+"/role", url.Values{"role": {"viewer"}}).Want(http.StatusUnprocessableEntity)
	if !strings.Contains(a.Text("[role=alert]"), "only administrator") {
		t.Errorf("it says %q", a.Text("[role=alert]"))
	}
	a = c.Post(path+"/remove", nil).Want(http.StatusUnprocessableEntity)
	if !strings.Contains(a.Text("[role=alert]"), "only administrator") || !strings.Contains(a.Text("main"), "This is you") {
		t.Errorf("it says %q", a.Text("main"))
	}
	c.Post(path+"/password", nil).GoesTo("/account/password")
	c.AddUser(models.User{Email: "b@example.com", Role: models.RoleAdministrator})
	c.Post(path+"/remove", nil).Want(http.StatusSeeOther)
	c.Get("/admin/webhooks").GoesTo("/login?next=%2Fadmin%2Fwebhooks")
}

func TestTokensPage(t *testing.T) {
	c := webtest.NewConsole(t)
	if got := c.Get("/admin/tokens").Want(http.StatusOK).Text(".empty"); !strings.Contains(got, "No tokens yet") {
		t.Errorf("without any it says %q", got)
	}
	a := c.Post("/admin/tokens", url.Values{"name": {""}, "scope": {"all"}, "location": {"nowhere"}}).Want(http.StatusUnprocessableEntity)
	if a.Find("[role=alert] a").Length() != 3 {
		t.Errorf("it says %q", a.Text("[role=alert]"))
	}
	a = c.Post("/admin/tokens", url.Values{"name": {webtest.Nasty}, "scope": {"ingest"}, "location": {"python-wranglers"}}).GoesTo("/admin/tokens")
	if strings.Contains(a.Body+fmt.Sprint(a.Header), "shk_") {
		t.Error("the redirect tells the token")
	}
	if session := modelstest.Dump(t, c.Store); strings.Contains(session, "shk_") {
		t.Error("the token is stored in clear")
	}
	c.Do(c.Request(http.MethodHead, "/admin/tokens", nil)).Want(http.StatusOK) // shows it to nobody
	a = c.Get("/admin/tokens").Want(http.StatusOK)
	webtest.NoMarkup(t, a)
	plain := a.Text("#fresh-token")
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Error("the page may be kept")
	}
	tok, err := c.Store.Tokens.Authenticate(t.Context(), plain)
	webtest.OK(t, err)
	if tok.Location != "python-wranglers" || tok.CreatedBy != "Mary Wilkins" {
		t.Errorf("token: %+v", tok)
	}
	a = c.Get("/admin/tokens") // as a reload does
	if a.Find("tbody tr").Length() != 1 || strings.Contains(a.Body, plain) || strings.Contains(a.Body, tok.Hash) || !strings.Contains(a.Text("tbody"), webtest.Nasty+" ingest Python wranglers") {
		t.Errorf("the list says %q", a.Text("tbody"))
	}
	path := "/admin/tokens/" + web.FormatID(tok.ID) + "/revoke"
	c.Get(path).Want(http.StatusOK)
	c.Post(path, nil).GoesTo("/admin/tokens")
	c.Post(path, nil).Want(http.StatusNotFound)
	if _, err = c.Store.Tokens.Authenticate(t.Context(), plain); err == nil {
		t.Error("it still works")
	}
	if got := c.Get("/admin/audit?about=token").Text("tbody"); strings.Contains(got, plain) || !strings.Contains(got, "Revoked an API token") {
		t.Errorf("the log says %q", got)
	}
}

func TestAuditPage(t *testing.T) {
	c := webtest.NewConsole(t)
	for range admin.AuditShown + 5 {
		c.Post("/admin/tokens", url.Values{"name": {"token " + webtest.Nasty}, "scope": {"ingest"}}).GoesTo("/admin/tokens")
	}
	a := c.Get("/admin/audit?q=" + url.QueryEscape("TOKEN "+webtest.Nasty) + "&who=Mary+Wilkins&about=token&time=1h").Want(http.StatusOK)
	webtest.NoMarkup(t, a)
	if a.Find("tbody tr").Length() != admin.AuditShown || a.Find("main .s-tag").Length() != 4 {
		t.Errorf("%d lines, filters %q", a.Find("tbody tr").Length(), a.Text("main .s-tag"))
	}
	a = c.Get(a.Find("a[rel=next]").AttrOr("href", ""))
	if a.Find("tbody tr").Length() != 5 || a.Text("main .s-pagination") != "Newest" {
		t.Errorf("older: %d lines, %q", a.Find("tbody tr").Length(), a.Text("main .s-pagination"))
	}
	if got := c.Get("/admin/audit?who=Nobody").Text(".empty"); !strings.Contains(got, "No entries match these filters") {
		t.Errorf("it says %q", got)
	}
	if got := c.Get("/admin/audit?from=noon&before=x&about=all").Text("main .s-notice"); strings.Count(got, "was ignored") != 3 {
		t.Errorf("odd values: %q", got)
	}
	if admin.AuditWords("thing.new_kind") != "Thing new kind" {
		t.Error("an unknown action has no words")
	}
}

func TestSystemPage(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		c.AddDelivery(c.AddWebhook(nil))
		if text := c.Get("/admin/system").Text("main"); !strings.Contains(text, "None has reported") {
			t.Errorf("without an instance it says %q", text)
		}
		for _, in := range []models.Instance{{ID: "a", Name: webtest.Nasty, Role: "jobs", Version: "1.2.2"}, {ID: "b", Name: "gone", Role: "web"}} {
			webtest.OK(t, c.Store.Instances.Seen(t.Context(), in))
		}
		c.Exec("update instances set seen_at = ? where id = 'b'", time.Now().UTC().Add(-time.Minute))
		c.Exec("insert into river_job (kind, max_attempts, args, metadata, queue, state, finalized_at) values ('old', 1, '{}', '{}', 'default', 'discarded', ?)", time.Now().UTC())
		a := c.Get("/admin/system").Want(http.StatusOK)
		webtest.NoMarkup(t, a)
		for _, piece := range []string{
			"Ready", "1.2.3", "Webhooks: Active1", models.DispatchDelay, "(current)", "go1.", webtest.Nasty + " jobs 1.2.2", "running0", "discarded1",
		} {
			if !strings.Contains(a.Text("main"), piece) {
				t.Errorf("it does not say %q: %s", piece, a.Text("main"))
			}
		}
		if size := a.Text("main"); !regexp.MustCompile(`Size\d+(\.\d)? [KM]iB`).MatchString(size) {
			t.Errorf("it does not say the size of the database: %s", size)
		}
		if got := a.Find("main tbody").First().Find("tr").Length(); got != 1 {
			t.Errorf("%d instances are alive, want 1", got)
		}
	}, func(d *handlers.Deps) { d.Version = "1.2.3" })
}

// TestSystemPageShowsDispatch: the locations with a backlog, and what dispatch
// set aside, which an administrator has it try again.
func TestSystemPageShowsDispatch(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		old := time.Now().UTC().Add(-time.Hour)
		c.Exec("insert into pending_events (location, received_at, event_id, merge_key) values ('python-wranglers', ?, 7, '')", old)
		c.Exec("insert into pending_events (location, received_at, event_id, merge_key) values ('main', ?, 8, '')", old.Add(time.Minute))
		c.Exec("insert into dispatches (id, at, match_version, logged) values (1, ?, 1, true)", old)
		c.Exec("insert into dispatch_rest (dispatch_id, location, event_ids, webhook_ids, body_id, tries, reason, set_aside_at) values (1, 'main', '[5]', '[1,2,3]', 0, 3, ?, ?)",
			webtest.Nasty, old)
		a := c.Get("/admin/system").Want(http.StatusOK)
		webtest.NoMarkup(t, a)
		if got := a.Text("section[aria-labelledby=bl] tbody"); !strings.HasPrefix(got, "Python wranglers 1 ") || !strings.Contains(got, "Main site 1 ") {
			t.Errorf("backlog %q", got)
		}
		if got := a.Text("section[aria-labelledby=as] tbody"); !strings.Contains(got, "1 event Main site 3 ") || !strings.Contains(got, webtest.Nasty) {
			t.Errorf("set aside %q", got)
		}
		if got := c.Flash(c.Post("/admin/system/dispatch", nil)); got != "Dispatch tries again what it set aside." {
			t.Errorf("said %q", got)
		}
		if n := c.Get("/admin/system").Find("section[aria-labelledby=as]").Length(); n != 0 {
			t.Error("it is set aside still")
		}
		if text := c.Get("/admin/audit").Text("main"); !strings.Contains(text, "Dispatched again") {
			t.Errorf("the audit log says %q", text)
		}
	})
}

// viewable are the pages of all members, each with an address and its answer
// there. Every other page is the administrators'.
var viewable = map[string]struct {
	at   string
	want int
}{
	"/":                                 {"/", http.StatusSeeOther},
	"/account":                          {"/account", http.StatusOK},
	"/account/password":                 {"/account/password", http.StatusOK},
	"/admin":                            {"/admin", http.StatusOK},
	"/admin/search":                     {"/admin/search?q=nothing", http.StatusOK},
	"/admin/webhooks":                   {"/admin/webhooks", http.StatusOK},
	"/admin/webhooks/:id":               {"/admin/webhooks/1", http.StatusOK},
	"/admin/deliveries":                 {"/admin/deliveries", http.StatusOK},
	"/admin/deliveries/export":          {"/admin/deliveries/export", http.StatusOK},
	"/admin/deliveries.csv":             {"/admin/deliveries.csv", http.StatusOK},
	"/admin/deliveries.json":            {"/admin/deliveries.json", http.StatusOK},
	"/admin/deliveries/:id":             {"/admin/deliveries/none", http.StatusNotFound},
	"/admin/trigger-history":            {"/admin/trigger-history", http.StatusOK},
	"/admin/trigger-history/:event":     {"/admin/trigger-history/none", http.StatusNotFound},
	"/admin/sources":                    {"/admin/sources", http.StatusOK},
	"/admin/sources/:name":              {"/admin/sources/none", http.StatusNotFound},
	"/admin/sources/:name/requests":     {"/admin/sources/none/requests", http.StatusSeeOther},
	"/admin/sources/:name/requests/:id": {"/admin/sources/none/requests/1", http.StatusNotFound},
	"/admin/suggestions/:of":            {"/admin/suggestions/locations", http.StatusOK},
	"/admin/locations":                  {"/admin/locations", http.StatusOK},
	"/admin/locations/:id":              {"/admin/locations/main", http.StatusOK},
	"/admin/members":                    {"/admin/members", http.StatusOK},
	"/admin/tokens":                     {"/admin/tokens", http.StatusOK},
	"/admin/audit":                      {"/admin/audit", http.StatusOK},
	"/admin/system":                     {"/admin/system", http.StatusOK},
	"/developer/sources/:kind":          {"/developer/sources/answer", http.StatusOK},
	"/developer/api":                    {"/developer/api", http.StatusOK},
	"/developer/receivers":              {"/developer/receivers", http.StatusOK},
	"/developer/receivers/:type":        {"/developer/receivers/generic", http.StatusOK},
	"/developer/site-settings":          {"/developer/site-settings", http.StatusOK},
	"/developer/site-settings/edit":     {"/developer/site-settings/edit?name=" + models.DispatchDelay, http.StatusOK},
}

// TestViewerReadsAdministration walks the list of routes: a viewer reads the
// pages named above without being offered a change, and no other.
func TestViewerReadsAdministration(t *testing.T) {
	c := webtest.NewConsole(t)
	c.AddWebhook(nil)
	c.LogIn(c.AddViewer())
	refused, left := 0, maps.Clone(viewable)
	for _, route := range c.Engine.Routes() {
		if route.Method != http.MethodGet || webtest.Open[route.Path] || web.IsAPI(route.Path) {
			continue
		}
		page, allowed := viewable[route.Path]
		if !allowed {
			refused++
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				if a := c.Do(c.Request(method, webtest.PathOf(route), nil)); a.Status != http.StatusForbidden {
					t.Errorf("%s %s: %d to a viewer, want 403", method, route.Path, a.Status)
				}
			}
			continue
		}
		delete(left, route.Path)
		a := c.Get(page.at)
		if a.Status != page.want {
			t.Errorf("%s: %d to a viewer, want %d", page.at, a.Status, page.want)
		}
		if a.Status == http.StatusOK && a.Find("main").Length() > 0 && !webtest.Own[route.Path] {
			c.OffersNothing(route.Path, a)
		}
	}
	if refused < 21 {
		t.Errorf("only %d pages are the administrators'", refused)
	}
	for path := range left {
		t.Errorf("there is no page %s", path)
	}
}

// TestRefusedRequestsAreOnTheSystemPage: by reason, newest first, with the token
// and the answer.
func TestRefusedRequestsAreOnTheSystemPage(t *testing.T) {
	var access *api.Access
	c := webtest.NewConsole(t, func(d *handlers.Deps) {
		access = api.NewAccess(api.AccessDeps{Tokens: d.Store.Tokens, Log: slog.New(slog.DiscardHandler)})
		d.Ingest = ingest.New(ingest.Deps{Events: d.Store.Events, Access: access, Log: slog.New(slog.DiscardHandler)}).Post
		d.Refused = access.Newest
	})
	token, _ := c.Issue(c.Admin, "crm")
	post := func(token, body string, status int) {
		t.Helper()
		req := c.Request(http.MethodPost, "/api/v1/events", strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
		c.Do(req).Want(status)
	}
	if text := c.Get("/admin/system").Text("section[aria-labelledby=rf]"); !strings.Contains(text, "None on this instance since it started.") {
		t.Errorf("before, it says %q", text)
	}
	post("wrong", "{}", http.StatusUnauthorized)
	post(token, `{"type":"question.dreamt"}`, http.StatusBadRequest)
	post(token, `{"type":"question.dreamt"}`, http.StatusBadRequest)
	rows := c.Get("/admin/system").Want(http.StatusOK).Find("section[aria-labelledby=rf] tbody tr")
	if rows.Length() != 2 {
		t.Fatalf("%d rows", rows.Length())
	}
	for i, says := range [][]string{{"Invalid", "Ingest API", "2", "crm", "unknown event"}, {"Unknown or revoked token", "1", "none"}} {
		text := strings.Join(strings.Fields(rows.Eq(i).Text()), " ")
		for _, want := range says {
			if !strings.Contains(text, want) {
				t.Errorf("row %d lacks %q: %s", i, want, text)
			}
		}
	}
}
