//go:build screenshots

package app_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// TestScreenshots makes the pictures of the documentation from a running demo:
// make screenshots. With SCREENSHOTS=DIR all pages are there, to be looked at.
func TestScreenshots(t *testing.T) {
	d := startDemo(t)
	c := newChrome(t)
	c.viewport(1280, 900)
	c.login(d.base, d.email, d.password)
	// Two that do not match the event in the picture; the list's own picture is
	// made without them.
	strangers := []string{
		c.create(d, url.Values{"name": {"New questions"}, "events": {"question.created"}, "tag_mode": {"all"}}),
		c.create(d, url.Values{"name": {"Django answers"}, "events": {"answer.accepted"}, "tag_mode": {"specific"}, "tags": {"django"}}),
	}
	var delivery, trigger string
	apptest.Eventually(t, "a delivery of something newer than they are", func() bool {
		c.open(d.base + "/admin/deliveries?state=delivered")
		delivery = eval[string](c, `[...document.querySelectorAll("tbody tr")].find((r) => r.textContent.includes("Python Accepted Answers"))?.querySelector("a[href*='/deliveries/']")?.href ?? ""`)
		if delivery == "" {
			return false
		}
		c.open(delivery)
		trigger = c.href("main a[href*='/admin/trigger-history/']")
		c.open(trigger)
		return !strings.Contains(c.words("main"), "Created later")
	})
	apptest.Eventually(t, "a broken webhook", func() bool {
		c.open(d.base + "/admin/webhooks")
		return strings.Contains(c.words("main"), "410")
	})
	c.pictures(map[string]string{"delivery": delivery, "trigger": trigger})
	for _, path := range strangers {
		c.posts(d.base+path+"/delete", nil)
	}
	c.open(d.base + "/admin/webhooks")
	c.pictures(map[string]string{
		"webhooks": d.base + "/admin/webhooks", "form": d.base + "/admin/webhooks/new?type=generic",
		"deliveries": d.base + "/admin/deliveries", "trigger-history": d.base + "/admin/trigger-history",
		"setting":  d.base + "/developer/site-settings/edit?name=Webhooks.DispatchDelay",
		"settings": d.base + "/developer/site-settings", "receiver": d.receiver, "locations": d.base + "/admin/locations",
		"location": d.base + "/admin/locations/python-wranglers",
		"webhook":  c.href("tbody a[href*='/admin/webhooks/']"), "edit": c.href("tbody a[href$='/edit']"),
		"delete": c.href("tbody a[href$='/delete']"), "tokens": d.base + "/admin/tokens", "members": d.base + "/admin/members",
		"member": d.base + "/admin/members/1", "audit": d.base + "/admin/audit", "system": d.base + "/admin/system",
		"reveal": c.href("tbody a[href$='/edit']") + "/../reveal", "slack": d.base + "/admin/webhooks/new?type=slack",
		"password": d.base + "/account/password", "dialog": d.base + "/admin/webhooks",
		"overview": d.base + "/admin", "export": d.base + "/admin/deliveries/export", "sources": d.base + "/admin/sources",
		"rotate": c.href("tbody a[href$='/edit']") + "/../rotate", "receivers": d.base + "/developer/receivers", "guide": d.base + "/developer/receivers/slack",
	})
}

// pictures makes those that the documentation shows, or all if asked to.
func (c *chrome) pictures(pages map[string]string) {
	c.t.Helper()
	dir, all := os.Getenv("SCREENSHOTS"), true
	if dir == "" {
		dir, all = "../docs/screenshots", false
	}
	shown := []string{"overview", "webhooks", "dialog", "delivery", "trigger", "setting"}
	for _, theme := range []string{"light", "dark"} {
		for name, width := range map[string]int64{"wide": 1280, "narrow": 360} {
			c.viewport(width, 900)
			c.theme(theme)
			for page, address := range pages {
				if !all && (name != "wide" || !slices.Contains(shown, page)) {
					continue
				}
				c.open(address)
				if page == "dialog" {
					c.click("td.c-act a[href$='/edit']")
					c.until("document.querySelector('dialog[open] #next-headers')")
				}
				c.picture(filepath.Join(dir, page+"-"+name+"-"+theme+".png"))
			}
		}
	}
}

func (c *chrome) href(selector string) string {
	c.t.Helper()
	return eval[string](c, fmt.Sprintf("document.querySelector(%q).href", selector))
}

// create makes a webhook of Python Wranglers and returns the path of its page.
func (c *chrome) create(d runningDemo, form url.Values) string {
	c.t.Helper()
	form.Set("do", "save")
	form.Set("location", "python-wranglers")
	form.Set("url", d.receiver+"/hook/python-accepted-answers")
	c.posts(d.base+"/admin/webhooks/new?type=generic", form)
	c.open(d.base + "/admin/webhooks?q=" + url.QueryEscape(form.Get("name")))
	path, _, _ := strings.Cut(strings.TrimPrefix(c.href("tbody a[href*='/edit']"), d.base), "/edit")
	return path
}

// posts sends a form from the page that is open.
func (c *chrome) posts(address string, form url.Values) {
	c.t.Helper()
	script := fmt.Sprintf("fetch(%q, {method: 'POST', body: new URLSearchParams(%q), redirect: 'manual'}).then((r) => r.type)", address, form.Encode())
	answered, err := chromedp.Run(c.ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	ok(c.t, err)
	if answered != "opaqueredirect" {
		c.t.Fatalf("POST %s was refused", address)
	}
}

// picture writes a screenshot of the whole page.
func (c *chrome) picture(path string) {
	c.t.Helper()
	png, err := chromedp.Run(c.ctx, chromedp.FullScreenshot(100))
	ok(c.t, err)
	ok(c.t, os.MkdirAll(filepath.Dir(path), 0o750))
	ok(c.t, os.WriteFile(path, png, 0o600))
}
