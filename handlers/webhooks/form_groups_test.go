package webhooks_test

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/models"
)

// TestAllAndNoneOfAGroup: without scripts the buttons of a group choose all its
// activities or none, keep everything else that was typed, and store nothing.
func TestAllAndNoneOfAGroup(t *testing.T) {
	c := webtest.NewConsole(t)
	path := "/admin/webhooks/new?type=superoffice"
	page := c.Get(path).Want(http.StatusOK)
	folds := page.Find("details.more-group")
	if folds.Length() < 10 || page.Find("details.more-group[open]").Length() != 1 {
		t.Fatalf("%d folds, %d open", folds.Length(), page.Find("details.more-group[open]").Length())
	}
	form := page.Form()
	form.Set("name", "Typed before")
	form.Set("do", page.Find(`button[aria-label="All: Contacts"]`).AttrOr("value", ""))
	a := c.Post(path, form).Want(http.StatusOK)
	chosen := a.Form()["events"]
	want := []string{"contact.created", "contact.changed", "contact.deleted", "contact.softdeleted"}
	if !slices.Equal(chosen, want) || a.Form().Get("name") != "Typed before" {
		t.Fatalf("all of a group: %v, name %q", chosen, a.Form().Get("name"))
	}
	open := a.Find("details.more-group[open] summary").Text()
	if !strings.Contains(strings.Join(strings.Fields(open), " "), "Contacts 4 of 4") {
		t.Errorf("open: %s", open)
	}
	form = a.Form()
	form.Add("events", "person.created")
	form.Set("do", page.Find(`button[aria-label="None: Contacts"]`).AttrOr("value", ""))
	if chosen = c.Post(path, form).Want(http.StatusOK).Form()["events"]; !slices.Equal(chosen, []string{"person.created"}) {
		t.Errorf("none of a group: %v", chosen)
	}
	form.Set("do", "all_99")
	c.Post(path, form).Want(http.StatusUnprocessableEntity)
	if all, _, err := c.Store.Webhooks.All(t.Context()); len(all) != 0 || err != nil {
		t.Errorf("stored: %v, %v", all, err)
	}
	for _, kind := range []string{"slack", "generic", "stackauth", "userecho", "superoffice"} {
		page := c.Get("/admin/webhooks/new?type=" + kind).Want(http.StatusOK)
		guide := page.Find(`a[href="/developer/receivers/`+kind+`"]`).AttrOr("href", "none")
		c.Get(guide).Want(http.StatusOK)
		if page.Find("#option_max_per_second").Length() != 1 {
			t.Errorf("%s has no rate", kind)
		}
	}
	if text := c.Get("/admin/webhooks/new?type=slack").Text("main"); !strings.Contains(text, "api.slack.com/apps") {
		t.Error("the form does not say where to get Slack's URL")
	}
}

// TestATestOfAChosenEvent: types with a test of their own can also send a sample
// of an event, from the form, from the webhook's page, and in the preview.
func TestATestOfAChosenEvent(t *testing.T) {
	t.Run("stackauth", func(t *testing.T) {
		testsOfChosenEvents(t, "stackauth", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", []string{"user.created", "question.created"}, map[string]string{
			"": `"type":"stack.test"`, "user.created": `"primary_email":"ada@example.com"`, "question.created": `"question_id":1`,
		})
	})
	t.Run("superoffice", func(t *testing.T) {
		testsOfChosenEvents(t, "superoffice", "a secret of sixteen or more", []string{"contact.changed", "question.changed"}, map[string]string{
			"": `"Event":"test"`, "contact.changed": `"Event":"contact.changed"`, "question.changed": `"Event":"question.changed"`,
		})
	})
}

// testsOfChosenEvents sends each sample by both buttons, and looks into what
// arrives and into the preview.
func testsOfChosenEvents(t *testing.T, kind, secret string, events []string, samples map[string]string) {
	t.Helper()
	receiver := webtest.NewReceiver(t)
	secure := httptest.NewTLSServer(receiver.Config.Handler) // SuperOffice's type sends to https alone
	t.Cleanup(secure.Close)
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	c := webtest.NewConsole(t, func(d *handlers.Deps) {
		d.Sender = send.New(send.Config{AllowCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, RootCAs: roots})
	})
	w := c.AddWebhook(func(in *models.WebhookInput) {
		in.Type, in.URL, in.URLShown, in.Events, in.Secrets[0].Set = kind, secure.URL, secure.URL, events, secret
	})
	last := func() string { all := receiver.Requests(); return all[len(all)-1].Body }
	page := webhooks.WebhookPath(w.ID)
	for sample, says := range samples {
		form := c.Get(webtest.EditPath(w)).Form()
		form.Set("sample", sample)
		form.Set("do", "test")
		c.Post(webtest.EditPath(w), form).Want(http.StatusOK)
		if !strings.Contains(last(), says) {
			t.Errorf("a test of %q from the form sent %s", sample, last())
		}
		c.Post(page+"/test", webtest.Fill(url.Values{}, "sample", sample)).Want(http.StatusOK)
		if !strings.Contains(last(), says) {
			t.Errorf("a test of %q from the page sent %s", sample, last())
		}
		form.Set("do", "preview")
		if shown := c.Post(webtest.EditPath(w), form).Want(http.StatusOK).Text("#next-raw"); !strings.Contains(shown, says) {
			t.Errorf("the preview of %q shows %s", sample, shown)
		}
	}
	options := c.Get(page).Find("#sample option").Length()
	if options != 3 {
		t.Errorf("the page offers %d samples", options)
	}
	c.Post(page+"/test", webtest.Fill(url.Values{}, "sample", "nonsense")).Want(http.StatusUnprocessableEntity)
}
