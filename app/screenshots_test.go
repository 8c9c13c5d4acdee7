//go:build screenshots

package app_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestScreenshots makes the pictures of the documentation from a running demo:
// make screenshots.
func TestScreenshots(t *testing.T) {
	d := startDemo(t)
	c := newChrome(t)
	c.viewport(1280, 900)
	c.login(d.base, d.email, d.password)
	eventually(t, "a broken webhook and some deliveries", func() bool {
		c.open(d.base + "/admin/deliveries")
		rows := eval[int](c, "document.querySelectorAll('tbody tr').length")
		c.open(d.base + "/admin/webhooks")
		return rows > 7 && strings.Contains(eval[string](c, "document.body.innerText"), "410")
	})
	href := func(selector string) string {
		return eval[string](c, "document.querySelector('"+selector+"').href")
	}
	pages := map[string]string{
		"webhooks": d.base + "/admin/webhooks", "form": d.base + "/admin/webhooks/new?type=generic",
		"deliveries": d.base + "/admin/deliveries", "trigger-history": d.base + "/admin/trigger-history",
		"setting":  d.base + "/developer/site-settings/edit?name=Webhooks.DispatchDelay",
		"settings": d.base + "/developer/site-settings", "receiver": d.receiver,
	}
	c.open(d.base + "/admin/deliveries")
	pages["delivery"] = href("tbody a[href*=\"/admin/deliveries/\"]")
	c.open(d.base + "/admin/webhooks")
	pages["webhook"] = href("tbody a[href*=\"/admin/webhooks/\"]")
	pages["edit"] = href("tbody a[href$=\"/edit\"]")
	pages["delete"] = href("tbody a[href$=\"/delete\"]")
	c.open(d.base + "/admin/trigger-history")
	pages["trigger"] = href("tbody a[href*=\"/admin/trigger-history/\"]")
	// The documentation shows some; with SCREENSHOTS=DIR all are made, to be looked at.
	dir, all := os.Getenv("SCREENSHOTS"), true
	if dir == "" {
		dir, all = "../docs/screenshots", false
	}
	shown := []string{"webhooks", "delivery", "trigger", "setting"}
	for _, theme := range []string{"light", "dark"} {
		for name, width := range map[string]int64{"wide": 1280, "narrow": 360} {
			c.viewport(width, 900)
			c.theme(theme)
			for page, address := range pages {
				if all || slices.Contains(shown, page) && name == "wide" {
					c.open(address)
					c.picture(filepath.Join(dir, page+"-"+name+"-"+theme+".png"))
				}
			}
			if all || name == "wide" {
				c.open(pages["webhooks"])
				c.click("td.c-act a[href$='/edit']")
				c.until("document.querySelector('dialog[open] #next-headers')")
				c.picture(filepath.Join(dir, "dialog-"+name+"-"+theme+".png"))
			}
		}
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
