package app_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// landed waits until a page is there in full, so that nothing moves any more,
// and an expression holds on it.
func (c *chrome) landed(expression string) {
	c.t.Helper()
	c.until("document.readyState === 'complete' && (" + expression + ")")
}

// delivered waits until so many deliveries arrived.
func awaitDelivered(b *apptest.Browser, n int) {
	b.T.Helper()
	apptest.Eventually(b.T, "deliveries", func() bool {
		return strings.Count(b.Get("/admin/deliveries.csv?state=delivered").Body, "\n\"msg_") == n
	})
}

// filterAndResend narrows the list to delivered ones, and resends them.
func filterAndResend(in *apptest.Instance, b *apptest.Browser, c *chrome, r *apptest.Receiver) {
	c.t.Helper()
	awaitDelivered(b, 2)
	c.open(in.Base + "/admin/deliveries")
	c.do(chromedp.SetValue("#state", "failed"))
	c.click("main form[role=search] button[type=submit]")
	c.landed("document.querySelector('.empty h2')?.textContent === 'No deliveries match these filters'")
	c.click("a[aria-label='Remove the filter State Failed']")
	c.landed("document.querySelectorAll('tr[data-id]').length === 2")
	c.do(chromedp.SetValue("#state", "delivered"))
	c.click("main form[role=search] button[type=submit]")
	c.landed("location.search.includes('state=delivered') && document.querySelectorAll('tr[data-id]').length === 2")
	c.click("a[href^='/admin/deliveries/resend']")
	c.landed("document.querySelector('h1').textContent === 'Resend 2 deliveries?'")
	c.click("main form[method=post] button")
	c.landed("document.querySelector('main').textContent.includes('2 of 2 deliveries done')")
	c.open(in.Base + "/admin/deliveries")
	c.click("tr[data-id] .c-act a")
	c.landed("document.querySelector('main form[action$=resend]')")
	c.click("main form[action$=resend] button")
	c.landed("document.querySelector('.s-notice__success')?.textContent.includes('Sending again')")
	apptest.Eventually(c.t, "five requests of two deliveries", func() bool {
		ids := map[string]int{}
		for _, d := range r.Got() {
			ids[d.ID]++
		}
		return len(r.Got()) == 5 && len(ids) == 2
	})
}

// explainWhyNot asks from a webhook's page about an event that it did not get.
func explainWhyNot(in *apptest.Instance, c *chrome) {
	c.t.Helper()
	c.open(in.Base + "/admin/webhooks/1")
	c.click("a[href='/admin/trigger-history?matched=any&webhook=1']")
	c.landed("document.getElementById('event')")
	c.do(chromedp.SendKeys("#event", "of-go\r"))
	c.landed("document.getElementById('asked')?.textContent.startsWith('Why did') && document.querySelector('main .panel dl')")
	if got := c.words("section[aria-labelledby=asked]"); !strings.Contains(got, "It did not match. Tags differ. The event has go; this webhook requires python.") {
		c.t.Errorf("it says %q", got)
	}
	c.click("section[aria-labelledby=asked] a[href$='#tags']")
	c.landed("location.pathname.endsWith('/edit') && document.getElementById('tags')")
}

// wantsPython is a webhook for the questions with one tag.
func wantsPython(b *apptest.Browser, r *apptest.Receiver) {
	b.T.Helper()
	form := apptest.WebhookForm(r.URL)
	form.Set("location", "python-wranglers")
	form.Set("tag_mode", "specific")
	form.Set("tags", "python")
	b.CreateWebhook(form)
}

// reportTags makes two deliveries: events that come at once would share one.
func reportTags(in *apptest.Instance, b *apptest.Browser) {
	in.T.Helper()
	in.Accept(taggedQuestion("of-python", 71, `"python"`))
	awaitDelivered(b, 1)
	in.Accept(taggedQuestion("of-go", 72, `"go"`))
	in.Accept(taggedQuestion("of-both", 73, `"python","go"`))
}

func TestDeliveriesAndWhyNotInTheBrowser(t *testing.T) {
	in, b, c, found := atConsole(t)
	r := apptest.NewReceiver(t)
	wantsPython(b, r)
	reportTags(in, b)
	filterAndResend(in, b, c, r)
	explainWhyNot(in, c)
	found.none(t)
}

// TestMainFlowsOnPostgreSQL walks through the console as an administrator does,
// on the other database.
func TestMainFlowsOnPostgreSQL(t *testing.T) {
	in, b, c, found := atConsoleOn(t, "postgres")
	r := apptest.NewReceiver(t)
	c.open(in.Base + "/admin/webhooks")
	c.click("a[href='/admin/webhooks/new?type=generic']")
	c.until("document.querySelector('dialog[open] #name')")
	c.do(chromedp.SendKeys("#name", "Python"), chromedp.SetValue("#location", "python-wranglers"))
	c.run("document.getElementById('location').dispatchEvent(new Event('change', { bubbles: true }))")
	c.click("label[for=events-0-0]")
	c.click("label[for=tag_mode-specific]")
	c.click("#tags")
	c.keys("python,")
	c.do(chromedp.SendKeys("#url", r.URL))
	c.until("document.querySelector('[data-preview] .big')?.textContent === '2 of 3 events'")
	c.click("dialog button[value=generate_1]")
	c.landed("document.getElementById('secret_1').value.length === 64")
	c.click("dialog .form-foot button[value=save]")
	c.landed("document.querySelector('.s-notice__success')?.textContent.includes('Created Python.')")

	reportTags(in, b)
	filterAndResend(in, b, c, r)
	explainWhyNot(in, c)

	c.open(in.Base + "/admin/webhooks/1")
	c.click("form[action='/admin/webhooks/1/test'] button")
	c.landed("document.activeElement.matches('section[aria-label=\"Test notification\"]') && document.activeElement.querySelector('h2').textContent === 'Test arrived'")
	c.open(in.Base + "/admin/webhooks/1")
	c.click("form[action$='/pause'] button")
	c.landed("document.getElementById('psd')")
	c.click("button[name=held][value=send]")
	c.landed("document.querySelector('.s-notice__success')?.textContent.includes('Resumed Python.')")
	c.click("a[href='/admin/webhooks/1/edit']")
	c.until("document.querySelector('dialog[open] #name')")
	c.enter("#name", "Renamed")
	c.click("dialog .form-foot button[value=save]")
	c.landed("document.querySelector('.s-notice__success')?.textContent.includes('Renamed')")
	c.open(in.Base + "/developer/site-settings/edit?name=Webhooks.DispatchDelay")
	c.enter("input[name=value]", "7")
	c.do(chromedp.SendKeys("[name=reason]", "Editors fix typos"))
	c.click("main form button[type=submit]")
	c.landed("document.querySelector('main')?.textContent.includes('Editors fix typos')")
	c.open(in.Base + "/admin/webhooks/1/delete")
	c.click("main form button")
	c.landed("document.querySelector('.s-notice__success')?.textContent.includes('Deleted Renamed.')")
	found.none(t)
}

// TestListsRefreshThemselves: shown rows are updated in place, and new ones are
// only counted until the user asks for them.
func TestListsRefreshThemselves(t *testing.T) {
	in, b, c, found := atConsole(t)
	r := apptest.NewReceiver(t)
	wantsPython(b, r)
	in.Accept(taggedQuestion("of-python", 71, `"python"`))
	awaitDelivered(b, 1)
	bar, rows := "document.querySelector('.fresh-bar:not([hidden]) a')?.textContent", "document.querySelectorAll('tr[data-id]').length"
	c.open(in.Base + "/admin/deliveries")
	was := eval[float64](c, "document.querySelector('tr[data-id]').getBoundingClientRect().top")
	in.Accept(taggedQuestion("of-both", 73, `"python","go"`))
	c.until(bar + " === '1 new'")
	if n, top := eval[int](c, rows), eval[float64](c, "document.querySelector('tr[data-id]').getBoundingClientRect().top"); n != 1 || top != was {
		t.Errorf("%d rows are shown, at %v instead of %v", n, top, was)
	}
	c.click(".fresh-bar a")
	c.until(rows + " === 2")

	c.open(in.Base + "/admin/trigger-history")
	c.do(chromedp.Focus("#q"))
	in.Accept(taggedQuestion("later", 74, `"go"`))
	c.until(bar + " === '1 new'")
	if here := eval[string](c, "document.activeElement.id"); here != "q" {
		t.Errorf("the focus went to %q", here)
	}

	c.open(in.Base + "/admin/webhooks")
	c.click("tbody input[name=id]")
	c.run("document.activeElement.blur()") // a row that somebody is at stays as it is
	b.Post("/admin/webhooks/1/pause", nil)
	wantsPython(b, r)
	c.until(bar + " === '1 new' && document.querySelector('td.o2 .s-badge').textContent === 'Paused'")
	if !eval[bool](c, "document.querySelector('tbody input[name=id]').checked && document.querySelector('[data-bulk-count]').textContent === '1 selected'") {
		t.Error("what was chosen is lost")
	}
	// A time says the reader's own below UTC.
	c.run("document.querySelector('time').dispatchEvent(new PointerEvent('pointerover', { bubbles: true }))")
	if title := eval[string](c, "document.querySelector('time').title"); !strings.Contains(title, " UTC\n") || !strings.HasSuffix(title, ", your time") {
		t.Errorf("a time says %q", title)
	}
	found.none(t)
}
