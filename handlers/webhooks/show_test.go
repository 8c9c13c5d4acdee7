package webhooks_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/admin"
	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestWebhookPageTests sends the test of a saved webhook from its page, with
// its secrets, and leaves no trace of it in the history.
func TestWebhookPageTests(t *testing.T) {
	c, r := webtest.NewConsole(t), webtest.NewReceiver(t)
	w := c.AddWebhook(func(in *models.WebhookInput) {
		in.URL, in.URLShown = r.URL+"/hook?key=1", r.URL+"/hook"
		in.Secrets[0].Set = "a secret of sixteen or more"
	})
	page := c.Get(webhooks.WebhookPath(w.ID))
	if n := page.Find("form[action='" + webhooks.WebhookPath(w.ID) + "/test']").Length(); n != 1 {
		t.Fatalf("%d buttons to test", n)
	}
	for status, says := range map[int]string{http.StatusOK: "Test arrived", http.StatusGone: "Test failed"} {
		r.Answers(status)
		a := c.Post(webhooks.WebhookPath(w.ID)+"/test", nil).Want(http.StatusOK)
		if got := a.Text("section[aria-label='Test notification']"); !strings.HasPrefix(got, says) || !strings.Contains(got, "thank you") || strings.Contains(got, "key=1") {
			t.Errorf("the page says %q", got)
		}
		if a.Text("h1 bdi") != w.Name || a.Find("section[aria-labelledby=dl] tbody tr").Length() != 0 {
			t.Errorf("the rest of the page is %q", a.Text("main"))
		}
	}
	if got := r.Requests(); len(got) != 2 || got[0].Header.Get("webhook-signature") == "" {
		t.Errorf("the receiver got %+v", got)
	}
	rows, _, err := c.Store.Deliveries.List(t.Context(), models.DeliveryQuery{Within: models.AllLocations(), Limit: 1})
	webtest.OK(t, err)
	row, err := c.Store.Webhooks.Row(t.Context(), w)
	webtest.OK(t, err)
	if len(rows) != 0 || row.Lane.LastAt != nil || row.State != models.WebhookActive {
		t.Errorf("a test entered the history: %+v %+v", rows, row)
	}
}

func TestWebhookPageOffersToResend(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(nil)
	for range 3 {
		c.AddDelivery(w)
	}
	c.FailDeliveries()
	c.Exec("update lanes set last_at = ?", time.Now().UTC())
	page := c.Get(webhooks.WebhookPath(w.ID))
	for words, to := range map[string]string{
		"Resend failed (3)…": deliveries.ResendPath + "?webhook=1&state=failed", "Resend since…": deliveries.ResendPath + "?webhook=1",
		"Why did it not fire?": "/admin/trigger-history?matched=any&webhook=1",
	} {
		if href := page.Find("a:contains('"+words+"')").AttrOr("href", ""); href != to {
			t.Errorf("%s leads to %q", words, href)
		}
	}
	if requested := c.Get("/admin/trigger-history?matched=any&webhook=1"); requested.Find("label[for=event]").Length() != 1 {
		t.Errorf("there is no field for an event's id: %s", requested.Text("main"))
	}
	webtest.OK(t, c.Store.Webhooks.Pause(t.Context(), c.Admin.Actor(), w.ID))
	if page = c.Get(webhooks.WebhookPath(w.ID)); page.Find("a[href*=resend]").Length() != 0 {
		t.Error("a paused one offers to resend")
	}
}

// TestClaim: a webhook without an owner keeps sending and can be claimed.
func TestClaim(t *testing.T) {
	c := webtest.NewConsole(t)
	jo := c.AddUser(models.User{Email: "jo@example.com", Name: "Jo", PasswordHash: webtest.AdminHash(), Role: models.RoleAdministrator})
	made := c.AddWebhook(nil)
	c.Exec("update webhooks set owner_id = ?, owner_name = 'Jo'", jo.ID)
	if n := c.Get(webhooks.WebhookPath(made.ID)).Find("form[action$=claim]").Length(); n != 0 {
		t.Fatal("what has an owner can be claimed")
	}
	c.Post(webhooks.WebhookPath(made.ID)+"/claim", nil).GoesTo(webhooks.WebhookPath(made.ID))
	c.Post(admin.MemberPath(jo.ID)+"/remove", nil).Want(http.StatusSeeOther)
	w, err := c.Store.Webhooks.Get(t.Context(), models.AllLocations(), made.ID)
	webtest.OK(t, err)
	if w.State != models.WebhookActive || w.OwnerID != 0 {
		t.Fatalf("without its owner it is %+v", w)
	}
	for _, path := range []string{web.WebhooksPath + "?owner=0", webhooks.WebhookPath(w.ID)} {
		if page := c.Get(path); !strings.Contains(page.Text("main"), "no owner made by Jo Claim") {
			t.Errorf("%s says %q", path, page.Text("main"))
		}
	}
	if text := c.Flash(c.Post(webhooks.WebhookPath(w.ID)+"/claim", nil).GoesTo(webhooks.WebhookPath(w.ID))); !strings.Contains(text, "is yours now") {
		t.Errorf("it says %q", text)
	}
	if w, err = c.Store.Webhooks.Get(t.Context(), models.AllLocations(), made.ID); err != nil || w.OwnerID != c.Admin.ID || !w.UpdatedAt.Equal(made.UpdatedAt) {
		t.Errorf("claimed: %+v %v", w, err)
	}
	if text := c.Get("/admin/audit").Text("tbody"); !strings.Contains(text, "Jo → Mary Wilkins") {
		t.Errorf("the audit log says %q", text)
	}
}

// TestHeldTimesAreShown: a pause is grey in the pictures, and in words in the
// tables below them, also when it is over.
func TestHeldTimesAreShown(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(nil)
	c.Exec("update webhooks set created_at = ?", time.Now().Add(-72*time.Hour))
	c.Exec("update setting_changes set at = ?", time.Now().Add(-100*24*time.Hour))
	page := c.Get(webhooks.WebhookPath(w.ID))
	if page.Find("figure .c-held").Length() != 0 || strings.Contains(page.Text("figure"), "Held") {
		t.Error("it was never held and is shown so")
	}
	by := c.Admin.Actor()
	webtest.OK(t, c.Store.Webhooks.Pause(t.Context(), by, w.ID))
	_, err := c.Store.Webhooks.Resume(t.Context(), by, w.ID, false)
	webtest.OK(t, err)
	c.Exec("update webhook_versions set at = ? where state = 'stopped'", time.Now().Add(-5*time.Hour-time.Minute))
	c.Exec("update webhook_versions set at = ? where id = 1", time.Now().Add(-72*time.Hour))
	page = c.Get(webhooks.WebhookPath(w.ID))
	if n := page.Find("figure svg[role=img] .c-held").Length(); n != 4 {
		t.Errorf("%d grey bars", n)
	}
	if label := page.Find("figure svg[role=img]").First().AttrOr("aria-label", ""); !strings.HasSuffix(label, "; held for 5 h") {
		t.Errorf("the chart says %q", label)
	}
	if got := webtest.Words(page.Find("figure").First().Find("tbody tr").Eq(20)); got != "" && !strings.HasSuffix(got, "60 min") {
		t.Errorf("an hour in the middle is %q", got)
	}
	list := c.Get(web.WebhooksPath)
	if label := list.Find("svg.spark").AttrOr("aria-label", ""); list.Find("svg.spark .c-held").Length() != 1 || !strings.HasSuffix(label, ", held for 5 h") {
		t.Errorf("the list says %q", label)
	}
	c.SetFeature("False")
	if label := c.Get(webhooks.WebhookPath(w.ID)).Find("figure svg[role=img]").First().AttrOr("aria-label", ""); !strings.HasSuffix(label, "; held for 5 h") {
		t.Errorf("switched off, the chart says %q", label)
	}
}

func TestWebhookPageListsItsDeliveries(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(nil)
	if got := c.Get(webhooks.WebhookPath(w.ID)).Text("main"); !strings.Contains(got, "None yet. A delivery appears here") {
		t.Errorf("the page says %q", got)
	}
	c.AddDelivery(w)
	a := c.Get(webhooks.WebhookPath(w.ID))
	if got := a.Find("section[aria-labelledby=dl] tbody tr").Length(); got != 1 || a.Find("figure").Length() != 4 {
		t.Errorf("%d deliveries: %s", got, a.Text("main"))
	}
	c.FailDeliveries()
	c.Exec("update lanes set last_at = ?", time.Now().UTC())
	if href := c.Get(webhooks.WebhookPath(w.ID)).Find("a:contains('Resend failed')").AttrOr("href", ""); href != deliveries.ResendPath+"?webhook=1&state=failed" {
		t.Errorf("failed ones are sent again by %q", href)
	}
}

// TestWebhookPageShowsWhatAResumeSends: how many of the held notifications were
// sent, how many are left, and about how long that takes.
func TestWebhookPageShowsWhatAResumeSends(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(func(in *models.WebhookInput) { in.Type = "slack" }) // which needs no feature
	for range 3 {
		c.AddDelivery(w)
	}
	webtest.OK(t, c.Store.Webhooks.Pause(t.Context(), c.Admin.Actor(), w.ID))
	const progress = "section[aria-label='Held notifications']"
	if got := c.Get(webhooks.WebhookPath(w.ID)).Text(progress); got != "" {
		t.Errorf("while paused: %q", got)
	}
	_, err := c.Store.Webhooks.Resume(t.Context(), c.Admin.Actor(), w.ID, false)
	webtest.OK(t, err)
	c.Exec("update lanes set released = 1203")
	got := c.Get(webhooks.WebhookPath(w.ID)).Text(progress)
	if !strings.HasPrefix(got, "1,200 of 1,203 held notifications sent, 3 left.") || !strings.Contains(got, "at least 1 s more") {
		t.Errorf("after the resume: %q", got)
	}
	fragment := func() string {
		a := c.Fragment("releasing", webhooks.WebhookPath(w.ID), nil).Want(http.StatusOK)
		if a.Find("h1").Length() > 0 {
			t.Error("a script gets the whole page")
		}
		return a.Text(progress)
	}
	if again := fragment(); again != got {
		t.Errorf("a script reads %q, the page says %q", again, got)
	}
	c.Exec("delete from delivery_queue")
	if got := c.Get(webhooks.WebhookPath(w.ID)).Text(progress); got != "" {
		t.Errorf("when all are sent: %q", got)
	}
	if got := fragment(); got != "No held notification is left." {
		t.Errorf("a script reads %q when all are sent", got)
	}
}

// TestHistorySaysWhatChanged: old → new of each field, and of secrets only that
// they changed.
func TestHistorySaysWhatChanged(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		w := c.AddWebhook(func(in *models.WebhookInput) { in.Name, in.Secrets[0].Set = "Before", "the first secret of all" })
		save := func(change func(form url.Values)) {
			t.Helper()
			form := c.Get(webtest.EditPath(w)).Want(http.StatusOK).Form()
			change(form)
			form.Set("do", "save")
			c.Post(webtest.EditPath(w), form).Want(http.StatusSeeOther)
		}
		save(func(form url.Values) {
			form.Set("name", "After "+webtest.Nasty)
			form.Set("tag_mode", "specific")
			form.Set("tags", "go, python")
			form.Set("secret_1", "another secret of 16 or more")
		})
		save(func(url.Values) {})
		a := c.Get(webhooks.WebhookPath(w.ID)).Want(http.StatusOK)
		webtest.NoMarkup(t, a)
		text := a.Text("main")
		webtest.Says(t, "the history", text, `Name "Before" → "After `, "tags all → specific", "tags added: go, python", "signing secret 1 replaced", "Saved without a change", "Created")
		if strings.Contains(text, "another secret") || strings.Contains(text, "first secret") {
			t.Error("a secret is in the history")
		}
	})
}
