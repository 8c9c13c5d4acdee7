package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// An owner is told once that what a paused webhook holds has used half of its
// time.
func TestOwnersAreToldThatNotificationsExpire(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		box, server := newMailbox(t)
		_, trust := apptest.NewTypesReceiver(t)
		env := append(withMail(t, kind, server), trust)
		in := apptest.Serve(t, env)
		admin := in.Login()
		admin.Quick()
		admin.CreateWebhook(apptest.WebhookForm(apptest.NewReceiver(t).URL))
		if paused := admin.Post("/admin/webhooks/1/pause", url.Values{}); paused.Code != http.StatusSeeOther {
			t.Fatalf("pause: %d", paused.Code)
		}
		in.Accept(apptest.QuestionJSON("held", 1, ""))
		apptest.Eventually(t, "the notification is held", func() bool {
			return strings.Contains(admin.Get("/admin/webhooks/1").Body, "Resume and send 1 held")
		})
		in = restarted(t, in, env, func() {
			backdate(t, env, kind, 16*24*time.Hour, "webhooks.state_at", "deliveries.created_at")
		})
		message := box.only(t, apptest.AdminEmail, "expire soon")
		want := []string{"Notifications of webhook Everything expire soon", "1 notification waits. The first is dropped on "}
		checkLetter(t, in, message, want, "/admin/webhooks/1", "/account")

		in = restarted(t, in, env, func() {})
		collected(t, in, box)
		box.only(t, apptest.AdminEmail, "expire soon")
	})
}

// An owner gets one message a day about all webhooks that fail.
func TestOwnersAreToldDailyWhatFails(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		box, server := newMailbox(t)
		_, trust := apptest.NewTypesReceiver(t)
		env := append(withMail(t, kind, server), trust)
		begun, in := time.Now(), apptest.Serve(t, env)
		admin := in.Login()
		admin.Quick()
		faulty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
		t.Cleanup(faulty.Close)
		for _, name := range []string{"First", "Second"} {
			form := apptest.WebhookForm(faulty.URL)
			form.Set("name", name)
			admin.CreateWebhook(form)
		}
		for i := range 3 { // each in a delivery of its own
			in.Accept(apptest.QuestionJSON(fmt.Sprint("event", i), i+1, ""))
			apptest.Eventually(t, "the event is dispatched", func() bool {
				return strings.Count(admin.Get("/admin/deliveries").Body, `<tr data-id="`) == 2*(i+1)
			})
		}
		apptest.Eventually(t, "both webhooks fail", func() bool {
			return strings.Contains(admin.Get("/admin/webhooks/1").Body, "Failing") && strings.Contains(admin.Get("/admin/webhooks/2").Body, "Failing")
		})
		in = restarted(t, in, env, func() {})
		message := box.only(t, apptest.AdminEmail, "failing")
		checkLetter(t, in, message, []string{"2 webhooks are failing", "First (Main site)", "Second (Main site)", "The receiver answered 500 Internal Server Error."}, "/admin/webhooks/1", "/admin/webhooks/2", "/account")

		in = restarted(t, in, env, func() {})
		collected(t, in, box)
		today := len(failing(box))
		if today != 1 && time.Now().UTC().Day() == begun.UTC().Day() {
			t.Errorf("%d messages on one day", today)
		}
		restarted(t, in, env, func() {
			db := openDatabase(t, env)
			apptest.Exec(t, db, "update mails set about = 'failing 2001-01-01' where kind = 'failing'")
			ok(t, db.Close())
		})
		apptest.Eventually(t, "the next day's message", func() bool { return len(failing(box)) > today })
	})
}

func failing(box *mailbox) []letter {
	return slices.DeleteFunc(box.got(apptest.AdminEmail), func(l letter) bool { return !strings.Contains(l.Subject, "failing") })
}

// restarted stops an instance, changes its database, and starts another at the
// same address, which looks for something to tell at once.
func restarted(t *testing.T, in *apptest.Instance, env []string, change func()) *apptest.Instance {
	t.Helper()
	ok(t, in.Terminate())
	change()
	return apptest.Serve(t, env, "SITEHOOKS_ADDR="+strings.TrimPrefix(in.Base, "http://"))
}

// backdate moves times in the database, which are microseconds on SQLite.
func backdate(t *testing.T, env []string, kind string, by time.Duration, columns ...string) {
	t.Helper()
	db := openDatabase(t, env)
	ago := fmt.Sprintf("interval '%d seconds'", int(by.Seconds()))
	if kind == "sqlite" {
		ago = strconv.FormatInt(by.Microseconds(), 10)
	}
	for _, name := range columns {
		table, column, _ := strings.Cut(name, ".")
		apptest.Exec(t, db, fmt.Sprintf("update %s set %s = %[2]s - %s", table, column, ago))
	}
	ok(t, db.Close())
}

// collected waits until an instance has sent all that it found to tell when it
// began: a link that is asked for later goes out after it.
func collected(t *testing.T, in *apptest.Instance, box *mailbox) {
	t.Helper()
	name := strings.ToLower(t.Name()[strings.LastIndex(t.Name(), "/")+1:])
	email := fmt.Sprintf("%s-%d@example.com", name, len(box.got(apptest.AdminEmail)))
	in.Login().Post("/admin/members", url.Values{"email": {email}, "role": {"viewer"}})
	box.only(t, email, "You can log in")
}

var letterLink = regexp.MustCompile(`https?://[^\s"<]+[^\s"<.]`)

// checkLetter looks for words and pages in both texts of a letter, and follows
// every link.
func checkLetter(t *testing.T, in *apptest.Instance, l letter, words []string, pages ...string) {
	t.Helper()
	admin := in.Login()
	for _, text := range []string{l.Subject + "\n" + l.Plain, l.HTML} {
		for _, word := range words {
			if !strings.Contains(text, word) {
				t.Errorf("it does not say %q:\n%s", word, text)
			}
		}
		links := letterLink.FindAllString(text, -1)
		for _, page := range pages {
			if !slices.Contains(links, in.Base+page) {
				t.Errorf("no link to %s in %q", page, links)
			}
		}
		for _, link := range links {
			path, own := strings.CutPrefix(link, in.Base)
			if a := admin.Get(path); !own || a.Code != http.StatusOK && path != "" {
				t.Errorf("%s: %d", link, a.Code)
			}
		}
	}
}
