package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/sitehooks/sitehooks/app/apptest"
)

const leadProgram = `.leads[] | {type: "lead.scored", id: .number, data: {name}}`

// addProgram adds a source with a program, and returns where its sender posts to.
func addProgram(t *testing.T, b *apptest.Browser, base, name string) string {
	t.Helper()
	a := b.Post("/admin/sources/new?kind=custom", url.Values{"name": {name}, "location": {"main"}, "program": {leadProgram}, "expect_hours": {"24"}, "do": {"save"}})
	if a.Code != http.StatusSeeOther {
		t.Fatalf("add a source: %d %s", a.Code, a.Body)
	}
	found := regexp.MustCompile(`id="fresh-address">http://[^/]+(/in/[^<]+)<`).FindStringSubmatch(b.Get("/admin/sources/" + name).Body)
	if found == nil {
		t.Fatal("its page does not show the address")
	}
	return base + found[1]
}

// sends posts a body to the address of a source.
func sends(t *testing.T, address, body string) apptest.Answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	ok(t, err)
	a, err := apptest.Do(t, http.DefaultClient, req)
	ok(t, err)
	return a
}

// sourcePages are the pages of sources, with something on them.
func sourcePages(t *testing.T, in *apptest.Instance, b *apptest.Browser) []string {
	t.Helper()
	address := addProgram(t, b, in.Base, "crm")
	if a := sends(t, address, `{"leads":[{"number":"a","name":"Ada"}]}`); a.Code != http.StatusAccepted {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	if a := sends(t, address, `{"leads":[{"number":1}]}`); a.Code != http.StatusUnprocessableEntity {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	return []string{
		"/admin/sources", "/admin/sources/new", "/admin/sources/new?kind=custom", "/admin/sources/new?kind=discourse", "/admin/sources/crm", "/admin/sources/crm/edit",
		"/admin/sources/crm/requests/1", "/admin/sources/crm/requests/2", "/admin/sources/crm/delete", "/admin/sources/crm/reveal", "/developer/sources/discourse",
	}
}

// TestASourceInTheBrowser adds one, sends to it, and changes its program: the
// preview follows what is typed, and Read again makes events of what was refused.
func TestASourceInTheBrowser(t *testing.T) {
	in, b, c, _ := atConsole(t)
	c.open(in.Base + "/admin/sources")
	c.click(`a[href="/admin/sources/new"]`)
	c.until("location.pathname === '/admin/sources/new'")
	c.click(`a[href="/admin/sources/new?kind=custom"]`)
	c.until("document.getElementById('program')")
	c.enter("#name", "crm")
	c.enter("#program", ".leads[")
	c.click("main .form-foot button[value=save]")
	c.until("document.querySelector('#program-err')")
	if name := eval[string](c, "document.getElementById('name').value"); name != "crm" {
		t.Errorf("the name that was typed is %q", name)
	}
	c.enter("#program", `.leads[] | {type: "lead", id: .number}`)
	c.click("main .form-foot button[value=save]")
	c.until("document.querySelector('#fresh-address')")
	address := c.words("#fresh-address")
	_, path, _ := strings.Cut(strings.TrimPrefix(address, "http://"), "/")
	if a := sends(t, in.Base+"/"+path, `{"leads":[{"number":"a","name":"Ada"},{"number":"b","name":"Bob"}]}`); a.Code != http.StatusUnprocessableEntity || !strings.Contains(a.Body, "must have two parts") {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	c.open(in.Base + "/admin/sources/crm/edit")
	c.until("document.querySelector('[data-preview]').textContent.includes('must have two parts')")
	c.enter("#program", leadProgram)
	c.until("document.querySelector('[data-preview]').textContent.includes('2 events')")
	c.click("main .form-foot button[value=save]")
	c.until("location.pathname === '/admin/sources/crm'")
	c.click("tbody a")
	c.until("location.pathname.includes('/requests/')")
	c.click("form[action$='/again'] button")
	c.until("document.querySelector('.s-notice__success')?.textContent.includes('2 events')")
	if a := b.Event("crm:a"); a.Code != http.StatusOK {
		t.Errorf("the event: %d", a.Code)
	}
}

// TestASourceWithoutScripts goes over the six pages of sources in a browser that
// runs no script: a source is added, its program mended with the preview, a request
// read again, and the source deleted.
func TestASourceWithoutScripts(t *testing.T) {
	in, b, c, _ := atConsole(t)
	_, err := chromedp.Call(c.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	ok(t, err)
	button := func(do string) string { return "main .form-foot button[value=" + do + "]" }
	says := func(selector, text string) {
		t.Helper()
		c.until(fmt.Sprintf("document.querySelector(%q)?.textContent.includes(%q)", selector, text))
	}
	c.open(in.Base + "/admin/sources")
	c.click(`a[href="/admin/sources/new"]`)
	c.until("location.pathname === '/admin/sources/new'")
	c.click(`a[href="/admin/sources/new?kind=custom"]`)
	c.until("document.getElementById('program')")
	c.enter("#name", "CRM")
	c.enter("#program", `.leads[] | {type: "lead", id: .number}`)
	c.click(button("save"))
	says("#name-err", "a–z, 0–9 and -")
	if eval[string](c, "document.getElementById('program').value") != `.leads[] | {type: "lead", id: .number}` {
		t.Error("the program that was typed is gone")
	}
	c.enter("#name", "crm")
	c.click(button("save"))
	c.until("document.querySelector('#fresh-address')")
	if !eval[bool](c, "document.querySelector('[data-copy]').hidden") {
		t.Fatal("a script ran")
	}
	_, path, _ := strings.Cut(strings.TrimPrefix(c.words("#fresh-address"), "http://"), "/")
	if a := sends(t, in.Base+"/"+path, `{"leads":[{"number":"a","name":"Ada"},{"number":"b","name":"Bob"}]}`); a.Code != http.StatusUnprocessableEntity {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	c.open(in.Base + "/admin/sources/crm")
	says("tbody", "must have two parts")
	c.click(`.s-page-title--actions a[href$="/edit"]`)
	c.until("document.getElementById('program')")
	c.enter("#program", leadProgram)
	c.click(button("preview"))
	says("[data-preview]", "2 events")
	c.click(button("save"))
	c.until("location.pathname === '/admin/sources/crm'")
	c.click("tbody a")
	c.until("location.pathname.includes('/requests/')")
	c.click("form[action$='/again'] button")
	says(".s-notice__success", "2 events")
	if a := b.Event("crm:a"); a.Code != http.StatusOK {
		t.Errorf("the event: %d", a.Code)
	}
	c.open(in.Base + "/admin/sources")
	c.click(`a[aria-label="Delete crm…"]`)
	c.until("location.pathname === '/admin/sources/crm/delete'")
	c.click("main form button.s-btn__danger")
	says(".s-notice__success", "Deleted crm.")
	if a := b.Get("/admin/sources/crm"); a.Code != http.StatusNotFound {
		t.Errorf("the source is still there: %d", a.Code)
	}
}
