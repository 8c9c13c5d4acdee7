package handlers

import (
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

func TestRevealShowsOneSecretOnce(t *testing.T) {
	c := newConsole(t)
	w := c.addSecretWebhook()
	path := webhookPath(w.ID) + "/reveal"
	for _, page := range []string{webhookPath(w.ID), editPath(w)} {
		for _, n := range []string{"1", "2"} {
			if links := c.get(page).reveals("").Find("a[href='" + path + "?secret=" + n + "']").Length(); links != 1 {
				t.Errorf("%s has %d links to reveal secret %s", page, links, n)
			}
		}
	}
	asks := c.get(path + "?secret=2").want(http.StatusOK).reveals("")
	if asks.Find("#secret option[selected]").AttrOr("value", "") != "2" || asks.Find("input[type=password][name=password]").Length() != 1 {
		t.Errorf("it asks %q", asks.text("main"))
	}
	for password, says := range map[string]string{"": "Enter your password.", "wrong": "This is not your password."} {
		a := c.post(path, url.Values{"secret": {"2"}, "password": {password}}).want(http.StatusUnprocessableEntity).reveals("")
		if a.text("[role=alert]") != says {
			t.Errorf("with the password %q it says %q", password, a.text("[role=alert]"))
		}
	}
	if log := c.get("/admin/audit").text("tbody"); strings.Contains(log, "Revealed") {
		t.Errorf("nothing was revealed, and the audit log says %q", log)
	}
	c.post(path, url.Values{"secret": {"2"}, "password": {adminPassword}}).want(http.StatusOK).reveals(secondSecret)
	c.post(path, url.Values{"secret": {"1"}, "password": {adminPassword}}).want(http.StatusOK).reveals(firstSecret)
	for _, page := range []string{path, path + "?secret=2", webhookPath(w.ID), editPath(w), "/admin/audit"} {
		c.get(page).want(http.StatusOK).reveals("")
	}
	log := c.get("/admin/audit?about=webhook").text("tbody tr:nth-child(2)")
	for _, want := range []string{"Mary Wilkins", "Revealed a secret", w.Name, "Signing secret 2"} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log says %q, without %q", log, want)
		}
	}
	for _, secret := range []string{"3", "url", "secret1"} {
		c.post(path, url.Values{"secret": {secret}, "password": {adminPassword}}).want(http.StatusNotFound)
	}
	c.get(webhookPath(c.addWebhook(nil).ID) + "/reveal").want(http.StatusNotFound)
}

func TestRevealIsForAdministrators(t *testing.T) {
	c := newConsole(t)
	w := c.addSecretWebhook()
	c.logIn(c.addViewer())
	c.get(webhookPath(w.ID) + "/reveal?secret=1").want(http.StatusForbidden)
	c.post(webhookPath(w.ID)+"/reveal", url.Values{"secret": {"1"}, "password": {adminPassword}}).want(http.StatusForbidden).reveals("")
	if n := c.get(webhookPath(w.ID)).Find("a[href*=reveal]").Length(); n != 0 {
		t.Errorf("a viewer is offered %d links", n)
	}
}

func TestRevealCountsWrongPasswordsAsLoginDoes(t *testing.T) {
	var log logLines
	c := newConsole(t, func(d *Deps) { d.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	w := c.addSecretWebhook()
	path := webhookPath(w.ID) + "/reveal"
	for range failuresHere {
		c.post(path, url.Values{"secret": {"1"}, "password": {"wrong"}}).want(http.StatusUnprocessableEntity)
	}
	a := c.post(path, url.Values{"secret": {"1"}, "password": {adminPassword}}).want(http.StatusTooManyRequests).reveals("")
	if n, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || n < 1 || n > 900 {
		t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
	}
	for _, why := range []string{"wrong password", "too many wrong passwords"} {
		if line := `msg="password refused: ` + why + `" member=` + adminEmail + " purpose=reveal from=127.0.0.1"; !strings.Contains(log.String(), line) {
			t.Errorf("the log lacks %s: %s", line, log.String())
		}
	}
	c.cookie = ""
	c.post("/login", credentials(adminPassword)).want(http.StatusTooManyRequests)
}

func TestRevealOfSlacksURL(t *testing.T) {
	c := newConsole(t)
	const whole = "https://hooks.slack.com/services/T000/B000/secret-of-the-channel"
	w := c.addWebhook(func(in *models.WebhookInput) {
		in.Type, in.URL, in.URLShown = "slack", whole, "hooks.slack.com…nnel"
	})
	for _, page := range []string{webhookPath(w.ID), editPath(w)} {
		if a := c.get(page); strings.Contains(a.Body, whole) || a.Find("a[href='"+revealPath(w.ID, "url")+"']").Length() != 1 {
			t.Errorf("%s: %s", page, a.text("main"))
		}
	}
	a := c.post(webhookPath(w.ID)+"/reveal", url.Values{"secret": {"url"}, "password": {adminPassword}}).want(http.StatusOK)
	if a.text("#revealed") != whole {
		t.Errorf("it shows %q", a.text("#revealed"))
	}
	if log := c.get("/admin/audit").text("tbody tr:first-child"); !strings.Contains(log, "Revealed a secret") || strings.Contains(log, "services") {
		t.Errorf("the audit log says %q", log)
	}
}

func TestRevealBySingleSignOn(t *testing.T) {
	c, p := newSignOnConsole(t)
	w := c.addSecretWebhook()
	other := c.addUser(models.User{Email: "ann@example.com", Name: "Ann", Role: models.RoleAdministrator})
	path := webhookPath(w.ID) + "/reveal"
	// confirm goes to the provider and back, and returns where that leads.
	confirm := func(claims map[string]any) *answer {
		t.Helper()
		button := c.get(path+"?secret=2").Find("main form a:contains('single sign-on')").AttrOr("href", "")
		p.begin(c, button)
		if p.asked.Get("max_age") != "0" {
			t.Errorf("the provider is asked with %v", p.asked)
		}
		p.claims = claims
		a := c.get(p.back())
		c.extra = nil
		return a
	}
	const back = "/reveal?secret=2&confirmed=1"
	c.logIn(c.admin)
	now := time.Now().Unix()
	for name, claims := range map[string]map[string]any{
		"no new proof": {"auth_time": now - 61}, "no time": {}, "another member": {"auth_time": now, "email": other.Email},
	} {
		a := confirm(claims).goesTo(webhookPath(w.ID) + back)
		if says := c.flash(a); !strings.Contains(says, "does not confirm") && !strings.Contains(says, "logged in here as") {
			t.Errorf("%s: it says %q", name, says)
		}
		c.post(path, url.Values{"secret": {"2"}, "confirmed": {"1"}}).want(http.StatusUnprocessableEntity).reveals("")
	}
	form := c.get(confirm(map[string]any{"auth_time": now}).goesTo(webhookPath(w.ID) + back).Header.Get("Location")).form()
	if form.Get("secret") != "2" || form.Get("confirmed") != "1" || form.Has("password") {
		t.Errorf("the form has %v", form)
	}
	c.post(path, form).want(http.StatusOK).reveals(secondSecret)
	if a := c.post(path, form).want(http.StatusUnprocessableEntity).reveals(""); !strings.Contains(a.text("[role=alert]"), "used already") {
		t.Errorf("it says %q", a.text("[role=alert]"))
	}
	// A member without a password has this way alone.
	c.logIn(other)
	if page := c.get(path); page.Find("input[type=password], main button[type=submit]").Length() != 0 {
		t.Errorf("it asks for a password that there is not: %s", page.text("main"))
	}
	// It confirms nothing to a browser that is not logged in, and logs nobody in.
	c.cookie = ""
	p.begin(c, oidcPath+"?confirm=1&next="+url.QueryEscape(path))
	p.claims = map[string]any{"auth_time": now}
	a := c.get(p.back()).goesTo("/login?next=" + url.QueryEscape(path))
	if strings.Contains(strings.Join(a.Header.Values("Set-Cookie"), ";"), sessionCookie) {
		t.Error("there is a session")
	}
}
