package account_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/account"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
)

// TestManyWrongPasswordsAtOnce: guesses that come at the same moment are
// counted one by one, as those that come in turn.
func TestManyWrongPasswordsAtOnce(t *testing.T) {
	c := webtest.NewConsole(t)
	c.Cookie = ""
	var tried, refused, other atomic.Int64
	var all sync.WaitGroup
	for range 3 * account.FailuresHere {
		all.Go(func() {
			switch a := c.Post("/login", webtest.Credentials("wrong")); a.Status {
			case http.StatusUnauthorized:
				tried.Add(1)
			case http.StatusTooManyRequests:
				refused.Add(1)
			default:
				other.Add(1)
			}
		})
	}
	all.Wait()
	if n := tried.Load(); n != account.FailuresHere || refused.Load() == 0 || other.Load() > 0 {
		t.Errorf("%d guesses were checked, %d refused, %d neither", n, refused.Load(), other.Load())
	}
	c.Post("/login", webtest.Credentials(webtest.AdminPassword)).Want(http.StatusTooManyRequests)
}

// TestTwelveWrongLogins: the eleventh and the twelfth are refused.
func TestTwelveWrongLogins(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		c.Cookie = ""
		for n := 1; n <= 12; n++ {
			want := http.StatusUnauthorized
			if n > 10 {
				want = http.StatusTooManyRequests
			}
			a := c.Post("/login", webtest.Credentials("wrong")).Want(want)
			if n > 10 && a.Header.Get("Retry-After") == "" {
				t.Errorf("login %d: no Retry-After", n)
			}
		}
	})
}

// TestStolenCookieIsDead: a copied cookie is not accepted after its owner
// signed out, changed the password, got a new one, or was removed, and neither
// is a made-up cookie.
func TestStolenCookieIsDead(t *testing.T) {
	const login = "/login?next=%2Fadmin%2Fwebhooks"
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		viewer := c.AddViewer()
		for what, end := range map[string]func(){
			"signed out":       func() { c.Post("/logout", nil).GoesTo("/login") },
			"password changed": func() { webtest.OK(t, c.Store.Users.SetPassword(t.Context(), viewer.ID, webtest.AdminHash())) },
			"given another": func() {
				_, err := c.Store.Users.GivePassword(t.Context(), c.Admin.Actor(), viewer.ID, webtest.AdminHash())
				webtest.OK(t, err)
			},
			"session store lost": func() { c.Exec("delete from sessions") },
		} {
			c.LogIn(viewer)
			stolen := c.Cookie
			c.Get("/admin/webhooks").Want(http.StatusOK)
			end()
			c.Cookie = stolen
			if a := c.Get("/admin/webhooks"); a.Status != http.StatusSeeOther || a.Header.Get("Location") != login {
				t.Errorf("%s: %d", what, a.Status)
			}
			c.Exec("update users set must_change_password = false")
		}
		c.LogIn(viewer)
		stolen := c.Cookie
		_, err := c.Store.Users.Remove(t.Context(), c.Admin.Actor(), viewer.ID)
		webtest.OK(t, err)
		c.Cookie = stolen
		c.Get("/admin/webhooks").GoesTo(login)
		for _, made := range []string{"session-of-" + c.Admin.Email, web.SessionKey("session-of-" + c.Admin.Email), stolen + "x", "", "a|b|c"} {
			c.Cookie = made
			c.Get("/admin/webhooks").GoesTo(login)
		}
	})
}

// TestLogInsAreInTheAudit: log-ins and sign-outs with member, time, method and
// address.
func TestLogInsAreInTheAudit(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		c.Cookie = ""
		c.Post("/login", webtest.Credentials("wrong")).Want(http.StatusUnauthorized)
		c.Cookie = webtest.SessionOf(t, c.Post("/login", webtest.Credentials(webtest.AdminPassword)).Want(http.StatusSeeOther)).Value
		c.Post("/logout", nil).GoesTo("/login")
		c.Post("/logout", nil).GoesTo("/login") // of nobody
		c.LogIn(c.Admin)
		a := c.Get("/admin/audit?about=login").Want(http.StatusOK)
		text := a.Text("tbody")
		if a.Find("tbody tr").Length() != 2 || !strings.Contains(text, "Logged in") || !strings.Contains(text, "Logged out") || strings.Count(text, "127.0.0.1") != 2 {
			t.Errorf("the audit says %q", text)
		}
	})
}
