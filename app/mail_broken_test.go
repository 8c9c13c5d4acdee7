package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// Of a webhook that breaks its owner is told, or all administrators when it has
// none, and the address of its settings: each once, but no member who wants no
// e-mail.
func TestOwnersAreToldThatAWebhookBroke(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		box, server := newMailbox(t)
		_, trust := apptest.NewTypesReceiver(t)
		env := append(withMail(t, kind, server), trust)
		in := apptest.Serve(t, env)
		gone := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Hook-Test") == "" { // SuperOffice's webhooks are tested before they are saved
				w.WriteHeader(http.StatusGone)
			}
		}))
		t.Cleanup(gone.Close)
		admin := in.Login()
		admin.Quick()
		jane, kim := "jane@example.com", "kim@example.com"
		invited(t, in, box, jane, "administrator")
		invited(t, in, box, "viewer@example.com", "viewer")
		quiet := invited(t, in, box, kim, "administrator")
		if a := quiet.Post("/account", url.Values{}); a.Code != http.StatusSeeOther {
			t.Fatalf("switch e-mail off: %d", a.Code)
		}
		named := func(b *apptest.Browser, name string) {
			form := apptest.WebhookForm(gone.URL)
			form.Set("name", name)
			b.CreateWebhook(form)
		}
		named(admin, "Owned")
		named(admin, "Orphan")
		named(quiet, "Quiet")
		form := apptest.TypeForm("superoffice", gone.URL)
		form.Set("option_errors_email", "crm@example.com")
		admin.CreateType("superoffice", form)
		in = restarted(t, in, env, func() {
			db := openDatabase(t, env)
			apptest.Exec(t, db, "update webhooks set owner_id = 0 where name = 'Orphan'")
			ok(t, db.Close())
		})
		in.Accept(apptest.QuestionJSON("event", 1, ""))
		apptest.Eventually(t, "all four are broken", func() bool {
			for n := range 4 {
				if !strings.Contains(admin.Get(fmt.Sprintf("/admin/webhooks/%d", n+1)).Body, "Sitehooks stopped sending") {
					return false
				}
			}
			return true
		})
		in = restarted(t, in, env, func() {})
		for _, want := range []struct {
			to, name, foot string
			pages          []string
		}{
			{apptest.AdminEmail, "Owned", "because you own the webhook", []string{"/admin/webhooks/1", "/account"}},
			{apptest.AdminEmail, "Orphan", "because it has no owner", []string{"/admin/webhooks/2", "/account"}},
			{jane, "Orphan", "because it has no owner", []string{"/admin/webhooks/2", "/account"}},
			{apptest.AdminEmail, "To superoffice", "because you own the webhook", []string{"/admin/webhooks/4", "/account"}},
			{"crm@example.com", "To superoffice", "because your address is in the webhook", []string{"/admin/webhooks/4"}},
		} {
			l := box.only(t, want.to, want.name+" is broken")
			checkLetter(t, in, l, []string{"Webhook " + want.name + " is broken", "410 Gone", want.foot}, want.pages...)
		}

		// What fails afterwards is nothing new.
		for n := range 4 {
			admin.Post(fmt.Sprintf("/admin/webhooks/%d/test", n+1), url.Values{})
		}
		in.Accept(apptest.QuestionJSON("another", 2, ""))
		in = restarted(t, in, env, func() {})
		collected(t, in, box)
		welcome := "You can log in to Sitehooks"
		for to, want := range map[string][]string{
			apptest.AdminEmail:   {"Webhook Orphan is broken", "Webhook Owned is broken", "Webhook To superoffice is broken"},
			jane:                 {"Webhook Orphan is broken", welcome},
			kim:                  {welcome},
			"viewer@example.com": {welcome},
			"crm@example.com":    {"Webhook To superoffice is broken"},
		} {
			var got []string
			for _, l := range box.got(to) {
				got = append(got, l.Subject)
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("%s got %q", to, got)
			}
		}
	})
}

// invited is a browser of a new member who chose a password by the letter.
func invited(t *testing.T, in *apptest.Instance, box *mailbox, email, role string) *apptest.Browser {
	t.Helper()
	in.Login().Post("/admin/members", url.Values{"email": {email}, "role": {role}})
	b := in.Browser()
	choose(t, b, box.only(t, email, "You can log in"), "battery staple horse")
	return b
}
