package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

// TestPagesShownByAFormCanBeReadAgain: after a page was shown in answer to a
// form, its address can be read, and choosing an appearance leads to a page.
func TestPagesShownByAFormCanBeReadAgain(t *testing.T) {
	c, r := newConsole(t), newReceiver(t)
	w := c.addWebhook(func(in *models.WebhookInput) { in.URL, in.URLShown = r.URL, r.URL })
	a := c.post(webhookPath(w.ID)+"/test", nil).want(http.StatusOK)
	next := a.Find("form[action='/theme'] input[name=next]").AttrOr("value", "")
	if next != webhookPath(w.ID) {
		t.Errorf("choosing an appearance leads to %q", next)
	}
	c.post("/theme", url.Values{"theme": {"dark"}, "next": {next}}).goesTo(webhookPath(w.ID))
	c.get(webhookPath(w.ID) + "/test").goesTo(webhookPath(w.ID))
	c.get("/admin/deliveries/msg_1/resend").goesTo("/admin/deliveries/msg_1")
	if a := c.get("/admin/webhooks/%5C%5Cevil.example/test"); strings.Contains(a.Header.Get("Location"), `\`) {
		t.Errorf("leads to %q", a.Header.Get("Location"))
	}
}

// TestNoAddressBelowAThingTakesOnlyForms: a form below a thing's own address
// may answer with a page, so each of them can be read.
func TestNoAddressBelowAThingTakesOnlyForms(t *testing.T) {
	c := newConsole(t)
	read := map[string]bool{}
	for _, route := range c.engine.Routes() {
		read[route.Path] = read[route.Path] || route.Method == http.MethodGet
	}
	for _, route := range c.engine.Routes() {
		if route.Method == http.MethodPost && strings.Contains(route.Path, "/:") && !read[route.Path] {
			t.Errorf("%s takes only forms", route.Path)
		}
	}
}
