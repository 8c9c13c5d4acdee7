package app_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// inBothThemes has axe look at the page, light and dark, and sees that it fits a
// narrow screen.
func (c *chrome) inBothThemes(script, what string) {
	c.t.Helper()
	for _, theme := range []string{"light", "dark"} {
		c.theme(theme)
		c.looksAt(script, what+", "+theme)
	}
	c.viewport(360, 800)
	c.fits(what)
	c.viewport(1280, 900)
}

// offered are the groups of the form's select for locations.
func (c *chrome) offered() string {
	c.t.Helper()
	return eval[string](c, `[...document.querySelectorAll("#location optgroup")]
		.map((g) => g.label + ": " + [...g.children].map((o) => o.textContent).join(", ")).join("; ")`)
}

// TestLocationsInTheBrowser adds a location, changes a kind, and hides a location,
// a community and a tag, which a webhook keeps.
func TestLocationsInTheBrowser(t *testing.T) {
	script := axe(t)
	in, b, c, found := atConsole(t)
	r := apptest.NewReceiver(t)
	form := apptest.WebhookForm(r.URL)
	for name, value := range map[string]string{"location": "python-wranglers", "community": "data-platform", "tag_mode": "specific", "tags": "python"} {
		form.Set(name, value)
	}
	b.CreateWebhook(form)
	list, team := in.Base+"/admin/locations", in.Base+"/admin/locations/python-wranglers"

	c.open(list)
	c.do(chromedp.SendKeys("#name", "Archive"), chromedp.SendKeys("#slug", "archive"))
	c.click("label[for=kind]")
	c.click("main form[method=post] button[type=submit]")
	c.landed("document.querySelector('.s-notice__success')?.textContent.includes('Added Archive')")
	c.inBothThemes(script, "the locations")
	c.offers(in, "Main site: Main site, Archive; Private Teams: Python wranglers")
	c.open(team)
	c.click("label[for=kind]")
	c.click("main form[method=post] button[type=submit]")
	c.landed("location.pathname === '/admin/locations' && document.querySelector('.s-notice__success')")
	c.offers(in, "Main site: Main site, Archive, Python wranglers")

	for _, page := range []string{"a[href$='?tag=python']", "a[aria-label='Edit Data platform']", ""} {
		c.open(team)
		if page != "" {
			c.click(page)
			c.landed("document.querySelector('.crumbs a:nth-child(2)')")
		}
		c.inBothThemes(script, "a place before it is hidden")
		c.click("button[name=hidden][value=yes]")
		c.landed("document.querySelector('h1 .s-badge')?.textContent === 'Hidden'")
		c.inBothThemes(script, "a hidden place")
	}
	c.offers(in, "Main site: Main site, Archive")
	c.open(list)
	c.inBothThemes(script, "the locations with a hidden one")

	c.keepsHidden(in)
	in.Accept(taggedQuestion("of-python", 81, `"python"`))
	awaitDelivered(b, 1)
	for _, page := range []string{team, team + "?community=data-platform", team + "?tag=python"} {
		c.open(page)
		c.click("button[name=hidden][value=no]")
		c.landed("!document.querySelector('h1 .s-badge') && document.querySelector('.s-notice__success')")
	}
	c.offers(in, "Main site: Main site, Archive, Python wranglers")
	found.none(t)
}

// offers opens the form for a new webhook over the list.
func (c *chrome) offers(in *apptest.Instance, want string) {
	c.t.Helper()
	c.open(in.Base + "/admin/webhooks")
	c.click("a[href='/admin/webhooks/new?type=generic']")
	c.until("document.querySelector('dialog[open] #location')")
	if got := c.offered(); got != want {
		c.t.Errorf("the form offers %q, want %q", got, want)
	}
}

// keepsHidden saves the webhook in the dialog, whose location, community and tag
// are hidden.
func (c *chrome) keepsHidden(in *apptest.Instance) {
	c.t.Helper()
	c.open(in.Base + "/admin/webhooks")
	c.click("a[aria-label='Edit Everything']")
	// The script has asked for the location's communities by now.
	c.until("document.querySelector('dialog[open] #community') && !document.querySelector('#community optgroup')")
	if got := c.offered(); got != "Main site: Main site, Archive, Python wranglers" {
		c.t.Errorf("the webhook's form offers %q", got)
	}
	now := eval[string](c, `["location", "community", "tags"].map((id) => document.querySelector("dialog [name=" + id + "]").value).join(" ")`)
	if now != "python-wranglers data-platform python" {
		c.t.Errorf("the webhook's form has %q", now)
	}
	c.enter("#name", "Still everything")
	c.click("dialog .form-foot button[value=save]")
	c.until("document.querySelector('.s-notice__success') && document.querySelector('tbody').textContent.includes('Still everything')")
}

// TestLimitedMemberInTheBrowser: a member of one team sees its webhooks,
// deliveries, events and nothing of the main site's.
func TestLimitedMemberInTheBrowser(t *testing.T) {
	script := axe(t)
	in, b, c, found := atConsole(t)
	r := apptest.NewReceiver(t)
	for name, location := range map[string]string{"Team watch": "python-wranglers", "Site watch": "main"} {
		form := apptest.WebhookForm(r.URL)
		form.Set("name", name)
		form.Set("location", location)
		b.CreateWebhook(form)
	}
	in.Accept(taggedQuestion("team-event", 81, `"python"`))
	in.Accept(apptest.QuestionJSON("site-event", 82, ""))
	awaitDelivered(b, 2)
	asMember(t, in, b, c, url.Values{
		"email": {"robin@example.com"}, "name": {"Robin"}, "role": {"administrator"}, "limited": {"yes"}, "locations": {"python-wranglers"},
	})

	const rows = "document.querySelectorAll('main tbody tr[data-id]').length"
	for _, page := range []struct{ path, landed, has string }{
		{"/admin", "true", "Delivered 1"},
		{"/admin/webhooks", rows + " === 1", "Team watch"},
		{"/admin/deliveries", rows + " === 1", "Team watch"},
		{"/admin/trigger-history", rows + " === 4", "team-event"},
		{"/admin/locations", "document.querySelectorAll('main tbody tr').length === 1", "Python wranglers"},
		{"/admin/sources", "true", ""},
		{"/admin/tokens", "true", ""},
		{"/admin/audit", "true", "Team watch"},
	} {
		c.open(in.Base + page.path)
		c.landed(page.landed)
		if got := c.words("main"); !strings.Contains(got, page.has) || strings.Contains(got, "Site watch") || strings.Contains(got, "site-event") {
			t.Errorf("%s says %s", page.path, got)
		}
		c.inBothThemes(script, page.path+" of one team")
	}
	for typed, landed := range map[string]string{
		"team-event": `/^\/admin\/trigger-history\/\d+$/.test(location.pathname)`,
		"team watch": `/^\/admin\/webhooks\/\d+$/.test(location.pathname)`,
		"site-event": "location.pathname === '/admin/search' && document.querySelectorAll('main tbody tr').length === 0",
		"watch":      `/^\/admin\/webhooks\/\d+$/.test(location.pathname)`, // the only hit
	} {
		c.open(in.Base + "/admin")
		c.do(chromedp.SendKeys("#frame-q", typed+"\r"))
		c.landed(landed)
	}
	c.offersOneTeam(script, in)
	found.none(t)
	for _, id := range []int{1, 2} { // one of them is the main site's
		c.open(fmt.Sprintf("%s/admin/webhooks/%d", in.Base, id))
		if got := c.words("h1"); !strings.HasPrefix(got, "Team watch") && got != "Not Found" {
			t.Errorf("webhook %d shows %q", id, got)
		}
	}
}

// offersOneTeam opens the form over the list, which offers the member's team alone.
func (c *chrome) offersOneTeam(script string, in *apptest.Instance) {
	c.t.Helper()
	c.offers(in, "Private Teams: Python wranglers")
	c.inBothThemes(script, "the form of one team")
	c.open(in.Base + "/admin/webhooks")
	c.click("a[aria-label='Edit Team watch']")
	c.until("document.querySelector('dialog[open] #location')")
	if got := c.offered(); got != "Private Teams: Python wranglers" {
		c.t.Errorf("the edit form offers %q", got)
	}
	c.enter("#name", "Team watch")
	c.click("dialog .form-foot button[value=save]")
	c.until("document.querySelector('.s-notice__success')")
}
