package app_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// axe is the accessibility checker, as a script for the page.
func axe(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("testdata/npm/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("axe-core is missing; this command installs it (as root on Debian Node.js too): make setup (%v)", err)
	}
	return string(script)
}

// looksAt runs axe's rules of WCAG 2.0, 2.1 and 2.2, A and AA, on the current
// page.
func (c *chrome) looksAt(script, what string) {
	c.t.Helper()
	_, err := chromedp.Run(c.ctx, chromedp.Evaluate[chromedp.Void]("if (!window.axe) {"+script+"}"))
	ok(c.t, err)
	c.axeRuns(what, `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]`, 10)
}

// looksAtColours runs the rule that another theme can break, on a page that
// was looked at.
func (c *chrome) looksAtColours(what string) {
	c.t.Helper()
	c.axeRuns(what, `["color-contrast"]`, 1)
}

// axeRuns fails the test with axe's findings. If fewer rules than least
// applied, it saw no page.
func (c *chrome) axeRuns(what, rules string, least int) {
	c.t.Helper()
	found, err := chromedp.Run(c.ctx, chromedp.Evaluate[[]string](fmt.Sprintf(`(async () => {
		await Promise.all(document.getAnimations().map((a) => a.finished.catch(() => {})));
		const result = await axe.run(document, { runOnly: %s });
		if (result.passes.length < %d) return ["axe looked at next to nothing"];
		return result.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.html.slice(0, 200) + " " + n.failureSummary.replace(/\s+/g, " ")));
	})()`, rules, least), chromedp.EvalAwaitPromise))
	ok(c.t, err)
	for _, line := range found {
		c.t.Errorf("%s: %s", what, line)
	}
}

// TestAccessible has axe look at every page and dialog, light and dark:
// filled, empty, and with errors.
func TestAccessible(t *testing.T) {
	script := axe(t)
	in, b, c, _ := atConsole(t)
	themes := []string{"light", "dark"}
	check := func(what string) {
		t.Helper()
		for _, theme := range themes {
			c.theme(theme)
			c.looksAt(script, what+", "+theme)
		}
	}
	c.open(in.Base + "/admin/webhooks")
	check("the empty list")
	pages := consolePages(t, in, b)
	for _, page := range pages {
		c.open(in.Base + page)
		check(page)
	}
	c.choose("contrast")
	for _, page := range pages {
		c.open(in.Base + page)
		c.looksAt(script, page+", high contrast")
	}
	c.choose("system")
	b.Set("Webhooks.EnableGenericWebhooks", "False")
	c.open(in.Base + "/admin/webhooks")
	check("the list while types are switched off")
	b.Set("Webhooks.EnableGenericWebhooks", "True")

	c.open(in.Base + "/admin/webhooks")
	c.click("a[aria-label='Edit Everything']")
	c.until("document.querySelector('dialog[open] [data-preview] .big')")
	check("the dialog")
	c.click("label[for=tag_mode-specific]")
	c.click("#tags")
	c.keys("numpy,a")
	c.click("dialog button[value=generate_1]")
	c.until("document.getElementById('secret_1').value.length === 64")
	c.click("dialog .form-foot button[value=test]")
	c.until("document.querySelector('[data-test-result] h2')")
	check("the dialog after a test")
	c.enter("#name", " ")
	c.enter("#url", "nonsense")
	c.click("dialog .form-foot button[value=save]")
	c.until("document.querySelector('dialog [role=alert]')")
	check("the dialog with errors")
	c.run("document.querySelector('dialog .form-close').click()")
	c.until("document.querySelector('[data-unsaved]')")
	check("the dialog that asks")

	narrow(c, in)
	check("a narrow list with its menu")
	c.viewport(1280, 900)
	if a := b.Post("/logout", nil); a.Code >= 400 {
		t.Fatalf("log out: %d", a.Code)
	}
	c.run("document.querySelector('form[action=\"/logout\"]').submit()")
	c.until("location.pathname === '/login'")
	check("the log-in page")
	c.do(chromedp.SendKeys("input[name=email]", apptest.AdminEmail), chromedp.SendKeys("input[name=password]", "wrong\r"))
	c.until("document.querySelector('.s-notice, [role=alert], .s-input-message')")
	check("the log-in page after a mistake")
	if !strings.HasPrefix(eval[string](c, "location.pathname"), "/login") {
		t.Error("a wrong password logs in")
	}
}

// choose sets the appearance by the menu of the bar.
func (c *chrome) choose(theme string) {
	c.t.Helper()
	c.click("summary[aria-label^=Appearance]")
	c.click("button[name=theme][value=" + theme + "]")
	c.until("document.querySelector('button[name=theme][value=" + theme + "][aria-current=true]')")
}

func narrow(c *chrome, in *apptest.Instance) {
	c.t.Helper()
	c.viewport(360, 800)
	c.open(in.Base + "/admin/webhooks")
	c.click("summary[aria-label=Menu]")
}
