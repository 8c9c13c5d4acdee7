package webhooks_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/account"
	"github.com/sitehooks/sitehooks/handlers/reveal"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func TestRevealShowsOneSecretOnce(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddSecretWebhook()
	path := webhooks.WebhookPath(w.ID) + "/reveal"
	for _, page := range []string{webhooks.WebhookPath(w.ID), webtest.EditPath(w)} {
		for _, n := range []string{"1", "2"} {
			if links := c.Get(page).Reveals("").Find("a[href='" + path + "?secret=" + n + "']").Length(); links != 1 {
				t.Errorf("%s has %d links to reveal secret %s", page, links, n)
			}
		}
	}
	asks := c.Get(path + "?secret=2").Want(http.StatusOK).Reveals("")
	if asks.Find("#secret option[selected]").AttrOr("value", "") != "2" || asks.Find("input[type=password][name=password]").Length() != 1 {
		t.Errorf("it asks %q", asks.Text("main"))
	}
	for password, says := range map[string]string{"": "Enter your password.", "wrong": "This is not your password."} {
		a := c.Post(path, url.Values{"secret": {"2"}, "password": {password}}).Want(http.StatusUnprocessableEntity).Reveals("")
		if a.Text("#password-err") != says {
			t.Errorf("with the password %q it says %q", password, a.Text("#password-err"))
		}
	}
	if log := c.Get("/admin/audit").Text("tbody"); strings.Contains(log, "Revealed") {
		t.Errorf("nothing was revealed, and the audit log says %q", log)
	}
	c.Post(path, url.Values{"secret": {"2"}, "password": {webtest.AdminPassword}}).Want(http.StatusOK).Reveals(webtest.SecondSecret)
	c.Post(path, url.Values{"secret": {"1"}, "password": {webtest.AdminPassword}}).Want(http.StatusOK).Reveals(webtest.FirstSecret)
	for _, page := range []string{path, path + "?secret=2", webhooks.WebhookPath(w.ID), webtest.EditPath(w), "/admin/audit"} {
		c.Get(page).Want(http.StatusOK).Reveals("")
	}
	log := c.Get("/admin/audit?about=webhook").Text("tbody tr:nth-child(2)")
	for _, want := range []string{"Mary Wilkins", "Revealed a secret", w.Name, "Signing secret 2"} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log says %q, without %q", log, want)
		}
	}
	for _, secret := range []string{"3", "url", "secret1"} {
		c.Post(path, url.Values{"secret": {secret}, "password": {webtest.AdminPassword}}).Want(http.StatusNotFound)
	}
	c.Get(webhooks.WebhookPath(c.AddWebhook(nil).ID) + "/reveal").Want(http.StatusNotFound)
}

func TestRevealIsForAdministrators(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddSecretWebhook()
	c.LogIn(c.AddViewer())
	c.Get(webhooks.WebhookPath(w.ID) + "/reveal?secret=1").Want(http.StatusForbidden)
	c.Post(webhooks.WebhookPath(w.ID)+"/reveal", url.Values{"secret": {"1"}, "password": {webtest.AdminPassword}}).Want(http.StatusForbidden).Reveals("")
	if n := c.Get(webhooks.WebhookPath(w.ID)).Find("a[href*=reveal]").Length(); n != 0 {
		t.Errorf("a viewer is offered %d links", n)
	}
}

func TestRevealCountsWrongPasswordsAsLoginDoes(t *testing.T) {
	var log webtest.LogLines
	c := webtest.NewConsole(t, func(d *handlers.Deps) { d.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	w := c.AddSecretWebhook()
	path := webhooks.WebhookPath(w.ID) + "/reveal"
	for range account.FailuresHere {
		c.Post(path, url.Values{"secret": {"1"}, "password": {"wrong"}}).Want(http.StatusUnprocessableEntity)
	}
	a := c.Post(path, url.Values{"secret": {"1"}, "password": {webtest.AdminPassword}}).Want(http.StatusTooManyRequests).Reveals("")
	if n, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || n < 1 || n > 900 {
		t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
	}
	for _, why := range []string{"wrong password", "too many wrong passwords"} {
		if line := `msg="password refused: ` + why + `" member=` + webtest.AdminEmail + " purpose=reveal from=127.0.0.1"; !strings.Contains(log.String(), line) {
			t.Errorf("the log lacks %s: %s", line, log.String())
		}
	}
	c.Cookie = ""
	c.Post("/login", webtest.Credentials(webtest.AdminPassword)).Want(http.StatusTooManyRequests)
}

func TestRevealOfSlacksURL(t *testing.T) {
	c := webtest.NewConsole(t)
	const whole = "https://hooks.slack.com/services/T000/B000/secret-of-the-channel"
	w := c.AddWebhook(func(in *models.WebhookInput) {
		in.Type, in.URL, in.URLShown = "slack", whole, "hooks.slack.com…nnel"
	})
	for _, page := range []string{webhooks.WebhookPath(w.ID), webtest.EditPath(w)} {
		if a := c.Get(page); strings.Contains(a.Body, whole) || a.Find("a[href='"+reveal.Path(webhooks.WebhookPath(w.ID), "url")+"']").Length() != 1 {
			t.Errorf("%s: %s", page, a.Text("main"))
		}
	}
	a := c.Post(webhooks.WebhookPath(w.ID)+"/reveal", url.Values{"secret": {"url"}, "password": {webtest.AdminPassword}}).Want(http.StatusOK)
	if a.Text("#revealed") != whole {
		t.Errorf("it shows %q", a.Text("#revealed"))
	}
	if log := c.Get("/admin/audit").Text("tbody tr:first-child"); !strings.Contains(log, "Revealed a secret") || strings.Contains(log, "services") {
		t.Errorf("the audit log says %q", log)
	}
}

func TestRevealBySingleSignOn(t *testing.T) {
	c, p := webtest.NewSignOnConsole(t)
	w := c.AddSecretWebhook()
	other := c.AddUser(models.User{Email: "ann@example.com", Name: "Ann", Role: models.RoleAdministrator})
	path := webhooks.WebhookPath(w.ID) + "/reveal"
	// confirm goes to the provider and back, and returns where that leads.
	confirm := func(claims map[string]any) *webtest.Answer {
		t.Helper()
		button := c.Get(path+"?secret=2").Find("main form a:contains('single sign-on')").AttrOr("href", "")
		p.Begin(c, button)
		if p.Requested.Get("max_age") != "0" {
			t.Errorf("the provider is asked with %v", p.Requested)
		}
		p.Claims = claims
		a := c.Get(p.Back())
		c.Extra = nil
		return a
	}
	const back = "/reveal?secret=2&confirmed=1"
	c.LogIn(c.Admin)
	now := time.Now().Unix()
	for name, claims := range map[string]map[string]any{
		"no new proof": {"auth_time": now - 61}, "no time": {}, "another member": {"auth_time": now, "email": other.Email},
	} {
		a := confirm(claims).GoesTo(webhooks.WebhookPath(w.ID) + back)
		if says := c.Flash(a); !strings.Contains(says, "not confirmed") && !strings.Contains(says, "logged in here as") {
			t.Errorf("%s: it says %q", name, says)
		}
		c.Post(path, url.Values{"secret": {"2"}, "confirmed": {"1"}}).Want(http.StatusUnprocessableEntity).Reveals("")
	}
	form := c.Get(confirm(map[string]any{"auth_time": now}).GoesTo(webhooks.WebhookPath(w.ID) + back).Header.Get("Location")).Form()
	if form.Get("secret") != "2" || form.Get("confirmed") != "1" || form.Has("password") {
		t.Errorf("the form has %v", form)
	}
	c.Post(path, form).Want(http.StatusOK).Reveals(webtest.SecondSecret)
	if a := c.Post(path, form).Want(http.StatusUnprocessableEntity).Reveals(""); !strings.Contains(a.Text("[role=alert]"), "already been used") {
		t.Errorf("it says %q", a.Text("[role=alert]"))
	}
	// A member without a password has this way alone.
	c.LogIn(other)
	if page := c.Get(path); page.Find("input[type=password], main button[type=submit]").Length() != 0 {
		t.Errorf("it asks for a password that there is not: %s", page.Text("main"))
	}
	// It confirms nothing to a browser that is Never logged in, and logs nobody in.
	c.Cookie = ""
	p.Begin(c, account.OidcPath+"?confirm=1&next="+url.QueryEscape(path))
	p.Claims = map[string]any{"auth_time": now}
	a := c.Get(p.Back()).GoesTo("/login?next=" + url.QueryEscape(path))
	if strings.Contains(strings.Join(a.Header.Values("Set-Cookie"), ";"), web.SessionCookie) {
		t.Error("there is a session")
	}
}
