package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestASilentSourceIsOnEveryPage until it reports again; who may not see its
// location does not hear of it.
func TestASilentSourceIsOnEveryPage(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		ctx := t.Context()
		_, _, err := c.Store.Sources.Create(ctx, models.Actor{Name: "Mary"}, "forum", models.SourceInput{Kind: "generic", Location: "main", ExpectHours: 1})
		webtest.OK(t, err)
		banner := func() string {
			t.Helper()
			return c.Get("/admin/locations").Want(http.StatusOK).Text(`section[aria-label="What needs attention"]`)
		}
		if text := banner(); text != "" {
			t.Errorf("at first it says %s", text)
		}
		long := time.Now().UTC().Add(-2 * time.Hour)
		c.Exec("update sources set updated_at = ?", long)
		n, err := c.Store.Sources.Silence(ctx)
		webtest.OK(t, err)
		if text := banner(); n != 1 || !strings.Contains(text, "Source silent: forum has reported nothing since") {
			t.Errorf("%d are silent: %s", n, text)
		}
		limited := c.AddUser(models.User{
			Email: "lim@example.com", Name: "Lim", PasswordHash: webtest.AdminHash(), Role: models.RoleViewer, Limited: true, Locations: []string{"python-wranglers"},
		})
		c.LogIn(limited)
		if text := banner(); text != "" {
			t.Errorf("a member of another location reads %s", text)
		}
		c.LogIn(c.Admin)

		// It can be put aside, and comes back when the condition recurs.
		key := c.Get("/admin/locations").Find(`button[name="what"]`).AttrOr("value", "")
		a := c.Post("/attention", url.Values{"what": {key}, "next": {"/admin/locations"}}).Want(http.StatusSeeOther)
		cookie, err := http.ParseSetCookie(a.Header.Get("Set-Cookie"))
		webtest.OK(t, err)
		c.Extra = []*http.Cookie{cookie}
		if text := banner(); text != "" {
			t.Errorf("put aside it says %s", text)
		}
		c.Extra = nil

		webtest.OK(t, c.Store.Sources.Keep(ctx, &models.SourceRequest{Source: "forum", Verified: true, State: models.RequestAccepted, Accepted: 1}))
		if text := banner(); text != "" {
			t.Errorf("after an event it says %s", text)
		}
		webtest.OK(t, c.Store.Sources.Keep(ctx, &models.SourceRequest{Source: "forum", Verified: true, State: models.RequestRefused, Reason: "The body is not JSON."}))
		if text := banner(); !strings.Contains(text, "Source failing: forum. The body is not JSON.") {
			t.Errorf("failing: %s", text)
		}
		webtest.OK(t, c.Store.Sources.Delete(ctx, models.Actor{Name: "Mary"}, "forum"))
		_, err = c.Store.Sources.PutCursor(ctx, models.Actor{}, "answer", models.CursorInput{Holder: "a", BehindSeconds: 400, Lease: time.Minute})
		webtest.OK(t, err)
		if text := banner(); !strings.Contains(text, "Source behind: answer is behind by 6 min") {
			t.Errorf("behind: %s", text)
		}
		for i := range 7 { // two more than the other five lines
			name := fmt.Sprint("failing-", i)
			_, _, err := c.Store.Sources.Create(ctx, models.Actor{Name: "Mary"}, name, models.SourceInput{Kind: "generic", Location: "main"})
			webtest.OK(t, err)
			webtest.OK(t, c.Store.Sources.Keep(ctx, &models.SourceRequest{Source: name, Verified: true, State: models.RequestRefused, Reason: "It is not JSON."}))
		}
		if text := banner(); !strings.Contains(text, "failing-3") || strings.Contains(text, "failing-4") || !strings.Contains(text, "Something is wrong with 3 more sources. See Sources.") {
			t.Errorf("eight sources: %s", text)
		}
	})
}
