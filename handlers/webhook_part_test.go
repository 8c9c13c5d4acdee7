package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

func TestPartsOfTheForm(t *testing.T) {
	c := newConsole(t)
	c.addEvent(1, "answer.accepted", "", "python")
	a := c.part(formPart, newForm, nil).want(http.StatusOK)
	if a.Header.Get(partHeader) != formPart || a.Find("form[data-webhook-form]").Length() != 1 || a.Find("header, nav, h1").Length() != 0 {
		t.Errorf("the form is %s", a.Body)
	}
	look := c.part(lookPart, newForm, c.filled("https://example.com/", "location", "python-wranglers", "do", "preview")).want(http.StatusOK)
	if look.text(".big") != "1 of 1 event" || look.Find("form").Length() != 0 || look.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the preview is %s", look.Body)
	}
	// A refused form is no fault of the page, which is what browsers make of a 422.
	refused := c.part(formPart, newForm, c.filled("nonsense", "do", "save")).want(http.StatusOK)
	if refused.text("#url-err") == "" {
		t.Errorf("the form is %s", refused.Body)
	}
	saved := c.part(formPart, newForm, c.filled("https://example.com/", "do", "save")).want(http.StatusNoContent)
	if saved.Header.Get(partTo) != webhooksPath || c.only().Name != "Python Accepted Answers" {
		t.Errorf("a save leads to %q", saved.Header.Get(partTo))
	}
	if whole := c.part("topbar", newForm, nil).want(http.StatusOK); whole.Find("h1").Length() != 1 || whole.Header.Get(partHeader) != "" {
		t.Error("any part can be asked for")
	}
	if c.part(formPart, "/admin/webhooks/99/edit", nil).want(http.StatusNotFound).text("h1") == "" {
		t.Error("what is not there has no page")
	}
	c.cookie = ""
	out := c.part(lookPart, newForm, url.Values{"do": {"preview"}}).want(http.StatusNoContent)
	if out.Header.Get(partTo) != "/login?next="+url.QueryEscape(newForm) {
		t.Errorf("without a session it leads to %q", out.Header.Get(partTo))
	}
}

// TestFieldsOfTheTypes goes through what only some types' forms have.
func TestFieldsOfTheTypes(t *testing.T) {
	c := newConsole(t)
	w := c.addWebhook(func(in *models.WebhookInput) {
		in.Type, in.Events = "superoffice", []string{"contact.created", "lead.scored"}
		in.URL, in.URLShown = "https://example.com/hook", "https://example.com/hook"
	})
	form := c.get(editPath(w)).want(http.StatusOK).form()
	if form.Get("custom") != "lead.scored" {
		t.Errorf("the form holds %v", form)
	}
	for field, value := range map[string]string{"custom": "lead scored", "option_properties": "[1]"} {
		a := c.post(editPath(w), fill(c.get(editPath(w)).form(), field, value, "events", "contact.created", "do", "preview"))
		at := map[string]string{"custom": "#events-err"}[field]
		if at == "" {
			at = "#" + field + "-err"
		}
		if a.text(at) == "" {
			t.Errorf("%s=%q has no fault: %s", field, value, a.text("[role=alert]"))
		}
	}
	form = fill(form, "custom", "lead.scored, lead.lost,,lead.lost", "option_properties", "{\r\n  \"source\": \"forum\"\r\n}", "events", "contact.created", "do", "preview")
	a := c.post(editPath(w), form).want(http.StatusOK)
	if a.Find("[role=alert]").Length() > 0 || a.form().Get("custom") != "lead.scored, lead.lost,,lead.lost" {
		t.Errorf("it says %q", a.text("[role=alert]"))
	}
	for _, label := range []string{"contact.created0 of 0", "lead.scored0 of 0", "lead.lost0 of 0"} {
		if !strings.Contains(a.text(".form-side tbody"), label) {
			t.Errorf("the preview does not count %s: %s", label, a.text(".form-side tbody"))
		}
	}
}
