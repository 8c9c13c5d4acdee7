package app_test

import (
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// TestRevealInTheBrowser shows a saved secret, copies it, and finds nothing of
// it afterwards.
func TestRevealInTheBrowser(t *testing.T) {
	const secret = "a secret of this webhook alone"
	in, b, c, found := atConsole(t)
	form := apptest.WebhookForm("https://example.com/hook")
	form.Set("secret_1", secret)
	b.CreateWebhook(form)

	// The form has Reveal where there is nothing to copy, in a tab of its own,
	// so that the input stays.
	c.open(in.Base + "/admin/webhooks")
	c.click("a[aria-label='Edit Everything']")
	c.until("document.querySelector('dialog[open] [data-preview] .big')")
	acts := "[...document.querySelectorAll('.secret:has(#secret_1) .acts > *')].filter((e) => e.checkVisibility()).map((e) => e.textContent.trim()).join()"
	if got := eval[string](c, acts); got != "Reveal,Clear,Generate" {
		t.Errorf("beside the saved secret stand %s", got)
	}
	if got := eval[string](c, "(a => a.pathname + a.search + a.target)(document.querySelector('.secret .acts a'))"); got != "/admin/webhooks/1/reveal?secret=1_blank" {
		t.Errorf("Reveal leads to %s", got)
	}

	c.open(in.Base + "/admin/webhooks/1")
	c.click("a[aria-label='Reveal Signing secret 1']")
	c.until("location.pathname === '/admin/webhooks/1/reveal' && document.activeElement.id === 'password'")
	c.keys("wrong password\r")
	c.until("document.querySelector('#password-err')?.textContent === 'This is not your password.'")
	c.click("#password")
	c.keys(apptest.AdminPassword + "\r")
	c.until("document.getElementById('revealed')")
	if got := c.words("#revealed"); got != secret {
		t.Errorf("it shows %q", got)
	}
	c.run("(navigator.clipboard.writeText = async (text) => { window.copied = text; })")
	c.click("[data-copy=revealed]")
	c.until("document.querySelector('[data-copy=revealed]').textContent === 'Copied'")
	if copied := eval[string](c, "window.copied"); copied != secret {
		t.Errorf("it copied %q", copied)
	}
	for _, page := range []string{"/admin/webhooks/1/reveal?secret=1", "/admin/webhooks/1", "/admin/webhooks/1/edit", "/admin/audit"} {
		c.open(in.Base + page)
		if strings.Contains(eval[string](c, "document.documentElement.outerHTML"), secret) {
			t.Errorf("%s still shows it", page)
		}
	}
	// The browser says in its log that the wrong password was answered by 422.
	found.mu.Lock()
	defer found.mu.Unlock()
	for _, line := range found.list {
		if !strings.Contains(line, "422") {
			t.Error(line)
		}
	}
}
