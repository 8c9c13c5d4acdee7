package webhooks_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestFiltersSurvive: saving an edit, deleting, and what is done with several
// webhooks lead back to the list with its filters and its page.
func TestFiltersSurvive(t *testing.T) {
	c := webtest.NewConsole(t)
	named := func(name string) models.Webhook {
		return c.AddWebhook(func(in *models.WebhookInput) { in.Name = name })
	}
	w, gone := named("alpha one"), named("alpha two")
	named("beta")
	const list = "/admin/webhooks?per=20&q=alpha&sort=team&dir=asc"
	same := func(what, to string) {
		t.Helper()
		got, err := url.Parse(to)
		webtest.OK(t, err)
		want, _ := url.Parse(list)
		if got.Path != want.Path || got.Query().Encode() != want.Query().Encode() {
			t.Errorf("%s leads to %s", what, to)
		}
	}
	a := c.Get(list).Want(http.StatusOK)
	edit := a.Find("a[aria-label='Edit alpha one']").AttrOr("href", "")
	page := c.Get(edit).Want(http.StatusOK)
	same("Cancel", page.Find("[data-cancel]").AttrOr("href", ""))
	form := page.Form()
	form.Set("name", "alpha three")
	form.Set("do", "save")
	same("a save", c.Post(edit, form).Want(http.StatusSeeOther).Header.Get("Location"))

	remove := a.Find("a[aria-label='Delete alpha two']").AttrOr("href", "")
	page = c.Get(remove).Want(http.StatusOK)
	action := page.Find("main form").AttrOr("action", "")
	same("a deletion", c.Post(action, nil).Want(http.StatusSeeOther).Header.Get("Location"))
	if _, err := c.Store.Webhooks.Get(t.Context(), models.AllLocations(), gone.ID); err == nil {
		t.Error("it is there still")
	}

	hidden := a.Find("form[data-bulk] input[name=list]").AttrOr("value", "")
	page = c.Get("/admin/webhooks/bulk?" + url.Values{"do": {"pause"}, "id": {"1"}, "list": {hidden}}.Encode()).Want(http.StatusOK)
	same("Cancel of several", page.Find("main form a.s-btn").AttrOr("href", ""))
	same("several", c.Post("/admin/webhooks/bulk", page.Form()).Want(http.StatusSeeOther).Header.Get("Location"))
	if w, err := c.Store.Webhooks.Get(t.Context(), models.AllLocations(), w.ID); err != nil || w.State != models.WebhookStopped {
		t.Errorf("%+v, %v", w, err)
	}
	c.Post("/admin/webhooks/bulk", url.Values{"do": {"pause"}, "id": {"1"}, "list": {"//evil.example/%zz"}}).GoesTo("/admin/webhooks")
}

// TestAllThatMatch: one box selects what the filters let through on all pages;
// when others match by the time of OK, it asks again.
func TestAllThatMatch(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		for range 23 {
			c.AddWebhook(func(in *models.WebhookInput) { in.Name = "alpha" })
		}
		other := c.AddWebhook(func(in *models.WebhookInput) { in.Name = "beta" })
		a := c.Get("/admin/webhooks?q=alpha&per=20").Want(http.StatusOK)
		webtest.Says(t, "the list", a.Text("form[data-bulk]"), "Showing 20 of 24 webhooks (23 match)", "Select all 23 that match")
		if c.Get("/admin/webhooks?q=beta").Find("[data-bulk-every]").Length() != 0 {
			t.Error("offered although all are on this page")
		}
		ask := url.Values{"do": {"pause"}, "all": {"true"}, "list": {a.Find("input[name=list]").AttrOr("value", "")}, "id": {"1"}}
		page := c.Get("/admin/webhooks/bulk?" + ask.Encode()).Want(http.StatusOK)
		webtest.Says(t, "the question", page.Text("main"), "Pause 23 webhooks?")
		form := page.Form()
		c.AddWebhook(func(in *models.WebhookInput) { in.Name = "alpha, new" })
		again := c.Post("/admin/webhooks/bulk", form).Want(http.StatusOK)
		webtest.Says(t, "asked again", again.Text("main"), "Pause 24 webhooks?")
		answer := c.Post("/admin/webhooks/bulk", again.Form()).Want(http.StatusSeeOther)
		if to := answer.Header.Get("Location"); !strings.Contains(to, "q=alpha") {
			t.Errorf("leads to %s", to)
		}
		webtest.Says(t, "the list afterwards", c.Get("/admin/webhooks?q=alpha&state=stopped").Text("form[data-bulk]"), "(24 match)")
		if w, err := c.Store.Webhooks.Get(t.Context(), models.AllLocations(), other.ID); err != nil || w.State != models.WebhookActive {
			t.Errorf("another one: %+v, %v", w, err)
		}
		if text := c.Post("/admin/webhooks/bulk", url.Values{"do": {"pause"}}).Want(http.StatusUnprocessableEntity).Text("main"); !strings.Contains(text, "No webhook is selected.") {
			t.Errorf("none selected: %s", text)
		}
	})
}

// TestAllThatMatchWithABadFilter: a filter that means nothing is refused and
// named, because without it the action would change more than the list showed.
func TestAllThatMatchWithABadFilter(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(nil)
	for list, sentence := range map[string]string{
		"state=asleep":           "“asleep” is not a valid state of a webhook. Nothing was changed.",
		"type=pigeon&q=a":        "“pigeon” is not a valid type of webhook. Nothing was changed.",
		"activity=question.sung": "“question.sung” is not a valid activity. Nothing was changed.",
		"status=stopped":         "“status” is not a filter of the list of webhooks. Nothing was changed.",
		"team=%zz":               "This address does not name a list of webhooks.",
	} {
		form := url.Values{"do": {"delete"}, "all": {"true"}, "list": {list}, "through": {"1"}}
		webtest.Says(t, list, c.Get("/admin/webhooks/bulk?"+form.Encode()).Want(http.StatusUnprocessableEntity).Text("main"), sentence)
		webtest.Says(t, list, c.Post("/admin/webhooks/bulk", form).Want(http.StatusUnprocessableEntity).Text("main"), sentence)
	}
	if _, err := c.Store.Webhooks.Get(t.Context(), models.AllLocations(), w.ID); err != nil {
		t.Errorf("after the refusals: %v", err)
	}
	form := url.Values{"do": {"delete"}, "all": {"true"}, "list": {"sort=colour&per=7"}, "through": {"1"}}
	c.Post("/admin/webhooks/bulk", form).Want(http.StatusSeeOther) // the order leaves nothing out
}
