package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// corner checks the current page in each theme: dark has other colours and the
// same elements. Then it makes it narrow.
func (c *chrome) corner(script, what string) {
	c.t.Helper()
	c.looksAt(script, what)
	c.theme("dark")
	c.looksAtColours(what + ", dark")
	c.theme("light")
	c.viewport(360, 800)
	c.fits(what + " at 360")
	if over := eval[string](c, `(() => {
		const box = document.querySelector("dialog[open]");
		if (!box) return "";
		const edge = box.getBoundingClientRect().right;
		return [...box.querySelectorAll("*")].filter((e) => !e.closest("pre, .s-table-container") && e.getBoundingClientRect().right > edge + 1).map((e) => e.outerHTML.slice(0, 120)).slice(0, 3).join(" | ");
	})()`); over != "" {
		c.t.Errorf("%s at 360 runs beyond its edge: %s", what, over)
	}
	c.viewport(1280, 900)
}

// TestCornersAreAccessibleAndFit checks pages that consolePages leave out:
// forms of every type, rare states, refused forms, empty lists, and pages of a
// viewer.
func TestCornersAreAccessibleAndFit(t *testing.T) {
	script := axe(t)
	in, b, c, _ := atConsole(t)
	for _, path := range cornerPages(t, in, b) {
		c.open(in.Base + path)
		c.corner(script, path)
	}
	c.viewport(640, 450)
	c.open(in.Base + "/admin/webhooks/new?type=generic")
	c.looksAt(script, "the form on a low page")
	c.viewport(1280, 900)
	for _, kind := range []string{"stackauth", "userecho", "superoffice"} {
		c.open(in.Base + "/admin/webhooks")
		c.run(fmt.Sprintf("((a) => { a.href = '/admin/webhooks/new?type=%s'; a.click(); })(document.querySelector('a[data-dialog]'))", kind))
		c.until("document.querySelector('dialog[open] #name')")
		c.corner(script, "the dialog of "+kind)
	}
	for _, path := range []string{
		"/developer/site-settings/edit?name=Webhooks.DispatchDelay", "/admin/members", "/admin/tokens", "/admin/locations",
		"/admin/locations/main", "/account/password",
	} {
		c.refused(in, path)
		c.corner(script, path+", refused")
	}
	c.open(in.Base + "/admin/webhooks/2/edit")
	c.click("button[value=clear_1]")
	c.until("document.querySelector('button[value=undo_1]')")
	c.run("scrollTo(0, 0)") // nothing is under the bar
	c.corner(script, "the form with a removed secret")
	c.open(in.Base + "/admin/webhooks/2/reveal?secret=1")
	c.do(chromedp.SendKeys("#password", "wrong"))
	c.press("form.narrow-form button[type=submit]", "document.getElementById('password-err')")
	c.corner(script, "Reveal with a wrong password")
	asViewer(t, in, b, c)
	for _, path := range []string{
		"/admin/webhooks", "/admin/webhooks/1", "/admin/trigger-history?id=seen", "/admin/members", "/admin/tokens", "/admin/locations/main",
		"/developer/site-settings/edit?name=Webhooks.DispatchDelay", "/admin/webhooks/new?type=generic",
	} {
		c.open(in.Base + path)
		c.corner(script, path+" of a viewer")
	}
	fresh := apptest.Serve(t, apptest.Environment(t, "sqlite"))
	c.login(fresh.Base, apptest.AdminEmail, apptest.AdminPassword)
	for _, path := range []string{"/admin/trigger-history", "/admin/deliveries", "/admin/audit?q=nothing"} {
		c.open(fresh.Base + path)
		c.corner(script, path+", empty")
	}
}

// cornerPages are pages of a world with a token, a broken webhook, and an
// event that the other webhook did not get.
func cornerPages(t *testing.T, in *apptest.Instance, b *apptest.Browser) []string {
	t.Helper()
	gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }))
	t.Cleanup(gone.Close)
	b.CreateWebhook(apptest.WebhookForm(gone.URL))
	picky := apptest.WebhookForm("https://example.com/hook")
	picky.Set("tag_mode", "specific")
	picky.Set("tags", "rust")
	picky.Set("secret_1", "a secret that is removed")
	b.CreateWebhook(picky)
	b.Post("/admin/tokens", url.Values{"name": {"The site"}, "scope": {"ingest"}})
	in.Accept(apptest.QuestionJSON("seen", 60, ""))
	apptest.Eventually(t, "broken", func() bool { return strings.Contains(b.Get("/admin/webhooks/1").Body, "410") })
	in.Accept(apptest.QuestionJSON("held", 61, ""))
	delivery := regexp.MustCompile(`/admin/deliveries/msg_[^"?#]+`).FindString(b.Get("/admin/deliveries").Body)
	token := regexp.MustCompile(`/admin/tokens/\d+/revoke`).FindString(b.Get("/admin/tokens").Body)
	if delivery == "" || token == "" {
		t.Fatalf("delivery %q, token %q", delivery, token)
	}
	return []string{
		"/admin/webhooks/new?type=stackauth", "/admin/webhooks/new?type=userecho", "/admin/webhooks/new?type=superoffice",
		"/admin/webhooks", "/admin/webhooks/1", "/admin/webhooks/bulk?do=resume&id=1", delivery + "?tab=response",
		"/admin/deliveries/export", "/admin/deliveries/resent?at=1&total=5", "/admin/trigger-history/1/erase", "/admin/trigger-history/1?webhook=2",
		"/admin/trigger-history?webhook=2&id=none", token, "/admin/nothing",
	}
}

// refused sends the form of a page with nothing in it, and finds the focus on
// the fault.
func (c *chrome) refused(in *apptest.Instance, path string) {
	c.t.Helper()
	c.open(in.Base + path)
	c.run(`[...document.querySelectorAll("main form[method=post] :is(input:not([type=radio], [type=hidden]), textarea)")].forEach((e) => { e.value = ""; })`)
	_, err := chromedp.RunResponse(c.ctx, chromedp.Click("main form[method=post].narrow-form button[type=submit], main form[method=post].fd-column button[type=submit]"))
	ok(c.t, err)
	c.until("document.activeElement?.matches('[role=alert][data-focus]')")
}

// press sends a form by a button, and waits for the page that follows.
func (c *chrome) press(button, until string) {
	c.t.Helper()
	_, err := chromedp.RunResponse(c.ctx, chromedp.Click(button))
	ok(c.t, err)
	c.until(until)
}

// asViewer makes a viewer and logs in as that, in place of the administrator.
func asViewer(t *testing.T, in *apptest.Instance, b *apptest.Browser, c *chrome) {
	t.Helper()
	asMember(t, in, b, c, url.Values{"email": {"vic@example.com"}, "name": {"Vic"}, "role": {"viewer"}})
}

// asMember adds a member and logs in as that, in place of the administrator.
func asMember(t *testing.T, in *apptest.Instance, b *apptest.Browser, c *chrome, form url.Values) {
	t.Helper()
	a, email := b.Post("/admin/members", form), form.Get("email")
	given := regexp.MustCompile(`id="given-password">([^<]+)<`).FindStringSubmatch(a.Body)
	if given == nil {
		t.Fatalf("no password was given: %d", a.Code)
	}
	b.Post("/logout", nil)
	b.Post("/login", url.Values{"email": {email}, "password": {given[1]}})
	change := url.Values{"password": {given[1]}, "new_password": {apptest.AdminPassword}, "new_password_again": {apptest.AdminPassword}}
	if a = b.Post("/account/password", change); a.Code != http.StatusSeeOther {
		t.Fatalf("new password: %d", a.Code)
	}
	c.run(`document.querySelector('form[action="/logout"]').submit()`)
	c.until("location.pathname === '/login'")
	c.login(in.Base, email, apptest.AdminPassword)
}
