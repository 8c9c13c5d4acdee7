package account_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/account"
	"github.com/sitehooks/sitehooks/handlers/admin"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// carriedForms are forms that were sent after the session had ended: the path,
// the input, and the fields that have to be entered again.
func carriedForms(c *webtest.Console) map[string][2]url.Values {
	w := c.AddSecretWebhook()
	edit := c.Get(webtest.EditPath(w)).Form()
	webtest.Fill(edit, "name", "Renamed <b>", "tag_mode", "specific", "tags", "go, rust", "do", "save")
	created := c.Filled("https://example.com/hook", "name", "New one", "do", "save")
	created["events"] = []string{"question.created", "comment.created"}
	secret := url.Values{"secret_1": {"typed secret of sixteen"}, "headers": {"X-Key: typed value"}}
	slack := c.AddWebhook(func(in *models.WebhookInput) {
		in.Type, in.URL = "slack", "https://hooks.slack.com/services/T0/B0/saved"
	})
	secretURL := url.Values{"url": {"https://hooks.slack.com/services/T0/B0/typed"}}
	editSlack, newSlack := c.Get(webtest.EditPath(slack)).Form(), c.Get("/admin/webhooks/new?type=slack").Form()
	for _, form := range []url.Values{editSlack, newSlack} {
		webtest.Fill(form, "name", "To Slack", "do", "save")
		form["events"] = []string{"question.created"}
		form.Del("url")
	}
	return map[string][2]url.Values{
		webtest.EditPath(w):                       {edit, secret},
		webtest.NewForm:                           {created, secret},
		webtest.EditPath(slack):                   {editSlack, secretURL},
		"/admin/webhooks/new?type=slack":          {newSlack, secretURL},
		webtest.SettingPath(models.DispatchDelay): {{"value": {"7"}, "reason": {"Editors\nfix typos"}}, {}},
		"/admin/tokens":                           {{"name": {"The site"}, "scope": {models.ScopeSuperOffice}, "location": {"python-wranglers"}}, {}},
		"/admin/members":                          {{"email": {"new@example.com"}, "name": {"New"}, "role": {"administrator"}}, {}},
		"/admin/locations":                        {{"name": {"More"}, "slug": {"more"}, "description": {"About it"}}, {}},
		admin.LocationPath("python-wranglers"):    {{"name": {"Snakes"}, "description": {"About them"}}, {}},
	}
}

// TestFormSurvivesTheEndOfItsSession: the login page that answers a form
// carries it, and after the login the form is there as it was typed, not saved.
func TestFormSurvivesTheEndOfItsSession(t *testing.T) {
	c := webtest.NewConsole(t)
	here := c.Cookie
	for path, form := range carriedForms(c) {
		typed, secret := form[0], form[1]
		posted := url.Values{}
		for _, piece := range form {
			maps.Copy(posted, piece)
		}
		before := withoutLogins(modelstest.Dump(t, c.Store))
		c.Cookie, c.Extra = "", nil
		page := c.Post(path, posted).Want(http.StatusUnauthorized)
		if page.Header.Get("Cache-Control") != "no-store" || !strings.Contains(page.Text("main"), "not saved yet") {
			t.Errorf("%s: the page says %q", path, page.Text("main"))
		}
		// A mistake does not lose it.
		login := webtest.Fill(page.Form(), "email", webtest.AdminEmail, "password", "wrong")
		login = webtest.Fill(c.Post("/login", login).Want(http.StatusUnauthorized).Form(), "password", webtest.AdminPassword)
		for name, values := range secret {
			if login.Has(account.CarriedPrefix+name) || strings.Contains(page.Body, values[0]) {
				t.Errorf("%s: the login page carries %s", path, name)
			}
		}
		a := c.Post("/login", login).GoesTo(path)
		c.Cookie = webtest.SessionOf(t, a).Value
		if words := c.Flash(a); !strings.Contains(words, "before this was saved") || strings.Contains(words, "the URL, which is a secret") != secret.Has("url") {
			t.Errorf("%s: it says %q", path, words)
		}
		// The flash asked for the page already, and the form was shown there: a
		// reload shows the saved values.
		if again := c.Get(path).Form(); again.Get("name") == typed.Get("name") && typed.Get("name") != "" {
			t.Errorf("%s: the reload shows %v", path, again)
		}
		if after := withoutLogins(modelstest.Dump(t, c.Store)); after != before {
			t.Errorf("%s stored something:\n%s", path, webtest.Difference(before, after))
		}
		// Once more, for the form itself.
		c.Cookie = ""
		a = c.Post("/login", webtest.Fill(c.Post(path, posted).Form(), "email", webtest.AdminEmail, "password", webtest.AdminPassword)).GoesTo(path)
		c.Cookie = webtest.SessionOf(t, a).Value
		shown := c.Get(path).Want(http.StatusOK)
		got := shown.FormWith(typed)
		for name, values := range typed {
			if want := strings.Join(values, "|"); name != "do" && strings.ReplaceAll(strings.Join(got[name], "|"), "\r\n", "\n") != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got[name], want)
			}
		}
	}
	c.Cookie = here
}

// withoutLogins leaves the rows of logins out of a dump.
func withoutLogins(dump string) string {
	var lines []string
	for line := range strings.Lines(dump) {
		if table, _, _ := strings.Cut(line, " |"); !slices.Contains([]string{"sessions", "audit_entries", "login_failures", "sqlite_sequence"}, table) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// TestWhatIsNotCarried: passwords, large forms, requests without a form to show
// again, and requests of scripts.
func TestWhatIsNotCarried(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddSecretWebhook()
	c.Cookie = ""
	c.Post(web.PasswordPath, url.Values{"password": {"a"}, "new_password": {"b"}}).GoesTo("/login")
	c.Post(webhooks.WebhookPath(w.ID)+"/reveal", url.Values{"secret": {"1"}, "password": {webtest.AdminPassword}}).GoesTo("/login")
	c.Post(webhooks.WebhookPath(w.ID)+"/delete", url.Values{"x": {"y"}}).GoesTo("/login")
	large := url.Values{"name": {strings.Repeat("x", web.CarriedMax)}}
	c.Post("/admin/tokens", large).GoesTo("/login?next=%2Fadmin%2Ftokens")
	req := c.Request(http.MethodPost, "/admin/tokens", strings.NewReader("name=x"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set(web.FragmentHeader, webhooks.FormFragment)
	if a := c.Do(req); a.Status != http.StatusNoContent || a.Header.Get(web.RedirectHeader) != "/login?next=%2Fadmin%2Ftokens" {
		t.Errorf("a script is answered %d %v", a.Status, a.Header)
	}
	// The input is shown only in its own form.
	typed := url.Values{"email": {webtest.AdminEmail}, "password": {webtest.AdminPassword}, "next": {"/admin/tokens"}, "form.name": {"typed"}}
	c.Cookie = webtest.SessionOf(t, c.Post("/login", typed).GoesTo("/admin/tokens")).Value
	for _, path := range []string{"/admin/members", "/admin/tokens"} {
		if got := c.Get(path).Form().Get("name"); got != "" {
			t.Errorf("%s shows %q", path, got)
		}
	}
	c.Cookie = ""
	// A field of the login form that claims to be carried is not trusted either.
	a := c.Post("/login", url.Values{"form.password": {"p"}, "form.secret_1": {"s"}, "form.url": {"u"}, "form.type": {"slack"}, "form.name": {"n"}, "email": {"x"}}).Want(http.StatusUnauthorized)
	if got := a.Form(); got.Get("form.name") != "n" || got.Has("form.password") || got.Has("form.secret_1") || got.Has("form.url") {
		t.Errorf("carried %v", got)
	}
}

// TestFormSurvivesASingleSignOn: after a login at the provider in another tab,
// the form continues in this one.
func TestFormSurvivesASingleSignOn(t *testing.T) {
	c, p := webtest.NewSignOnConsole(t)
	page := c.Post("/admin/tokens", url.Values{"name": {"The site"}, "scope": {"ingest"}}).Want(http.StatusUnauthorized)
	link := page.Find("main a")
	if link.AttrOr("target", "") != "_blank" || page.Find("button[formnovalidate]").AttrOr("value", "") != "continue" {
		t.Errorf("it offers %q", page.Text("main"))
	}
	form := webtest.Fill(page.Form(), "do", "continue")
	if a := c.Post("/login", form).Want(http.StatusUnauthorized); !strings.Contains(a.Text("[role=alert]"), "You are not logged in yet.") {
		t.Errorf("it says %q", a.Text("[role=alert]"))
	}
	p.Begin(c, link.AttrOr("href", ""))
	p.Claims = map[string]any{"auth_time": time.Now().Unix()}
	a := c.Get(p.Back())
	c.Cookie, c.Extra = webtest.SessionOf(t, a).Value, nil
	c.Post("/login", form).GoesTo("/admin/tokens")
	if got := c.Get("/admin/tokens").Form(); got.Get("name") != "The site" {
		t.Errorf("the form has %v", got)
	}
}
