package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// atConsole is a browser that is logged in at a new instance with some events.
func atConsole(t *testing.T) (*apptest.Instance, *apptest.Browser, *chrome, *complaints) {
	t.Helper()
	return atConsoleOn(t, "sqlite")
}

func atConsoleOn(t *testing.T, kind string) (*apptest.Instance, *apptest.Browser, *chrome, *complaints) {
	t.Helper()
	in := apptest.Serve(t, apptest.Environment(t, kind))
	b := in.Login()
	b.Quick()
	for n, tags := range []string{`"python"`, `"python","pandas"`, `"go"`} {
		in.Accept(taggedQuestion(fmt.Sprint("e", n), n+1, tags))
	}
	c := newChrome(t)
	c.viewport(1280, 900)
	found := c.watch()
	c.login(in.Base, apptest.AdminEmail, apptest.AdminPassword)
	return in, b, c, found
}

// taggedQuestion is a question with tags, at a location with a community.
func taggedQuestion(id string, number int, tags string) string {
	return fmt.Sprintf(`{"id":%q,"type":"question.created","location":"python-wranglers","community":"data-platform",
		"question":{"question_id":%d,"title":"Question %s","link":"https://site.example/questions/%d/x","tags":[%s]}}`, id, number, id, number, tags)
}

// TestDialogByKeyboard creates a webhook without a mouse.
func TestDialogByKeyboard(t *testing.T) {
	in, b, c, found := atConsole(t)
	r := apptest.NewReceiver(t)
	c.open(in.Base + "/admin/webhooks")
	c.tabTo("a[href='/admin/webhooks/new?type=generic']")
	c.keys(kb.Enter)
	c.until("document.querySelector('dialog[open]') && document.activeElement.id === 'name'")
	c.keys("Python questions")
	c.tabTo("#location")
	c.keys("Py")
	c.tabTo("input[name=events][value='question.created']")
	c.keys(" ")
	c.until("document.querySelector('[data-preview] .big')?.textContent === '3 of 3 events'")
	c.tabTo("#tags")
	c.keys("pyt")
	c.until("document.querySelector('#tags-list li')?.textContent === 'python'")
	c.keys(kb.ArrowDown)
	c.keys(kb.Enter)
	c.keys("numpy,")
	c.keys("mistake" + kb.Enter + kb.Backspace)
	c.until("document.querySelector('input[name=tags]').value === 'python, numpy'")
	if !eval[bool](c, "document.getElementById('tag_mode-specific').checked") {
		t.Error("a tag was added and All tags stays chosen")
	}
	c.until("document.querySelector('[data-preview] .big')?.textContent === '2 of 3 events'")
	c.tabTo("#url")
	c.keys(r.URL + "/hook")
	// Actions on a secret are offered while there is one.
	offered := "[...document.querySelectorAll('[data-copy=secret_1], [value=clear_1]')].map((b) => b.checkVisibility()).join()"
	c.tabTo("#secret_1")
	if got := eval[string](c, offered); got != "false,false" {
		t.Errorf("Copy and Clear of an empty secret are shown: %s", got)
	}
	c.keys("x")
	c.until(offered + " === 'true,true'")
	c.keys(kb.Backspace)
	c.until(offered + " === 'false,false'")
	for n := 1; n <= 2; n++ {
		field := fmt.Sprintf("document.getElementById('secret_%d').value.length === 64", n)
		c.tabTo(fmt.Sprintf("button[value=generate_%d]", n))
		c.keys(kb.Enter)
		c.until(field + fmt.Sprintf(" && document.activeElement.value === 'generate_%d'", n))
	}
	c.do(chromedp.Focus("[data-copy=secret_1]"))
	c.keys(kb.Enter)
	c.until("document.querySelector('[data-copy=secret_1]').textContent === 'Copied'")
	c.until("document.querySelector('#next-headers')?.textContent.includes('webhook-signature: v1,')")

	c.tabTo("button[value=test]")
	c.keys(kb.Enter)
	c.until("document.querySelector('[data-test-result] h2')?.textContent === 'Test arrived'")
	if got := r.Got(); len(got) != 1 || strings.Count(got[0].Header.Get("webhook-signature"), "v1,") != 2 {
		t.Fatalf("the test sent %+v", got)
	}
	c.keys(kb.Escape)
	c.until("document.activeElement.textContent === 'Keep editing'")
	c.keys(kb.Enter)
	c.until("document.activeElement.id === 'name'")
	if name := eval[string](c, "document.activeElement.value"); name != "Python questions" {
		t.Errorf("the name became %q", name)
	}
	c.keys(kb.Enter)
	c.until("location.pathname === '/admin/webhooks' && document.querySelector('.s-notice__success')")
	page := b.Get("/admin/webhooks?tag=numpy").Body
	if !strings.Contains(page, "Python questions") || !strings.Contains(c.words(".s-notice__success"), "Created Python questions.") {
		t.Errorf("the list says %q", c.words("main"))
	}
	found.none(t)
}

func TestDialogKeepsWhatWasTyped(t *testing.T) {
	in, b, c, found := atConsole(t)
	form := apptest.WebhookForm("https://example.com/hook")
	form.Set("location", "python-wranglers")
	form.Set("secret_1", "a secret that stays")
	b.CreateWebhook(form)
	c.open(in.Base + "/admin/webhooks")
	edit := func() {
		t.Helper()
		c.click("a[aria-label='Edit Everything']")
		c.until("document.querySelector('dialog[open] [data-preview] .big')")
	}
	edit()
	if at := eval[string](c, "location.pathname"); !strings.HasSuffix(at, "/edit") {
		t.Errorf("the dialog is at %s", at)
	}
	// Outside is no way out; Back is, and asks when something was typed.
	c.do(chromedp.MouseClickXY(5, 450))
	if !eval[bool](c, "document.querySelector('dialog').open") {
		t.Fatal("a click outside closed the dialog")
	}
	c.run("history.back()")
	c.until("!document.querySelector('dialog').open && location.pathname === '/admin/webhooks'")
	if got := eval[string](c, "document.activeElement.getAttribute('aria-label')"); got != "Edit Everything" {
		t.Errorf("the focus went to %q", got)
	}
	edit()
	// A cleared secret can be kept again.
	c.click("button[value=clear_1]")
	c.until("document.querySelector('button[value=undo_1]')?.checkVisibility() && document.activeElement.id === 'secret_1'")
	c.click("button[value=undo_1]")
	c.until("!document.querySelector('button[value=undo_1]') && document.getElementById('secret_1-help').textContent.includes('Leave this empty to keep it')")
	c.enter("#name", "Renamed")
	c.run("history.back()")
	c.until("document.querySelector('[data-unsaved]')")
	if !eval[bool](c, "document.querySelector('dialog').open && document.getElementById('name').value === 'Renamed'") {
		t.Fatal("Back lost what was typed")
	}
	// A refused form stays, with the focus on the fault.
	c.enter("#name", " ")
	c.click("dialog .form-foot button[value=save]")
	c.until("document.activeElement.matches('dialog [role=alert][data-focus]') && document.getElementById('name').getAttribute('aria-invalid')")
	c.click("dialog [role=alert] a[href='#name']")
	c.until("document.activeElement.id === 'name' && document.querySelector('dialog').open && !document.querySelector('[data-unsaved]')")
	c.enter("#name", "Renamed")
	// The preview follows, and pasted tags become chips.
	c.click("label[for=tag_mode-specific]")
	c.run(`(() => {
		const data = new DataTransfer();
		data.setData("text", "go, pandas\nGo");
		document.getElementById("tags").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
	})()`)
	c.until("document.querySelectorAll('.chips .s-tag').length === 2 && document.querySelector('[data-preview] .big')?.textContent === '2 of 3 events'")
	c.click("dialog .form-foot button[value=save]")
	c.until("location.pathname === '/admin/webhooks' && document.querySelector('.s-notice__success')")
	if got := c.words("td.o1 a"); got != "Renamed" {
		t.Errorf("the list has %q", got)
	}
	found.none(t)
}

func TestCommunitiesFollowTheLocation(t *testing.T) {
	in, _, c, found := atConsole(t)
	c.open(in.Base + "/admin/webhooks/new?type=generic")
	options := "[...document.getElementById('community').options].map((o) => o.text).join()"
	c.until(options + " === 'No community selected'")
	c.do(chromedp.SetValue("#location", "python-wranglers"))
	c.run("document.getElementById('location').dispatchEvent(new Event('change', { bubbles: true }))")
	c.until(options + " === 'No community selected,Data platform'")
	found.none(t)
}

// TestPreviewDropsWhatWasOvertaken holds the preview's requests back and lets
// them go one by one.
func TestPreviewDropsWhatWasOvertaken(t *testing.T) {
	in, _, c, found := atConsole(t)
	c.open(in.Base + "/admin/webhooks/new?type=generic")
	c.run("document.getElementById('location').value = 'python-wranglers', document.getElementById('location').dispatchEvent(new Event('change', { bubbles: true }))")
	matched := "document.querySelector('[data-preview] .big')?.textContent"
	c.until(matched + " === '0 of 3 events'")
	c.run(`(() => {
		const real = window.fetch;
		window.held = [];
		window.fetch = (to, how) => how?.headers?.["X-Fragment"] !== "webhook-preview" ? real(to, how) : new Promise((go) => held.push(() => go(real(to, how))));
	})()`)
	c.click("label[for=events-0-0]")
	c.until("held.length === 1")
	c.click("#tags")
	c.keys("go,")
	c.run("(window.later = performance.now() + 1000)")
	c.until("performance.now() > later") // longer than the form waits after a change
	if n := eval[int](c, "held.length"); n != 1 {
		t.Errorf("%d previews were asked for at once", n)
	}
	c.run("held[0]()")
	c.until("held.length === 2")
	if got := eval[string](c, matched); got != "0 of 3 events" {
		t.Errorf("an overtaken answer is shown: %s", got)
	}
	c.run("held[1]()")
	c.until(matched + " === '1 of 3 events'")
	found.none(t)
}

func TestDeleteAndSettingInTheBrowser(t *testing.T) {
	in, b, c, found := atConsole(t)
	b.CreateWebhook(apptest.WebhookForm("https://example.com/hook"))
	c.open(in.Base + "/admin/webhooks")
	c.click("a[aria-label='Delete Everything']")
	c.until("document.querySelector('h1').textContent.includes('Delete “Everything”?')")
	c.click("main form button")
	c.until("document.querySelector('.s-notice__success')?.textContent.includes('Deleted Everything.')")
	if got := c.words(".empty h2"); got != "No webhooks yet" {
		t.Errorf("the list says %q", got)
	}
	c.open(in.Base + "/developer/site-settings/edit?name=Webhooks.DispatchDelay")
	c.enter("input[name=value]", "7")
	c.do(chromedp.SendKeys("[name=reason]", "Editors fix typos within seconds"))
	c.click("main form button[type=submit]")
	c.until("document.querySelector('main')?.textContent.includes('Editors fix typos within seconds')")
	found.none(t)
}

func TestBrokenIsGreyAndHealsByResume(t *testing.T) {
	in, b, c, found := atConsole(t)
	var gone atomic.Bool
	gone.Store(true)
	arrived := make(chan struct{}, 16)
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if gone.Load() {
			w.WriteHeader(http.StatusGone)
			return
		}
		arrived <- struct{}{}
	}))
	t.Cleanup(r.Close)
	b.CreateWebhook(apptest.WebhookForm(r.URL))
	in.Accept(apptest.QuestionJSON("breaks-it", 50, ""))
	apptest.Eventually(t, "the webhook is grey", func() bool {
		c.open(in.Base + "/admin/webhooks")
		return eval[bool](c, "Boolean(document.querySelector('tr.is-grey'))")
	})
	if got := c.words("tr.why"); !strings.Contains(got, "410") {
		t.Errorf("the reason reads %q", got)
	}
	if got := c.words("tr.is-grey td.c-act"); got != "Edit Delete" {
		t.Errorf("a broken webhook offers %q", got)
	}
	in.Accept(apptest.QuestionJSON("is-held", 51, ""))
	c.click("tr.is-grey td.o1 a")
	c.until("document.getElementById('brk')")
	apptest.Eventually(t, "something is held", func() bool {
		c.do(chromedp.Reload())
		return strings.Contains(c.words("main"), "Resume and send")
	})
	gone.Store(false)
	c.click("button[name=held][value=send]")
	<-arrived
	apptest.Eventually(t, "healthy", func() bool {
		c.open(in.Base + "/admin/webhooks")
		return c.words("td.o2 .s-badge") == "Healthy" && !eval[bool](c, "Boolean(document.querySelector('tr.is-grey'))")
	})
	if got := eval[string](c, "document.querySelector('svg.spark').getAttribute('aria-label')"); !strings.Contains(got, "delivered") {
		t.Errorf("the chart says %q", got)
	}
	found.none(t)
}

// TestBulkInTheBrowser: the buttons count the chosen webhooks.
func TestBulkInTheBrowser(t *testing.T) {
	in, b, c, found := atConsole(t)
	for range 3 {
		b.CreateWebhook(apptest.WebhookForm("https://example.com/hook"))
	}
	c.open(in.Base + "/admin/webhooks")
	c.click("[data-bulk-all]")
	c.until("document.querySelector('[data-bulk-count]').textContent === '3 selected'")
	c.click("tbody input[name=id]")
	if got := c.words("button[name=do][value=delete]"); got != "Delete 2…" {
		t.Errorf("the button says %q", got)
	}
	c.click("button[name=do][value=delete]")
	c.until("document.querySelector('h1').textContent === 'Delete 2 webhooks?'")
	c.click("main form button")
	c.until("document.querySelector('.s-notice__success')?.textContent.includes('2 webhooks were deleted.')")
	found.none(t)
}

// TestPagesFitAndAreQuiet opens every page in light and dark, wide and narrow.
func TestPagesFitAndAreQuiet(t *testing.T) {
	in, b, c, found := atConsole(t)
	pages := consolePages(t, in, b)
	dark := map[string]string{}
	for _, theme := range []string{"light", "dark"} {
		c.theme(theme)
		for _, width := range []int64{1280, 360} {
			c.viewport(width, 800)
			for _, page := range pages {
				c.open(in.Base + page)
				c.fits(fmt.Sprintf("%s at %d, %s", page, width, theme))
				dark[theme] = eval[string](c, "getComputedStyle(document.body).backgroundColor")
			}
		}
	}
	if dark["light"] == dark["dark"] {
		t.Errorf("dark is %s and light is %s", dark["dark"], dark["light"])
	}
	// Every entry of the navigation can be reached on a narrow page.
	c.open(in.Base + "/admin/webhooks")
	c.click("summary[aria-label=Menu]")
	if n := eval[int](c, `[...document.querySelectorAll(".nav-menu a")].filter((a) => {
		const r = a.getBoundingClientRect();
		return r.width > 0 && r.left >= 0 && r.right <= innerWidth && r.bottom <= innerHeight;
	}).length`); n != 12 {
		t.Errorf("%d entries of the menu can be seen", n)
	}
	// The dialog, too.
	c.keys(kb.Escape)
	c.click("a[aria-label='Edit Everything']")
	c.until("document.querySelector('dialog[open] [data-preview] .big')")
	c.fits("the dialog at 360")
	if eval[bool](c, "(d => d.scrollWidth > d.clientWidth)(document.querySelector('dialog'))") {
		t.Error("the dialog scrolls sideways")
	}
	found.none(t)
}

// consolePages are all pages that there are, with something on them.
func consolePages(t *testing.T, in *apptest.Instance, b *apptest.Browser) []string {
	t.Helper()
	r := apptest.NewReceiver(t)
	form := apptest.WebhookForm(r.URL)
	form.Set("secret_1", "a secret of sixteen or more")
	b.CreateWebhook(form)
	in.Accept(apptest.QuestionJSON("seen", 60, ""))
	form.Set("name", "Never notified")
	form.Set("tag_mode", "specific")
	form.Set("tags", "python")
	form["events"] = []string{"user.created"}
	form.Del("secret_1")
	b.CreateType("stackauth", form) // which is saved with a warning
	warned := regexp.MustCompile(`href="([^"]+)">Edit the webhook`).FindStringSubmatch(b.Get("/admin/webhooks").Body)
	if warned == nil {
		t.Fatal("the page after saving does not lead to the field that is warned of")
	}
	var delivery string
	apptest.Eventually(t, "a delivery", func() bool {
		_, rest, found := strings.Cut(b.Get("/admin/deliveries").Body, `href="/admin/deliveries/msg_`)
		delivery, _, _ = strings.Cut("/admin/deliveries/msg_"+rest, `"`)
		return found
	})
	return append(sourcePages(t, in, b),
		"/admin", "/admin/search?q=e", "/admin/search?q=nothing", "/admin/webhooks", "/admin/webhooks?q=nothing", "/admin/webhooks/new?type=generic", "/admin/webhooks/new?type=slack",
		"/admin/webhooks/1", "/admin/webhooks/1/edit", "/admin/webhooks/1/delete", "/admin/webhooks/1/reveal", "/admin/webhooks/bulk?do=pause&id=1",
		"/admin/deliveries", delivery, "/admin/trigger-history", "/admin/trigger-history?id=seen",
		"/developer/site-settings", "/developer/site-settings/edit?name=Webhooks.DispatchDelay", "/account/password",
		"/admin/webhooks/bulk?do=delete&id=1", "/admin/deliveries?state=failed", "/admin/deliveries/resend?webhook=1",
		"/admin/locations", "/admin/locations?q=nothing", "/admin/locations/python-wranglers", "/admin/locations/python-wranglers/remove",
		"/admin/locations/python-wranglers?tag=python", "/admin/locations/python-wranglers?community=data-platform",
		"/admin/empty-locations", "/admin/locations/main", "/admin/members", "/admin/members/1", "/admin/members/1/remove",
		"/admin/tokens", "/admin/audit", "/admin/system", warned[1],
		"/developer/api", "/developer/api?q=pause&lang=go", "/developer/api?q=nothing+like+this",
	)
}
