package handlers

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

// chosen is what the list sends for some webhooks and a button.
func chosen(do string, hooks ...models.Webhook) url.Values {
	form := url.Values{"do": {do}}
	for _, w := range hooks {
		form.Add("id", strconv.FormatInt(w.ID, 10))
	}
	return form
}

func TestBulk(t *testing.T) {
	c := newConsole(t)
	a, b := c.addWebhook(func(in *models.WebhookInput) { in.Name = "Alpha" }), c.addWebhook(func(in *models.WebhookInput) { in.Name = "Beta" })
	broken := c.addWebhook(func(in *models.WebhookInput) { in.Name = "Gone" })
	ok(t, c.store.Webhooks.Break(t.Context(), broken.ID, "It answered 410 Gone."))
	for range 3 {
		c.addDelivery(b)
	}
	const path = "/admin/webhooks/bulk"
	state := func(w models.Webhook) string {
		w, err := c.store.Webhooks.GetAny(t.Context(), w.ID)
		ok(t, err)
		return w.State
	}

	ask := c.get(path + "?" + chosen("pause", a, b, broken).Encode()).want(http.StatusOK)
	if ask.text("h1") != "Pause 2 webhooks?" || !strings.Contains(ask.text("main"), "1 chosen webhook stays as it is, because it is not active already") ||
		ask.text("main button") != "Pause 2" || state(a) != models.WebhookActive {
		t.Errorf("it asks %q", ask.text("main"))
	}
	if text := c.flash(c.post(path, ask.form()).goesTo(webhooksPath)); text != "2 webhooks were paused." {
		t.Errorf("it says %q", text)
	}
	if state(a) != models.WebhookStopped || state(b) != models.WebhookStopped || state(broken) != models.WebhookBroken {
		t.Errorf("states %s %s %s", state(a), state(b), state(broken))
	}

	ask = c.get(path + "?" + chosen("resume", a, b, broken).Encode()).want(http.StatusOK)
	if !strings.Contains(ask.text("main"), "3 notifications are held") || ask.text("main button") != "Resume 3 and send 3 heldResume 3 and drop 3 held" {
		t.Errorf("it asks %q", ask.text("main"))
	}
	c.post(path, ask.form()).want(http.StatusUnprocessableEntity)
	form := ask.form()
	form.Set("held", "send")
	if text := c.flash(c.post(path, form).goesTo(webhooksPath)); text != "3 webhooks were resumed. 3 held notifications are on their way." {
		t.Errorf("it says %q", text)
	}

	ask = c.get(path + "?" + chosen("delete", a, b).Encode()).want(http.StatusOK)
	if !strings.Contains(ask.text("main"), "3 notifications that wait to be sent are dropped") {
		t.Errorf("it asks %q", ask.text("main"))
	}
	if text := c.flash(c.post(path, ask.form()).goesTo(webhooksPath)); text != "2 webhooks were deleted. 3 waiting notifications were dropped." {
		t.Errorf("it says %q", text)
	}
	if again := c.get(path + "?" + chosen("delete", a).Encode()); !strings.Contains(again.text("main"), "Nothing is left to do") {
		t.Errorf("it asks %q", again.text("main"))
	}
}

func TestBulkRefusals(t *testing.T) {
	c := newConsole(t)
	w := c.addWebhook(nil)
	many := chosen("pause")
	for i := range bulkMax + 1 {
		many.Add("id", strconv.Itoa(i))
	}
	for _, form := range []url.Values{chosen("pause"), chosen("explode", w), {"id": {"1"}}, many} {
		c.get("/admin/webhooks/bulk?" + form.Encode()).want(http.StatusUnprocessableEntity)
		c.post("/admin/webhooks/bulk", form).want(http.StatusUnprocessableEntity)
	}
	c.logIn(c.addViewer())
	c.post("/admin/webhooks/bulk", chosen("delete", w)).want(http.StatusForbidden)
	if a := c.get(webhooksPath); a.Find("input[type=checkbox]").Length() != 0 {
		t.Error("a viewer may choose webhooks")
	}
}

func TestKnown(t *testing.T) {
	c := newConsole(t)
	c.addEvent(1, "answer.accepted", "data-platform", "python", "pytest", "go")
	a := c.get("/admin/webhooks/known?location=python-wranglers&prefix=PY").want(http.StatusOK)
	if want := `{"communities":[{"value":"data-platform","label":"Data platform"}],"tags":["pytest","python"]}`; a.Body != want {
		t.Errorf("known %s", a.Body)
	}
	if a = c.get("/admin/webhooks/known?location=moon"); a.Body != `{"communities":[],"tags":[]}` {
		t.Errorf("known %s", a.Body)
	}
}
