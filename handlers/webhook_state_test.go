package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

func TestDelete(t *testing.T) {
	c := newConsole(t)
	w := c.addWebhook(nil)
	c.addDelivery(w)
	path := webhookPath(w.ID) + "/delete"
	a := c.get(path).want(http.StatusOK)
	if !strings.Contains(a.text("main"), "1 notification that waits to be sent is dropped") || a.text("main form button") != "OK" {
		t.Errorf("the page says %q", a.text("main"))
	}
	c.get("/admin/webhooks/1").want(http.StatusOK)
	a = c.post(path, nil).goesTo("/admin/webhooks")
	if text := c.flash(a); text != "Deleted Python Accepted Answers. 1 waiting notification was dropped." {
		t.Errorf("it says %q", text)
	}
	c.get(path).want(http.StatusNotFound)
	c.post(path, nil).want(http.StatusNotFound)
	gone := c.get(webhookPath(w.ID)).want(http.StatusOK)
	if !strings.Contains(gone.text("main"), "This webhook was deleted") || gone.Find("main form").Length() > 0 {
		t.Errorf("the page says %q", gone.text("main"))
	}
}

func TestPauseAndResume(t *testing.T) {
	for held, want := range map[string]string{
		"send": "2 held notifications are on their way.", "drop": "2 held notifications were dropped.",
	} {
		t.Run(held, func(t *testing.T) {
			c := newConsole(t)
			w := c.addWebhook(nil)
			path := webhookPath(w.ID)
			changed := c.change
			c.post(path+"/pause", nil).goesTo(path)
			c.addDelivery(w)
			c.addDelivery(w)
			a := c.get(path).want(http.StatusOK)
			if got := a.text("main .s-notice button"); got != "Resume and send 2 heldResume and drop 2 held" || a.text("h1 .s-badge") != "Paused" {
				t.Errorf("the buttons say %q", got)
			}
			c.post(path+"/resume", nil).want(http.StatusUnprocessableEntity)
			a = c.post(path+"/resume", url.Values{"held": {held}}).goesTo(path)
			if text := c.flash(a); !strings.HasPrefix(text, "Resumed Python Accepted Answers. "+want) {
				t.Errorf("it says %q", text)
			}
			if c.only().State != models.WebhookActive || c.change != changed+2 {
				t.Errorf("%s, jobs woken %d times", c.only().State, c.change-changed)
			}
		})
	}
}

func TestWebhookPage(t *testing.T) {
	c := newConsole(t)
	w := c.addWebhook(func(in *models.WebhookInput) {
		in.TagMode, in.Tags, in.Community = models.TagsSpecific, []string{"go", "python"}, "data"
		in.Secrets[1].Set = "a-secret-nobody-may-see"
		in.Headers = []models.Header{{Name: "X-Key", Value: "header-value"}}
	})
	c.addDelivery(w)
	ok(t, c.store.Webhooks.Break(t.Context(), w.ID, "It answered 410 Gone."))
	a := c.get(webhookPath(w.ID)).want(http.StatusOK)
	words := a.text("main")
	for _, want := range []string{
		"Broken", "It answered 410 Gone.", "1 notification is held", "Resume and send 1 held", "Accepted answers", "Tags, any ofgo python", "CommunityData",
		"http://127.0.0.1:9/hook", "Signing secret 1not set", "Signing secret 2set", "X-Key", "Last deliverynever", "Created", "Mary Wilkins",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("the page does not say %q: %s", want, words)
		}
	}
	if a.Find("a[href='/admin/deliveries?webhook=1']").Length() != 1 || a.Find("section[aria-labelledby=sh] tbody tr").Length() != 2 {
		t.Errorf("the page has %d versions", a.Find("section[aria-labelledby=sh] tbody tr").Length())
	}
}
