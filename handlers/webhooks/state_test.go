package webhooks_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func TestDelete(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(nil)
	c.AddDelivery(w)
	path := webhooks.WebhookPath(w.ID) + "/delete"
	a := c.Get(path).Want(http.StatusOK)
	if !strings.Contains(a.Text("main"), "1 waiting notification will be dropped") || a.Text("main form button") != "OK" {
		t.Errorf("the page says %q", a.Text("main"))
	}
	c.Get("/admin/webhooks/1").Want(http.StatusOK)
	a = c.Post(path, nil).GoesTo("/admin/webhooks")
	if text := c.Flash(a); text != "Deleted Python Accepted Answers. 1 waiting notification was dropped." {
		t.Errorf("it says %q", text)
	}
	c.Get(path).Want(http.StatusNotFound)
	c.Post(path, nil).Want(http.StatusNotFound)
	gone := c.Get(webhooks.WebhookPath(w.ID)).Want(http.StatusOK)
	if !strings.Contains(gone.Text("main"), "This webhook was deleted") || gone.Find("main form").Length() > 0 {
		t.Errorf("the page says %q", gone.Text("main"))
	}
}

func TestPauseAndResume(t *testing.T) {
	for held, want := range map[string]string{
		"send": "2 held notifications are being sent.", "drop": "2 held notifications were dropped.",
	} {
		t.Run(held, func(t *testing.T) {
			c := webtest.NewConsole(t)
			w := c.AddWebhook(nil)
			path := webhooks.WebhookPath(w.ID)
			changed := c.Change
			c.Post(path+"/pause", nil).GoesTo(path)
			c.AddDelivery(w)
			c.AddDelivery(w)
			a := c.Get(path).Want(http.StatusOK)
			if got := a.Text("main .s-notice button"); got != "Resume and send 2 held Resume and drop 2 held" || a.Text("h1 .s-badge") != "Paused" {
				t.Errorf("the buttons say %q", got)
			}
			c.Post(path+"/resume", nil).Want(http.StatusUnprocessableEntity)
			a = c.Post(path+"/resume", url.Values{"held": {held}}).GoesTo(path)
			if text := c.Flash(a); !strings.HasPrefix(text, "Resumed Python Accepted Answers. "+want) {
				t.Errorf("it says %q", text)
			}
			if c.Only().State != models.WebhookActive || c.Change != changed+2 {
				t.Errorf("%s, jobs woken %d times", c.Only().State, c.Change-changed)
			}
		})
	}
}

// TestResumeWhileSwitchedOff: nothing is said to be sent while the webhook is paused
// or its type is switched off.
func TestResumeWhileSwitchedOff(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(nil)
	path := webhooks.WebhookPath(w.ID)
	c.AddDelivery(w)
	c.Post(path+"/pause", nil).GoesTo(path)
	c.SetFeature("False")
	off := c.Get("/admin/webhooks").Text("#off-why")
	webtest.Says(t, "the list", off, "New notifications are held and sent when you turn them on.", "Change Webhooks.EnableGenericWebhooks")
	if strings.Contains(off, "1 notification") {
		t.Errorf("the list says %q", off)
	}
	page := c.Get(path)
	webtest.Says(t, "the paused webhook", page.Text("main"), "1 held, also paused by Mary Wilkins",
		"1 notification is held until the webhook is resumed and Webhooks.EnableGenericWebhooks is on.", "Resume and keep 1 held", "Resume and drop 1 held")
	a := c.Post(path+"/resume", url.Values{"held": {"send"}}).GoesTo(path)
	if text := c.Flash(a); !strings.HasPrefix(text, "Resumed Python Accepted Answers. 1 notification stays held until Webhooks.EnableGenericWebhooks is on.") {
		t.Errorf("it says %q", text)
	}
	webtest.Says(t, "the audit log", c.Get("/admin/audit").Text("main"), "1 held until Webhooks.EnableGenericWebhooks is on")
	webtest.Says(t, "the list afterwards", c.Get("/admin/webhooks").Text("#off-why"), "1 notification is held and goes out when you turn them on.")
	c.LogIn(c.AddViewer())
	webtest.Says(t, "a viewer's list", c.Get("/admin/webhooks").Text("#off-why"), "goes out when they are turned on.", "See Webhooks.EnableGenericWebhooks")
	webtest.Says(t, "a viewer's webhook", c.Get(path).Text("main"), "See Webhooks.EnableGenericWebhooks")
}

// TestResumeThatFails: what was held from before the resume is not said to be held
// since the webhook broke again, and the audit log does not say that it was sent.
func TestResumeThatFails(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(nil)
	path := webhooks.WebhookPath(w.ID)
	c.AddDelivery(w)
	webtest.OK(t, c.Store.Webhooks.Break(t.Context(), w.ID, "The receiver answered 410 Gone."))
	c.Post(path+"/resume", url.Values{"held": {"send"}}).GoesTo(path)
	webtest.OK(t, c.Store.Webhooks.Break(t.Context(), w.ID, "The receiver answered 410 Gone."))
	text := c.Get(path).Want(http.StatusOK).Text("section[aria-labelledby=brk]")
	webtest.Says(t, "the page", text, "Sitehooks stopped sending on", "Nothing has succeeded yet. 1 notification is held.")
	if strings.Contains(text, "Since then") {
		t.Errorf("the page says %q", text)
	}
	log := c.Get("/admin/audit").Want(http.StatusOK).Text("main")
	webtest.Says(t, "the audit log", log, "1 held to be sent")
	if strings.Contains(log, "held sent") {
		t.Errorf("the audit log says %q", log)
	}
}

func TestWebhookPage(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(func(in *models.WebhookInput) {
		in.TagMode, in.Tags, in.Community = models.TagsSpecific, []string{"go", "python"}, "data"
		in.Secrets[1].Set = "a-secret-nobody-may-see"
		in.Headers = []models.Header{{Name: "X-Key", Value: "header-value"}}
	})
	c.AddDelivery(w)
	webtest.OK(t, c.Store.Webhooks.Break(t.Context(), w.ID, "The receiver answered 410 Gone."))
	a := c.Get(webhooks.WebhookPath(w.ID)).Want(http.StatusOK)
	words := a.Text("main")
	for _, want := range []string{
		"Broken", "The receiver answered 410 Gone.", "1 notification is held", "Resume and send 1 held", "Accepted answers", "Tags, any of go python", "Community Data",
		"http://127.0.0.1:9/hook", "Signing secret 1 not set", "Signing secret 2 set", "X-Key", "Last delivery never", "Created", "Mary Wilkins",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("the page does not say %q: %s", want, words)
		}
	}
	if a.Find("a[href='/admin/deliveries?webhook=1']").Length() != 1 || a.Find("section[aria-labelledby=sh] tbody tr").Length() != 2 {
		t.Errorf("the page has %d versions", a.Find("section[aria-labelledby=sh] tbody tr").Length())
	}
}

// TestBulkResumeWhileSwitchedOff: the question about several webhooks, and the page
// that rotates a secret, promise to send only what can be sent.
func TestBulkResumeWhileSwitchedOff(t *testing.T) {
	c := webtest.NewConsole(t)
	generic := c.AddWebhook(nil)
	slack := c.AddWebhook(func(in *models.WebhookInput) { in.Type, in.URL = "slack", "https://hooks.slack.com/services/T0/B0/x" })
	single := c.AddWebhook(func(in *models.WebhookInput) {
		in.Type, in.Events, in.Secrets[0].Set = "userecho", []string{"topic.created"}, "the old key"
	})
	for _, w := range []models.Webhook{generic, generic, slack, single} {
		c.AddDelivery(w)
	}
	for _, w := range []models.Webhook{generic, slack, single} {
		webtest.OK(t, c.Store.Webhooks.Pause(t.Context(), c.Admin.Actor(), w.ID))
	}
	c.SetFeature("False")
	ask := func(hooks ...models.Webhook) *webtest.Answer {
		t.Helper()
		return c.Get("/admin/webhooks/bulk?" + chosen("resume", hooks...).Encode()).Want(http.StatusOK)
	}
	webtest.Says(t, "the rotation", c.Get(webhooks.WebhookPath(single.ID)+"/rotate").Want(http.StatusOK).Text("main"),
		"1 notification is held until the webhook is resumed and Webhooks.EnableGenericWebhooks is on.", "Resume and keep 1 held")
	webtest.Says(t, "one that is on", ask(slack).Text("main"), "If you send them, they go out slowly", "Resume 1 and send 1 held")
	webtest.Says(t, "one that is off", ask(generic).Text("main"), "2 notifications are held.",
		"They stay held until Webhooks.EnableGenericWebhooks is on, unless you drop them.", "Resume 1 and keep 2 held", "Resume 1 and drop 2 held")
	page := ask(generic, slack)
	webtest.Says(t, "both", page.Text("main"), "3 notifications are held.",
		"If you send them, 1 goes out slowly, oldest first, and 2 stay held until Webhooks.EnableGenericWebhooks is on.", "Resume 2 and send 1 held")
	form := page.Form()
	form.Set("held", "send")
	want := "2 webhooks were resumed. 1 held notification is being sent. 2 notifications stay held until Webhooks.EnableGenericWebhooks is on."
	if text := c.Flash(c.Post("/admin/webhooks/bulk", form).GoesTo("/admin/webhooks")); !strings.HasPrefix(text, want) {
		t.Errorf("it says %q", text)
	}
}
