package app_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// TestActionsInTheBrowser sends an event and a filter by hand, rotates a secret,
// chooses a group of the form, reads a receiver guide and runs the curl line of a
// new token, and has axe look at each page.
func TestActionsInTheBrowser(t *testing.T) {
	script := axe(t)
	in, b, c, _ := atConsole(t)
	r := apptest.NewReceiver(t)
	form := apptest.WebhookForm(r.URL)
	form.Set("secret_1", "a secret of sixteen or more")
	form.Set("tag_mode", "specific")
	form.Set("tags", "nobody")
	b.CreateWebhook(form)
	in.Accept(apptest.QuestionJSON("missed", 60, ""))
	check := func(what string) {
		t.Helper()
		for _, theme := range []string{"light", "dark"} {
			c.theme(theme)
			c.looksAt(script, what+", "+theme)
		}
		c.viewport(360, 800)
		c.fits(what)
		c.viewport(1280, 900)
	}

	// Send to this webhook, from the event and for all of a filter.
	event := in.Base + "/admin/trigger-history?id=missed"
	const send = "button[aria-label^='Send to this webhook']"
	apptest.Eventually(t, "the event is dispatched", func() bool {
		return strings.Contains(b.Get("/admin/trigger-history?id=missed").Body+b.Get("/admin/trigger-history/4").Body, "Send to this webhook")
	})
	c.open(event)
	check("an event that can be sent")
	c.click(send)
	c.until("document.querySelector('main .facts')?.textContent.includes('Sent by hand')")
	c.until("document.querySelector('h1').textContent.includes('Delivered')")
	check("a delivery sent by hand")
	c.open(in.Base + "/admin/trigger-history?q=missed")
	c.click("main .s-page-title--actions a[href*='/send']")
	c.until("document.getElementById('send_to')")
	check("the question for a webhook")
	c.do(chromedp.SetValue("#send_to", "1"))
	c.click("main form[method=get] button")
	c.until("document.querySelector('#count')?.textContent.includes('Send 1 event')")
	check("the count before sending")
	c.click("main form[method=post] button")
	c.until("location.pathname.includes('/sends/') && document.querySelector('main [role=status]').textContent === '1 of 1 event sent'")
	check("the progress of sending")

	// An export, whose page tells when it has ended.
	saving := browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: t.TempDir()}
	if _, err := chromedp.Call(c.ctx, browser.SetDownloadBehavior, saving); err != nil {
		t.Fatal(err)
	}
	c.open(in.Base + "/admin/deliveries")
	c.click("main .s-page-title--actions a[href='/admin/deliveries/export']")
	c.until("document.querySelector('a[download]')")
	check("the export")
	c.click("a[download][href$='.csv']")
	c.until("document.querySelector('[aria-label=Progress]')?.textContent.includes('is complete')")
	check("the end of the export")

	// Rotate.
	c.open(in.Base + "/admin/webhooks/1")
	c.click("a[aria-label='Rotate Signing secret 1']")
	c.until("location.pathname === '/admin/webhooks/1/rotate'")
	check("the rotation")
	c.click("button[value=add]")
	c.until("document.getElementById('new-secret')")
	check("the new secret")
	c.click("button[value=test]")
	c.until("document.querySelector('.test-result')?.textContent.includes('Test arrived')")
	check("the test of the new secret")
	c.click("button[value=remove]")
	c.until("location.pathname === '/admin/webhooks/1'")

	// The form's groups, and the guide.
	c.open(in.Base + "/admin/webhooks/new?type=superoffice")
	const contacts = "[...document.querySelectorAll('details.more-group')].find((d) => d.textContent.includes('Contacts'))"
	c.run(contacts + ".open = true")
	c.run(contacts + ".querySelector('[data-tick=all]').click()")
	c.until(contacts + ".querySelectorAll('input:checked').length === 4 && " + contacts + ".querySelector('[data-chosen]').textContent === '4 of 4'")
	c.run(contacts + ".querySelector('[data-tick=none]').click()")
	c.until(contacts + ".querySelectorAll('input:checked').length === 0")
	check("the form with folds")
	c.open(in.Base + "/developer/receivers/generic")
	c.run("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
	check("a receiver guide")
	if n := eval[int](c, "document.querySelectorAll('#main details pre, main details pre').length"); n < 7 {
		t.Errorf("the guide has %d examples", n)
	}
	c.open(in.Base + "/developer/receivers")
	check("the list of guides")

	// A new token's curl line runs as it stands.
	c.open(in.Base + "/admin/tokens")
	c.do(chromedp.SendKeys("#name", "tried"))
	c.click("form[action='/admin/tokens'] button")
	c.until("document.getElementById('fresh-curl')")
	check("a fresh token")
	line := eval[string](c, "document.getElementById('fresh-curl').textContent")
	out, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"accepted":1`) {
		t.Errorf("%s\n%s, %v", line, out, err)
	}
}
