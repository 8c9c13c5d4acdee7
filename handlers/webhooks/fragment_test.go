package webhooks_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func TestPartsOfTheForm(t *testing.T) {
	c := webtest.NewConsole(t)
	c.AddEvent(1, "answer.accepted", "", "python")
	a := c.Fragment(webhooks.FormFragment, webtest.NewForm, nil).Want(http.StatusOK)
	if a.Header.Get(web.FragmentHeader) != webhooks.FormFragment || a.Find("form[data-webhook-form]").Length() != 1 || a.Find("header, nav, h1").Length() != 0 {
		t.Errorf("the form is %s", a.Body)
	}
	preview := c.Fragment(webhooks.PreviewFragment, webtest.NewForm, c.Filled("https://example.com/", "location", "python-wranglers", "do", "preview")).Want(http.StatusOK)
	if preview.Text(".big") != "1 of 1 event" || preview.Find("form").Length() != 0 || preview.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the preview is %s", preview.Body)
	}
	// A refused form is not an error of the page, as browsers would report a
	// 422.
	refused := c.Fragment(webhooks.FormFragment, webtest.NewForm, c.Filled("nonsense", "do", "save")).Want(http.StatusOK)
	if refused.Text("#url-err") == "" {
		t.Errorf("the form is %s", refused.Body)
	}
	saved := c.Fragment(webhooks.FormFragment, webtest.NewForm, c.Filled("https://example.com/", "do", "save")).Want(http.StatusNoContent)
	if saved.Header.Get(web.RedirectHeader) != web.WebhooksPath || c.Only().Name != "Python Accepted Answers" {
		t.Errorf("a save leads to %q", saved.Header.Get(web.RedirectHeader))
	}
	if whole := c.Fragment("topbar", webtest.NewForm, nil).Want(http.StatusOK); whole.Find("h1").Length() != 1 || whole.Header.Get(web.FragmentHeader) != "" {
		t.Error("any part can be asked for")
	}
	if c.Fragment(webhooks.FormFragment, "/admin/webhooks/99/edit", nil).Want(http.StatusNotFound).Text("h1") == "" {
		t.Error("what is not there has no page")
	}
	c.Cookie = ""
	out := c.Fragment(webhooks.PreviewFragment, webtest.NewForm, url.Values{"do": {"preview"}}).Want(http.StatusNoContent)
	if out.Header.Get(web.RedirectHeader) != "/login?next="+url.QueryEscape(webtest.NewForm) {
		t.Errorf("without a session it leads to %q", out.Header.Get(web.RedirectHeader))
	}
}

// TestFieldsOfTheTypes checks the fields that only some types' forms have.
func TestFieldsOfTheTypes(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(func(in *models.WebhookInput) {
		in.Type, in.Events = "superoffice", []string{"contact.created", "lead.scored"}
		in.URL, in.URLShown = "https://example.com/hook", "https://example.com/hook"
	})
	form := c.Get(webtest.EditPath(w)).Want(http.StatusOK).Form()
	if form.Get("custom") != "lead.scored" {
		t.Errorf("the form holds %v", form)
	}
	for field, value := range map[string]string{"custom": "lead scored", "option_properties": "[1]"} {
		a := c.Post(webtest.EditPath(w), webtest.Fill(c.Get(webtest.EditPath(w)).Form(), field, value, "events", "contact.created", "do", "preview"))
		at := map[string]string{"custom": "#events-err"}[field]
		if at == "" {
			at = "#" + field + "-err"
		}
		if a.Text(at) == "" {
			t.Errorf("%s=%q has no fault: %s", field, value, a.Text("[role=alert]"))
		}
	}
	form = webtest.Fill(form, "custom", "lead.scored, lead.lost,,lead.lost", "option_properties", "{\r\n  \"source\": \"forum\"\r\n}", "events", "contact.created", "do", "preview")
	a := c.Post(webtest.EditPath(w), form).Want(http.StatusOK)
	if a.Find("[role=alert]").Length() > 0 || a.Form().Get("custom") != "lead.scored, lead.lost,,lead.lost" {
		t.Errorf("it says %q", a.Text("[role=alert]"))
	}
	for _, label := range []string{"contact.created 0 of 0", "lead.scored 0 of 0", "lead.lost 0 of 0"} {
		if !strings.Contains(a.Text(".form-side tbody"), label) {
			t.Errorf("the preview does not count %s: %s", label, a.Text(".form-side tbody"))
		}
	}
}
