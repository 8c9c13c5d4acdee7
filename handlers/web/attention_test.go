package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

const attentionSection = "section[aria-label='What needs attention'] li > span"

func TestEveryPageNamesWhatBroke(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(func(in *models.WebhookInput) { in.Name = "First" })
	c.AddDelivery(w)
	if text := c.Get("/admin/audit").Text(attentionSection); text != "" {
		t.Errorf("nothing is wrong, yet it says %q", text)
	}
	webtest.OK(t, c.Store.Webhooks.Break(t.Context(), w.ID, "The receiver answered 410 Gone."))
	c.LogIn(c.AddViewer())
	until := time.Now().UTC().Add(30 * 24 * time.Hour).Format("Jan 2, 2006")
	for _, path := range []string{"/admin/deliveries", "/admin/webhooks", "/admin/members"} {
		a := c.Get(path).Want(http.StatusOK)
		if text := a.Text(attentionSection); text != "Webhook broken: First. The receiver answered 410 Gone. 1 notification is held. It is dropped on "+until+" unless the webhook is resumed." {
			t.Errorf("%s says %q", path, text)
		}
		if to := a.Find(attentionSection+" a").AttrOr("href", ""); to != webhooks.WebhookPath(w.ID) {
			t.Errorf("it leads to %q", to)
		}
	}
	// Half of the retention later.
	c.Exec("update webhooks set state_at = ?", time.Now().Add(-16*24*time.Hour))
	c.Exec("update deliveries set created_at = ?", time.Now().Add(-20*24*time.Hour))
	if text := c.Get("/admin/webhooks").Text(attentionSection); !strings.Contains(text, "Held notifications expire: 1 notification, held for First, expires on ") {
		t.Errorf("it says %q", text)
	}
	other := c.AddWebhook(func(in *models.WebhookInput) { in.Name = "Second" })
	webtest.OK(t, c.Store.Webhooks.Break(t.Context(), other.ID, "The receiver answered 410 Gone."))
	text := c.Get("/admin/webhooks").Text(attentionSection)
	for _, want := range []string{"Webhook broken: First. The receiver answered 410 Gone.", "Webhook broken: Second. The receiver answered 410 Gone. Nothing is held."} {
		if !strings.Contains(text, want) {
			t.Errorf("it says %q without %q", text, want)
		}
	}
}

// TestEachThatBrokeIsPutAsideAlone: broken webhooks have a line each up to a
// limit, and a dismissed line makes room for the next.
func TestEachThatBrokeIsPutAsideAlone(t *testing.T) {
	c := webtest.NewConsole(t)
	for i, name := range []string{"First", "Second", "Third", "Fourth", "Fifth"} {
		w := c.AddWebhook(func(in *models.WebhookInput) { in.Name = name })
		webtest.OK(t, c.Store.Webhooks.Break(t.Context(), w.ID, "Gone."))
		c.Exec("update webhooks set state_at = ? where id = ?", time.Now().Add(time.Duration(i-9)*time.Hour).UTC(), w.ID)
	}
	says := func(lines ...string) *webtest.Answer {
		t.Helper()
		a := c.Get("/admin/webhooks")
		for i, name := range lines {
			if name[0] >= 'A' {
				lines[i] = "Webhook broken: " + name + ". Gone. Nothing is held."
			}
		}
		if text, want := a.Text(attentionSection), strings.Join(lines, ""); text != want {
			t.Errorf("it says %q, want %q", text, want)
		}
		return a
	}
	put := func(a *webtest.Answer, about string) {
		t.Helper()
		key := a.Find("button[aria-label='Dismiss the notice about "+about+"']").AttrOr("value", "")
		c.Extra = (&http.Response{Header: c.Post("/attention", url.Values{"what": {key}, "next": {"/"}}).Want(http.StatusSeeOther).Header}).Cookies()
	}
	a := says("First", "Second", "Third", "2 more webhooks broke. Show them")
	if to := a.Find(attentionSection+" a").Last().AttrOr("href", ""); to != "/admin/webhooks?state=broken" {
		t.Errorf("it leads to %q", to)
	}
	put(a, "Second")
	put(says("First", "Third", "Fourth", "1 more webhook broke. Show them"), "more broken webhooks")
	a = says("First", "Third", "Fourth")
	for _, name := range []string{"First", "Third", "Fourth"} {
		put(a, name)
	}
	put(says("Fifth"), "Fifth")
	says()
}

func TestRoleIsNotSaidTwice(t *testing.T) {
	p := web.Page{User: models.User{Name: "Administrator", Role: models.RoleAdministrator}}
	if p.RoleShown() != "" {
		t.Errorf("it shows %q", p.RoleShown())
	}
	p.User.Name = "Mary"
	if p.RoleShown() != models.RoleAdministrator {
		t.Errorf("it shows %q", p.RoleShown())
	}
}

// TestNoticesCanBePutAside: a dismissed notice is gone until its condition
// recurs.
func TestNoticesCanBePutAside(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(nil)
	webtest.OK(t, c.Store.Webhooks.Break(t.Context(), w.ID, "The receiver answered 410 Gone."))
	for i, u := range []models.User{c.AddViewer(), c.Admin} {
		c.LogIn(u)
		button := c.Get("/admin/audit?about=x").Find("button[form=aside]")
		form := url.Values{"what": {button.AttrOr("value", "")}, "next": {"/admin/audit?about=x"}}
		a := c.Post("/attention", form).GoesTo("/admin/audit?about=x")
		resp := http.Response{Header: a.Header}
		c.Extra = resp.Cookies()
		if text := c.Get("/admin/webhooks").Text(attentionSection); text != "" {
			t.Errorf("put aside, it says %q", text)
		}
		c.Exec("update webhooks set state_at = ?", time.Now().Add(-time.Duration(i+1)*time.Hour))
		if text := c.Get("/admin/webhooks").Text(attentionSection); text == "" {
			t.Error("what broke anew is not said")
		}
		c.Extra = nil
	}
	c.Post("/attention", url.Values{"what": {"x; Path=/"}}).Want(http.StatusUnprocessableEntity)
}

// TestLateDispatchIsSaid: no jobs run here, and when something has been due for
// three intervals and 15 seconds, every page and the System page say so.
func TestLateDispatchIsSaid(t *testing.T) {
	c := webtest.NewConsole(t)
	c.AddEvent(1, "question.created", "")
	says := func(want string) {
		t.Helper()
		for path, where := range map[string]string{"/admin/audit": attentionSection, "/admin/system": "dl.facts"} {
			text := c.Get(path).Text(where)
			if path == "/admin/audit" && want == "" && text != "" || !strings.Contains(text, want) {
				t.Errorf("%s says %q, want %q", path, text, want)
			}
		}
	}
	settings, err := c.Store.Settings.Get(t.Context())
	webtest.OK(t, err)
	limit := settings.DispatchDelay + 3*settings.DispatchInterval + 15*time.Second
	received := func(ago time.Duration) {
		c.Exec("update pending_events set received_at = ?", time.Now().Add(-ago).UTC())
	}
	received(limit - 10*time.Second)
	says("")
	if text := c.Get("/admin/system").Text("dl.facts"); !strings.Contains(text, "On time") {
		t.Errorf("the System page says %q", text)
	}
	received(limit + time.Second)
	says("ate: an event has been due since")
	c.Exec("delete from pending_events")
	says("")
}

// TestClocksThatDifferAreSaid: the System page has each instance's clock, and
// more than five seconds stand on every page, until they are put right.
func TestClocksThatDifferAreSaid(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		for _, step := range []struct {
			ahead        time.Duration
			cell, banner string
		}{
			{0, "in step", ""},
			{4 * time.Second, "4 s ahead", ""},
			{90*time.Second + 100*time.Millisecond, "90 s ahead", "Compared with the database, the clock of web-1 is 90 s ahead."},
			{-90 * time.Second, "90 s behind", "Compared with the database, the clock of web-1 is 90 s behind."},
			{0, "in step", ""},
		} {
			c.ClockAhead = step.ahead
			webtest.OK(t, c.Store.Instances.Seen(t.Context(), models.Instance{ID: "a", Name: "web-1", Role: "all", Version: "1"}))
			if got := c.Get("/admin/system").Text("section[aria-labelledby=al] td[data-l^=Clock]"); got != step.cell {
				t.Errorf("ahead by %s: the System page says %q", step.ahead, got)
			}
			if got := c.Get("/admin/audit").Text(attentionSection); !strings.HasPrefix(got, step.banner) || (got == "") != (step.banner == "") {
				t.Errorf("ahead by %s: the banner says %q", step.ahead, got)
			}
		}
	})
}
