package app_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// gate is a receiver that answers a request once it is let through.
type gate struct {
	*httptest.Server
	let    chan struct{} // one for each request
	bodies chan string   // of all requests, as they come
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{let: make(chan struct{}, 100), bodies: make(chan string, 100)}
	g.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		g.bodies <- string(body)
		select {
		case <-g.let:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(g.Close)
	return g
}

// through lets so many requests through.
func (g *gate) through(n int) {
	for range n {
		g.let <- struct{}{}
	}
}

// TestProgressInTheBrowser releases what a paused webhook holds, and resends all
// that match a filter: both pages count along and tell the end without being
// loaded by hand.
func TestProgressInTheBrowser(t *testing.T) {
	in, b, c, found := atConsole(t)
	g := newGate(t)
	b.CreateType("stackauth", apptest.TypeForm("stackauth", g.URL)) // one event, one delivery
	b.Post("/admin/webhooks/1/pause", nil)
	for n := range 6 {
		in.Accept(apptest.QuestionJSON("held-"+string(rune('a'+n)), 80+n, ""))
	}
	apptest.Eventually(t, "all are held", func() bool {
		return strings.Contains(b.Get("/admin/webhooks/1").Body, "Resume and send 6 held")
	})
	c.open(in.Base + "/admin/webhooks/1")
	c.click("button[name=held][value=send]")
	c.landed("document.querySelector('.s-notice__success')?.textContent.includes('6 held notifications are being sent.')")
	const released = "document.querySelector('[aria-label=\"Held notifications\"] [role=status]')?.textContent"
	c.until(released + "?.includes('0 of 6 held notifications sent')")
	g.through(2)
	c.until(released + "?.includes('2 of 6 held notifications sent') && document.querySelector('progress').value === 2")
	g.through(4)
	c.until(released + "?.includes('No held notification is left.')")

	c.open(in.Base + "/admin/deliveries?state=delivered")
	c.landed("document.querySelectorAll('tr[data-id]').length === 6")
	c.click("a[href^='/admin/deliveries/resend']")
	c.landed("document.querySelector('h1').textContent === 'Resend 6 deliveries?'")
	c.click("main form[method=post] button")
	const panel = "document.querySelector('[aria-label=Progress]')?.textContent"
	c.until(panel + "?.includes('0 of 6 deliveries done') && " + panel + ".includes('About 1 s left.')")
	g.through(2)
	c.until(panel + "?.includes('2 of 6 deliveries done') && document.querySelector('progress').value === 2")
	g.through(4)
	c.until(panel + "?.includes('6 of 6 deliveries done') && " + panel + ".includes('Every delivery has been attempted.')")
	found.none(t)
}

// TestASampleOfAChosenEventInTheBrowser chooses an activity on the webhook's page
// and in the form, and sends a test of it.
func TestASampleOfAChosenEventInTheBrowser(t *testing.T) {
	in, b, c, found := atConsole(t)
	g := newGate(t)
	g.through(3)
	b.CreateType("stackauth", apptest.TypeForm("stackauth", g.URL))
	arrived := func(kind string) {
		t.Helper()
		if body := <-g.bodies; !strings.Contains(body, `"type":"`+kind+`"`) {
			t.Errorf("instead of a test of %s arrived %s", kind, body)
		}
	}
	choose := func(selector, kind string) {
		t.Helper()
		c.run("document.querySelector('" + selector + "').value = '" + kind + "'")
		c.run("document.querySelector('" + selector + "').dispatchEvent(new Event('change', { bubbles: true }))")
	}
	const result = "document.querySelector('.test-result')?.textContent.includes('Test arrived')"
	c.open(in.Base + "/admin/webhooks/1")
	c.click("form[action='/admin/webhooks/1/test'] button")
	c.landed(result)
	arrived("stack.test")
	c.run("document.querySelector('.test-result').remove()") // the next one is a new one
	choose("main #sample", "question.edited")
	c.click("form[action='/admin/webhooks/1/test'] button")
	c.landed(result)
	arrived("question.edited")

	c.open(in.Base + "/admin/webhooks/1")
	c.click("a[href='/admin/webhooks/1/edit']")
	c.until("document.querySelector('dialog[open] #sample')")
	choose("dialog #sample", "answer.accepted")
	c.click("dialog button[value=test]")
	c.until("document.querySelector('dialog[open] [data-test-result]')?.textContent.includes('Test arrived')")
	arrived("answer.accepted")
	if chosen := eval[string](c, "document.querySelector('dialog #sample').value"); chosen != "answer.accepted" {
		t.Errorf("after the test %q is chosen", chosen)
	}
	found.none(t)
}
