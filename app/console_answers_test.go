package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// answers is a console in a browser with a webhook that delivers, one whose
// receiver answers 500, and events that matched both, one or nobody.
type answers struct {
	*chrome
	in *apptest.Instance
	b  *apptest.Browser
}

func newAnswers(t *testing.T) (answers, *complaints) {
	t.Helper()
	in, b, c, found := atConsole(t)
	r := apptest.NewReceiver(t)
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, "out of order")
	}))
	t.Cleanup(failing.Close)
	for name, target := range map[string]string{"python": r.URL, "go": failing.URL} {
		form := apptest.WebhookForm(target)
		form.Set("name", "The "+name+" team")
		form.Set("location", "python-wranglers")
		form.Set("tag_mode", "specific")
		form.Set("tags", name)
		b.CreateWebhook(form)
	}
	in.Accept(taggedQuestion("of-python", 81, `"python"`))
	awaitDelivered(b, 1)
	in.Accept(taggedQuestion("of-go", 82, `"go"`))
	apptest.Eventually(t, "an attempt that failed", func() bool {
		return strings.Contains(b.Get("/admin/deliveries?state=tried").Body, "data-id=")
	})
	in.Accept(taggedQuestion("of-nobody", 83, `"rust"`))
	apptest.Eventually(t, "an event for nobody", func() bool {
		return strings.Contains(b.Get("/admin/trigger-history?matched=none&q=of-nobody").Body, "none matched")
	})
	return answers{c, in, b}, found
}

// TestConsoleAnswersInTheBrowser looks things up as an administrator does.
func TestConsoleAnswersInTheBrowser(t *testing.T) {
	a, found := newAnswers(t)
	script := axe(t)
	a.overview(script)
	a.filtersDeliveries()
	a.filtersEvents()
	a.searches(script)
	a.opensDelivery(script)
	found.none(t)
}

// overview: a login leads there, and a figure to the list behind it.
func (a answers) overview(script string) {
	a.t.Helper()
	a.open(a.in.Base + "/")
	a.until("location.pathname === '/admin'")
	if got := a.words(".app-nav li:first-child"); got != "Overview" {
		a.t.Errorf("the first entry is %q", got)
	}
	if got := a.words("section[aria-labelledby=in-24h]"); !strings.Contains(got, "Delivered 1 Failed attempts 1") {
		a.t.Errorf("the figures are %q", got)
	}
	a.looksAt(script, "the overview")
	a.click("section[aria-labelledby=in-24h] a[href*='state=tried']")
	a.landed("location.pathname === '/admin/deliveries' && document.querySelectorAll('tr[data-id]').length === 1")
	if got := a.words("tbody"); !strings.Contains(got, "The go team") {
		a.t.Errorf("the list behind the failures has %q", got)
	}
}

// filtersDeliveries types a webhook's name, chooses a team, and pastes an ID.
func (a answers) filtersDeliveries() {
	a.t.Helper()
	id := eval[string](a.chrome, "document.querySelector('tr[data-id] .c-act a').href.split('/').pop()")
	for _, choose := range []func(){
		func() { a.do(chromedp.SendKeys("#id", " "+id)) },
		func() { a.run("document.getElementById('webhook').value = 'the GO'") },
		func() { a.do(chromedp.SetValue("#location", "python-wranglers"), chromedp.SetValue("#state", "tried")) },
	} {
		a.open(a.in.Base + "/admin/deliveries")
		choose()
		a.click("form.filters button[type=submit]")
		a.landed("location.search && document.querySelectorAll('tr[data-id]').length === 1")
		if got := a.words("section[aria-label=Results] > p"); got != "Showing 1 of 1 delivery, newest first" {
			a.t.Errorf("the total is %q", got)
		}
	}
	a.do(chromedp.SetValue("#time", "yesterday"))
	a.click("form.filters button[type=submit]")
	a.landed("document.querySelector('main').textContent.includes('No deliveries match these filters')")
}

// filtersEvents reads whom an event reached, and finds those that reached nobody.
func (a answers) filtersEvents() {
	a.t.Helper()
	a.open(a.in.Base + "/admin/trigger-history")
	if got := a.words("tbody"); !strings.Contains(got, "to The go team") || !strings.Contains(got, "to The python team") {
		a.t.Errorf("the events reached %q", got)
	}
	a.run("document.getElementById('webhook').value = 'the python team'")
	a.click("form.filters button[type=submit]")
	a.landed("document.querySelectorAll('tr[data-id]').length === 1 && document.querySelector('tbody').textContent.includes('of-python')")
	a.open(a.in.Base + "/admin/trigger-history")
	a.do(chromedp.SetValue("#matched", "none"))
	a.click("form.filters button[type=submit]")
	a.landed("document.querySelector('tr[data-id]')?.textContent.includes('of-nobody')")
}

// searches in the bar, and on a narrow screen in the menu.
func (a answers) searches(script string) {
	a.t.Helper()
	a.do(chromedp.SendKeys("#frame-q", "of-go\r"))
	a.landed("/^\\/admin\\/trigger-history\\/\\d+$/.test(location.pathname)")
	a.do(chromedp.SendKeys("#frame-q", "https://site.example/questions/81/x\r"))
	a.landed("document.querySelector('main').textContent.includes('of-python')")
	a.do(chromedp.SendKeys("#frame-q", "team\r"))
	a.landed("location.pathname === '/admin/search' && document.querySelectorAll('tbody tr').length === 2")
	a.looksAt(script, "several hits")
	a.viewport(360, 640)
	a.click("summary[aria-label=Menu]")
	a.do(chromedp.SendKeys("#menu-q", "go team\r"))
	a.landed("/^\\/admin\\/webhooks\\/\\d+$/.test(location.pathname)")
	a.viewport(1280, 900)
}

// opensDelivery: a failed one shows its response, the page follows a resend, and
// the request can be copied.
func (a answers) opensDelivery(script string) {
	a.t.Helper()
	a.open(a.in.Base + "/admin/deliveries?state=tried")
	a.click("tr[data-id] .c-act a")
	a.landed("document.getElementById('p-res')")
	if !eval[bool](a.chrome, "!document.getElementById('p-res').classList.contains('d-none') && document.getElementById('p-res').textContent.includes('out of order')") {
		a.t.Error("a failed delivery does not open on its response")
	}
	before := eval[int](a.chrome, "document.querySelectorAll('.timeline .t-bad').length")
	a.click("main form[action$=resend] button")
	a.until(fmt.Sprintf("document.querySelectorAll('.timeline .t-bad').length > %d && document.querySelector('.timeline').textContent.includes('manual')", before))
	a.click("#t-req")
	a.until("!document.getElementById('p-req').classList.contains('d-none')")
	a.click("#p-req summary")
	a.click("#p-req [data-copy=curl]")
	a.until("document.querySelector('#p-req [data-copy=curl]').textContent === 'Copied'")
	a.looksAt(script, "a delivery with its command")
}

// TestFiltersSurviveInTheBrowser: an edit and an action on all that match lead
// back to the list as it was, and the history says what was changed.
func TestFiltersSurviveInTheBrowser(t *testing.T) {
	in, b, c, found := atConsole(t)
	r := apptest.NewReceiver(t)
	for i := range 22 {
		form := apptest.WebhookForm(r.URL)
		form.Set("name", fmt.Sprintf("Team %d", i))
		b.CreateWebhook(form)
	}
	list := "/admin/webhooks?" + url.Values{"q": {"team"}, "per": {"20"}, "sort": {"created"}, "dir": {"asc"}}.Encode()
	c.open(in.Base + list)
	c.click("a[aria-label='Edit Team 3']")
	c.until("document.querySelector('dialog[open] #name')")
	c.enter("#name", "Team three")
	c.click("dialog .form-foot button[value=save]")
	c.until("document.querySelector('.s-notice__success') && location.search.includes('q=team') && location.search.includes('per=20')")
	c.click("label[for=all]")
	c.until("document.querySelector('[data-bulk-count]').textContent === '22 selected'")
	c.click("button[name=do][value=pause]")
	c.landed("document.querySelector('h1').textContent === 'Pause 22 webhooks?'")
	c.click("main form button")
	c.landed("document.querySelector('.s-notice__success')?.textContent.includes('22 webhooks were paused') && location.search.includes('q=team')")
	c.open(in.Base + "/admin/webhooks/4")
	if got := c.words("main"); !strings.Contains(got, `Name "Team 3" → "Team three"`) {
		t.Error("the history does not say what was changed")
	}
	script := axe(t)
	for _, path := range []string{"/admin/webhooks", "/admin/deliveries", "/admin/trigger-history"} {
		c.viewport(360, 640)
		c.open(in.Base + path)
		c.fits(path)
		if !eval[bool](c, "(e => !e || e.getBoundingClientRect().top < innerHeight)(document.querySelector('main tbody tr, main .empty'))") {
			t.Errorf("%s: the list begins below the first screen", path)
		}
		if eval[bool](c, "document.querySelector('.filters select').checkVisibility()") {
			t.Errorf("%s: the filters are open", path)
		}
		c.click("label[for=filters-shown]")
		c.until("document.querySelector('.filters select').checkVisibility()")
		c.looksAt(script, path+" with its filters")
	}
	found.none(t)
}
