package handlers

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// carriedForms are forms as somebody sent them whose session had ended: the
// path, what was typed, and what has to be entered anew.
func carriedForms(c *console) map[string][2]url.Values {
	w := c.addSecretWebhook()
	edit := c.get(editPath(w)).form()
	fill(edit, "name", "Renamed <b>", "tag_mode", "specific", "tags", "go, rust", "do", "save")
	created := c.filled("https://example.com/hook", "name", "New one", "do", "save")
	created["events"] = []string{"question.created", "comment.created"}
	secret := url.Values{"secret_1": {"typed secret of sixteen"}, "headers": {"X-Key: typed value"}}
	return map[string][2]url.Values{
		editPath(w):                       {edit, secret},
		newForm:                           {created, secret},
		settingPath(models.DispatchDelay): {{"value": {"7"}, "reason": {"Editors\nfix typos"}}, {}},
		"/admin/tokens":                   {{"name": {"The site"}, "scope": {models.ScopeSuperOffice}, "location": {"python-wranglers"}}, {}},
		"/admin/members":                  {{"email": {"new@example.com"}, "name": {"New"}, "role": {"administrator"}}, {}},
		"/admin/locations":                {{"name": {"More"}, "slug": {"more"}, "description": {"About it"}}, {}},
		locationPath("python-wranglers"):  {{"name": {"Snakes"}, "description": {"About them"}}, {}},
	}
}

// TestFormSurvivesTheEndOfItsSession: the login page that answers a form
// carries it, and after the login the form is there as it was typed, not saved.
func TestFormSurvivesTheEndOfItsSession(t *testing.T) {
	c := newConsole(t)
	here := c.cookie
	for path, form := range carriedForms(c) {
		typed, secret := form[0], form[1]
		sent := url.Values{}
		for _, part := range form {
			maps.Copy(sent, part)
		}
		before := withoutLogins(modelstest.Dump(t, c.store))
		c.cookie, c.extra = "", nil
		page := c.post(path, sent).want(http.StatusUnauthorized)
		if page.Header.Get("Cache-Control") != "no-store" || !strings.Contains(page.text("main"), "not saved yet") {
			t.Errorf("%s: the page says %q", path, page.text("main"))
		}
		// A mistake does not lose it.
		login := fill(page.form(), "email", adminEmail, "password", "wrong")
		login = fill(c.post("/login", login).want(http.StatusUnauthorized).form(), "password", adminPassword)
		for name, values := range secret {
			if login.Has(carriedPrefix+name) || strings.Contains(page.Body, values[0]) {
				t.Errorf("%s: the login page carries %s", path, name)
			}
		}
		a := c.post("/login", login).goesTo(path)
		c.cookie = sessionOf(t, a).Value
		if words := c.flash(a); !strings.Contains(words, "nothing was saved yet") {
			t.Errorf("%s: it says %q", path, words)
		}
		// The flash asked for the page already, and the form was shown there:
		// a reload shows what is saved.
		if again := c.get(path).form(); again.Get("name") == typed.Get("name") && typed.Get("name") != "" {
			t.Errorf("%s: the reload shows %v", path, again)
		}
		if after := withoutLogins(modelstest.Dump(t, c.store)); after != before {
			t.Errorf("%s stored something:\n%s", path, difference(before, after))
		}
		// Once more, for the form itself.
		c.cookie = ""
		a = c.post("/login", fill(c.post(path, sent).form(), "email", adminEmail, "password", adminPassword)).goesTo(path)
		c.cookie = sessionOf(t, a).Value
		shown := c.get(path).want(http.StatusOK)
		got := shown.formWith(typed)
		for name, values := range typed {
			if want := strings.Join(values, "|"); name != "do" && strings.ReplaceAll(strings.Join(got[name], "|"), "\r\n", "\n") != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got[name], want)
			}
		}
	}
	c.cookie = here
}

// withoutLogins leaves out of a dump what every login writes.
func withoutLogins(dump string) string {
	var lines []string
	for line := range strings.Lines(dump) {
		if table, _, _ := strings.Cut(line, " |"); !slices.Contains([]string{"sessions", "audit_entries", "login_failures", "sqlite_sequence"}, table) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// TestWhatIsNotCarried: passwords, large forms, what has no form to be shown
// again, and what a script asks for.
func TestWhatIsNotCarried(t *testing.T) {
	c := newConsole(t)
	w := c.addSecretWebhook()
	c.cookie = ""
	c.post(passwordPath, url.Values{"password": {"a"}, "new_password": {"b"}}).goesTo("/login")
	c.post(webhookPath(w.ID)+"/reveal", url.Values{"secret": {"1"}, "password": {adminPassword}}).goesTo("/login")
	c.post(webhookPath(w.ID)+"/delete", url.Values{"x": {"y"}}).goesTo("/login")
	large := url.Values{"name": {strings.Repeat("x", carriedMax)}}
	c.post("/admin/tokens", large).goesTo("/login?next=%2Fadmin%2Ftokens")
	req := c.request(http.MethodPost, "/admin/tokens", strings.NewReader("name=x"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set(partHeader, formPart)
	if a := c.do(req); a.Status != http.StatusNoContent || a.Header.Get(partTo) != "/login?next=%2Fadmin%2Ftokens" {
		t.Errorf("a script is answered %d %v", a.Status, a.Header)
	}
	// What was typed is for its own form alone.
	typed := url.Values{"email": {adminEmail}, "password": {adminPassword}, "next": {"/admin/tokens"}, "form.name": {"typed"}}
	c.cookie = sessionOf(t, c.post("/login", typed).goesTo("/admin/tokens")).Value
	for _, path := range []string{"/admin/members", "/admin/tokens"} {
		if got := c.get(path).form().Get("name"); got != "" {
			t.Errorf("%s shows %q", path, got)
		}
	}
	c.cookie = ""
	// A field of the login form that claims to be carried is not trusted either.
	a := c.post("/login", url.Values{"form.password": {"p"}, "form.secret_1": {"s"}, "form.name": {"n"}, "email": {"x"}}).want(http.StatusUnauthorized)
	if got := a.form(); got.Get("form.name") != "n" || got.Has("form.password") || got.Has("form.secret_1") {
		t.Errorf("carried %v", got)
	}
}

// TestFormSurvivesASingleSignOn: who logs in at the provider does so in another
// tab, and goes on in this one.
func TestFormSurvivesASingleSignOn(t *testing.T) {
	c, p := newSignOnConsole(t)
	page := c.post("/admin/tokens", url.Values{"name": {"The site"}, "scope": {"ingest"}}).want(http.StatusUnauthorized)
	link := page.Find("main a")
	if link.AttrOr("target", "") != "_blank" || page.Find("button[formnovalidate]").AttrOr("value", "") != "continue" {
		t.Errorf("it offers %q", page.text("main"))
	}
	form := fill(page.form(), "do", "continue")
	if a := c.post("/login", form).want(http.StatusUnauthorized); !strings.Contains(a.text("[role=alert]"), "not logged in yet") {
		t.Errorf("it says %q", a.text("[role=alert]"))
	}
	p.begin(c, link.AttrOr("href", ""))
	p.claims = map[string]any{"auth_time": time.Now().Unix()}
	a := c.get(p.back())
	c.cookie, c.extra = sessionOf(t, a).Value, nil
	c.post("/login", form).goesTo("/admin/tokens")
	if got := c.get("/admin/tokens").form(); got.Get("name") != "The site" {
		t.Errorf("the form has %v", got)
	}
}
