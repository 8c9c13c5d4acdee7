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

// TestWebhooksAreReadWhileTheDatabaseFails: every page says so, whichever of its
// queries fails.
func TestWebhooksAreReadWhileTheDatabaseFails(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddSecretWebhook()
	c.AddWebhook(func(in *models.WebhookInput) { in.Location, in.Name = "python-wranglers", "Elsewhere" })
	c.AddDelivery(w)
	c.FailDeliveries()
	c.AddDelivery(w)
	c.AddEvent(1, "answer.accepted", "guild", "go")
	path := webhooks.WebhookPath(w.ID)
	for _, page := range []string{
		web.WebhooksPath, web.WebhooksPath + "?q=python&team=main&sort=held&dir=desc", web.WebhooksPath + "?state=failing&tag=go",
		path, path + "/edit", path + "/delete", path + "/rotate", path + "/reveal?secret=1",
		webtest.NewForm, webtest.NewForm + "&from=" + web.FormatID(w.ID), "/admin/webhooks/bulk?" + chosen("pause", w).Encode(), "/admin/webhooks/bulk?" + chosen("delete", w).Encode(),
	} {
		if a := c.Faults(http.MethodGet, page, nil); a.Status != http.StatusOK {
			t.Errorf("%s: %d, %s", page, a.Status, a.Header.Get("Location"))
		}
	}
}

// TestWebhooksAreChangedWhileTheDatabaseFails: whichever query of a change fails, the
// page says that nothing was changed, and that is so.
func TestWebhooksAreChangedWhileTheDatabaseFails(t *testing.T) {
	c := webtest.NewConsole(t)
	w, gone := c.AddSecretWebhook(), c.AddWebhook(func(in *models.WebhookInput) { in.Name = "Gone" })
	c.AddDelivery(w)
	c.AddDelivery(gone)
	path := webhooks.WebhookPath(w.ID)
	post := func(path string, form url.Values) *webtest.Answer {
		t.Helper()
		return c.Faults(http.MethodPost, path, form)
	}
	post(path+"/pause", nil).GoesTo(path)
	post(path+"/resume", url.Values{"held": {"drop"}}).GoesTo(path)
	post("/admin/webhooks/bulk", c.Get("/admin/webhooks/bulk?"+chosen("pause", w).Encode()).Want(http.StatusOK).Form()).GoesTo(web.WebhooksPath)
	resume := c.Get("/admin/webhooks/bulk?" + chosen("resume", w).Encode()).Want(http.StatusOK).Form()
	resume.Set("held", "send")
	post("/admin/webhooks/bulk", resume).GoesTo(web.WebhooksPath)
	post("/admin/webhooks/bulk", c.Get("/admin/webhooks/bulk?"+chosen("delete", gone).Encode()).Want(http.StatusOK).Form()).GoesTo(web.WebhooksPath)
	other := c.AddUser(models.User{Email: "jane@example.com", Name: "Jane", Role: models.RoleAdministrator})
	c.LogIn(other)
	post(path+"/claim", nil).GoesTo(path)
	remove := url.Values{"do": {"remove"}, "number": {"1"}, "updated_at": {c.Get(path+"/rotate").Want(http.StatusOK).Find("input[name=updated_at]").AttrOr("value", "")}}
	post(path+"/rotate", remove).Want(http.StatusSeeOther)
	post(path+"/delete", nil).GoesTo(web.WebhooksPath)
}

// TestBulkThatFailsInPart: when the database fails after some of the webhooks were
// changed, the page says how many, the jobs learn of them, and the rest can be done
// by another try.
func TestBulkThatFailsInPart(t *testing.T) {
	c := webtest.NewConsole(t)
	first := c.AddWebhook(func(in *models.WebhookInput) { in.Name = "Alpha" })
	second := c.AddWebhook(func(in *models.WebhookInput) { in.Name = "Beta" })
	form := c.Get("/admin/webhooks/bulk?" + chosen("pause", first, second).Encode()).Want(http.StatusOK).Form()
	c.Change = 0
	var a *webtest.Answer
	for n := 0; c.Reload(first).State == models.WebhookActive; n++ {
		if n == 100 {
			t.Fatal("it is not paused")
		}
		a = c.FaultAt(n, http.MethodPost, "/admin/webhooks/bulk", form)
	}
	if said := a.Want(http.StatusServiceUnavailable).Text("main"); !strings.Contains(said, "1 webhook was paused. The others could not be changed; the log of Sitehooks says why.") ||
		strings.Contains(said, "Nothing was changed") {
		t.Errorf("it says %q", said)
	}
	if state := c.Reload(second).State; state != models.WebhookActive || c.Change != 1 {
		t.Errorf("the other one is %s, the jobs were woken %d times", state, c.Change)
	}
	if text := c.Flash(c.Post("/admin/webhooks/bulk", form).GoesTo(web.WebhooksPath)); text != "1 webhook was paused." {
		t.Errorf("another try says %q", text)
	}
}
