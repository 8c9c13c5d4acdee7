package overview_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestSearch: one hit opens it, several are listed, of other locations none.
func TestSearch(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		s := &webtest.HistorySite{T: t, Store: c.Store}
		s.Set(models.DispatchDelay, "0")
		s.Set(models.DispatchInterval, "0")
		nasty := s.Hook("Go team "+webtest.Nasty, nil)
		py := s.Hook("Python team", func(in *models.WebhookInput) { in.Location = "python-wranglers" })
		about := func(question string) func(*models.NewEvent) {
			return func(e *models.NewEvent) {
				e.Payload = []byte(`{"id":"` + e.EventID + `","question":{"question_id":` + question + `,"title":"x"}}`)
			}
		}
		s.Event("e-1", "First", about("4711"))
		s.Event("e-2", "Second", about("4711"))
		s.Event("e-3", "Third", about("12"))
		s.Event("e-1x", "Elsewhere", func(e *models.NewEvent) { e.Location = "python-wranglers" })
		s.Dispatch(1)
		d := s.NewestDelivery(nasty.ID)
		search := func(q string) *webtest.Answer { return c.Get("/admin/search?" + url.Values{"q": {q}}.Encode()) }
		for q, to := range map[string]string{
			"e-2": s.EventPath("e-2"), " e-1 ": s.EventPath("e-1"), d.PublicID: deliveries.Path(d.PublicID),
			"https://site.example/questions/12/x": s.EventPath("e-3"), "python TEAM": webhooks.WebhookPath(py.ID), "go t": webhooks.WebhookPath(nasty.ID),
		} {
			search(q).GoesTo(to)
		}
		a := search("https://site.example/questions/4711/first#answer-5").Want(http.StatusOK)
		webtest.Says(t, "a question", a.Text("main"), "2 hits", "Second", "First")
		a = search("team").Want(http.StatusOK)
		webtest.NoMarkup(t, a)
		webtest.Says(t, "a part of names", a.Text("main"), "2 hits", "Go team "+webtest.Nasty, "Python team", "Python wranglers")
		a = search(webtest.Nasty + "?").Want(http.StatusOK)
		webtest.NoMarkup(t, a)
		webtest.Says(t, "nothing", a.Text("main"), "Nothing found", "webhook-id")
		// An event type, as the form of a webhook calls it.
		a = search("Accepted answers").Want(http.StatusOK)
		webtest.Says(t, "an event type", a.Text("main"), "This names a type of event. Show all events of the type answer accepted")
		if host := search("example.com").Text("main"); strings.Contains(host, "type of event") {
			t.Errorf("a host is taken for a type: %s", host)
		}
		c.Get(a.Find("main a:contains('Show all events')").AttrOr("href", "")).Want(http.StatusOK)
		webtest.Says(t, "no question", c.Get("/admin/search").Want(http.StatusOK).Text("main"), "Search for one thing")
		for _, path := range []string{"/admin", "/admin/webhooks", "/developer/site-settings", "/admin/nothing"} {
			if c.Get(path).Find("header form[action='/admin/search'] input[name=q]").Length() == 0 {
				t.Errorf("%s has no search box", path)
			}
		}

		hash := webtest.AdminHash()
		limited := c.AddUser(models.User{Email: "lim@example.com", Name: "Lim", PasswordHash: hash, Role: models.RoleViewer, Limited: true, Locations: []string{"python-wranglers"}})
		c.LogIn(limited)
		for _, q := range []string{"e-2", d.PublicID, "go t", "/questions/4711/"} {
			if text := search(q).Want(http.StatusOK).Text("main"); !strings.Contains(text, "Nothing found") {
				t.Errorf("a member of another team finds %q: %s", q, text)
			}
		}
		search("team").GoesTo(webhooks.WebhookPath(py.ID))
		search("e-1x").GoesTo(web.TriggerPath(s.Number("e-1x")))
	})
}
