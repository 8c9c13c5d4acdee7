package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestPagesShownByAFormCanBeReadAgain: after a page was shown in answer to a
// form, its address can be read, and choosing an appearance leads to a page.
func TestPagesShownByAFormCanBeReadAgain(t *testing.T) {
	c, r := webtest.NewConsole(t), webtest.NewReceiver(t)
	w := c.AddWebhook(func(in *models.WebhookInput) { in.URL, in.URLShown = r.URL, r.URL })
	a := c.Post(webhooks.WebhookPath(w.ID)+"/test", nil).Want(http.StatusOK)
	next := a.Find("form[action='/theme'] input[name=next]").AttrOr("value", "")
	if next != webhooks.WebhookPath(w.ID) {
		t.Errorf("choosing an appearance leads to %q", next)
	}
	c.Post("/theme", url.Values{"theme": {"dark"}, "next": {next}}).GoesTo(webhooks.WebhookPath(w.ID))
	c.Get(webhooks.WebhookPath(w.ID) + "/test").GoesTo(webhooks.WebhookPath(w.ID))
	c.Get("/admin/deliveries/msg_1/resend").GoesTo("/admin/deliveries/msg_1")
	if a := c.Get("/admin/webhooks/%5C%5Cevil.example/test"); strings.Contains(a.Header.Get("Location"), `\`) {
		t.Errorf("leads to %q", a.Header.Get("Location"))
	}
}

// TestNoAddressBelowAThingTakesOnlyForms: a form below a thing's own address
// may answer with a page, so each of them can be read.
func TestNoAddressBelowAThingTakesOnlyForms(t *testing.T) {
	c := webtest.NewConsole(t)
	read := map[string]bool{}
	for _, route := range c.Engine.Routes() {
		read[route.Path] = read[route.Path] || route.Method == http.MethodGet
	}
	for _, route := range c.Engine.Routes() {
		if route.Method == http.MethodPost && strings.Contains(route.Path, "/:") && !read[route.Path] {
			t.Errorf("%s takes only forms", route.Path)
		}
	}
}
