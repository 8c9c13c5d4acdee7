package webhooks_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// chosen are the form values of the list for some webhooks and a button.
func chosen(do string, hooks ...models.Webhook) url.Values {
	form := url.Values{"do": {do}}
	for _, w := range hooks {
		form.Add("id", strconv.FormatInt(w.ID, 10))
	}
	return form
}

func TestBulk(t *testing.T) {
	c := webtest.NewConsole(t)
	a, b := c.AddWebhook(func(in *models.WebhookInput) { in.Name = "Alpha" }), c.AddWebhook(func(in *models.WebhookInput) { in.Name = "Beta" })
	broken := c.AddWebhook(func(in *models.WebhookInput) { in.Name = "Gone" })
	webtest.OK(t, c.Store.Webhooks.Break(t.Context(), broken.ID, "The receiver answered 410 Gone."))
	for range 3 {
		c.AddDelivery(b)
	}
	const path = "/admin/webhooks/bulk"
	state := func(w models.Webhook) string {
		w, err := c.Store.Webhooks.GetAny(t.Context(), models.AllLocations(), w.ID)
		webtest.OK(t, err)
		return w.State
	}

	ask := c.Get(path + "?" + chosen("pause", a, b, broken).Encode()).Want(http.StatusOK)
	if ask.Text("h1") != "Pause 2 webhooks?" || !strings.Contains(ask.Text("main"), "1 selected webhook stays as it is because it is not active already") ||
		ask.Text("main button") != "Pause 2" || state(a) != models.WebhookActive {
		t.Errorf("it asks %q", ask.Text("main"))
	}
	if text := c.Flash(c.Post(path, ask.Form()).GoesTo(web.WebhooksPath)); text != "2 webhooks were paused." {
		t.Errorf("it says %q", text)
	}
	if state(a) != models.WebhookStopped || state(b) != models.WebhookStopped || state(broken) != models.WebhookBroken {
		t.Errorf("states %s %s %s", state(a), state(b), state(broken))
	}

	ask = c.Get(path + "?" + chosen("resume", a, b, broken).Encode()).Want(http.StatusOK)
	if !strings.Contains(ask.Text("main"), "3 notifications are held") || ask.Text("main button") != "Resume 3 and send 3 held Resume 3 and drop 3 held" {
		t.Errorf("it asks %q", ask.Text("main"))
	}
	c.Post(path, ask.Form()).Want(http.StatusUnprocessableEntity)
	form := ask.Form()
	form.Set("held", "send")
	if text := c.Flash(c.Post(path, form).GoesTo(web.WebhooksPath)); text != "3 webhooks were resumed. 3 held notifications are being sent." {
		t.Errorf("it says %q", text)
	}

	ask = c.Get(path + "?" + chosen("delete", a, b).Encode()).Want(http.StatusOK)
	if !strings.Contains(ask.Text("main"), "3 waiting notifications will be dropped") {
		t.Errorf("it asks %q", ask.Text("main"))
	}
	if text := c.Flash(c.Post(path, ask.Form()).GoesTo(web.WebhooksPath)); text != "2 webhooks were deleted. 3 waiting notifications were dropped." {
		t.Errorf("it says %q", text)
	}
	if again := c.Get(path + "?" + chosen("delete", a).Encode()); !strings.Contains(again.Text("main"), "Nothing to do") {
		t.Errorf("it asks %q", again.Text("main"))
	}
}

func TestBulkRefusals(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(nil)
	many := chosen("pause")
	for i := range 201 {
		many.Add("id", strconv.Itoa(i))
	}
	for _, form := range []url.Values{chosen("pause"), chosen("explode", w), {"id": {"1"}}, many} {
		c.Get("/admin/webhooks/bulk?" + form.Encode()).Want(http.StatusUnprocessableEntity)
		c.Post("/admin/webhooks/bulk", form).Want(http.StatusUnprocessableEntity)
	}
	c.LogIn(c.AddViewer())
	c.Post("/admin/webhooks/bulk", chosen("delete", w)).Want(http.StatusForbidden)
	if a := c.Get(web.WebhooksPath); a.Find("main table input[type=checkbox]").Length() != 0 {
		t.Error("a viewer may choose webhooks")
	}
}

func TestKnown(t *testing.T) {
	c := webtest.NewConsole(t)
	c.AddEvent(1, "answer.accepted", "data-platform", "python", "pytest", "go")
	a := c.Get("/admin/webhooks/location?location=python-wranglers&prefix=PY").Want(http.StatusOK)
	if want := `{"communities":[{"value":"data-platform","label":"Data platform"}],"tags":["pytest","python"]}`; a.Body != want {
		t.Errorf("known %s", a.Body)
	}
	if a = c.Get("/admin/webhooks/location?location=moon"); a.Body != `{"communities":[],"tags":[]}` {
		t.Errorf("known %s", a.Body)
	}
}
