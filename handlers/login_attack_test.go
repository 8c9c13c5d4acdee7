package handlers

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestManyWrongPasswordsAtOnce: guesses that come at the same moment are
// counted one by one, as those that come in turn.
func TestManyWrongPasswordsAtOnce(t *testing.T) {
	c := newConsole(t)
	c.cookie = ""
	var tried, refused, other atomic.Int64
	var all sync.WaitGroup
	for range 3 * failuresHere {
		all.Go(func() {
			switch a := c.post("/login", credentials("wrong")); a.Status {
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
	if n := tried.Load(); n != failuresHere || refused.Load() == 0 || other.Load() > 0 {
		t.Errorf("%d guesses were checked, %d refused, %d neither", n, refused.Load(), other.Load())
	}
	c.post("/login", credentials(adminPassword)).want(http.StatusTooManyRequests)
}

// TestTwelveWrongLogins: the eleventh and the twelfth are refused.
func TestTwelveWrongLogins(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		c.cookie = ""
		for n := 1; n <= 12; n++ {
			want := http.StatusUnauthorized
			if n > 10 {
				want = http.StatusTooManyRequests
			}
			a := c.post("/login", credentials("wrong")).want(want)
			if n > 10 && a.Header.Get("Retry-After") == "" {
				t.Errorf("login %d: no Retry-After", n)
			}
		}
	})
}

// TestStolenCookieIsDead: what somebody copied opens nothing any more once its
// owner signed out, changed the password, was given another, or was removed,
// nor does a cookie that was made up.
func TestStolenCookieIsDead(t *testing.T) {
	const login = "/login?next=%2Fadmin%2Fwebhooks"
	onBoth(t, func(t *testing.T, c *console) {
		viewer := c.addViewer()
		for what, end := range map[string]func(){
			"signed out":       func() { c.post("/logout", nil).goesTo("/login") },
			"password changed": func() { ok(t, c.store.Users.SetPassword(t.Context(), viewer.ID, adminHash())) },
			"given another": func() {
				_, err := c.store.Users.GivePassword(t.Context(), c.admin.Actor(), viewer.ID, adminHash())
				ok(t, err)
			},
			"session store lost": func() { c.exec("delete from sessions") },
		} {
			c.logIn(viewer)
			stolen := c.cookie
			c.get("/admin/webhooks").want(http.StatusOK)
			end()
			c.cookie = stolen
			if a := c.get("/admin/webhooks"); a.Status != http.StatusSeeOther || a.Header.Get("Location") != login {
				t.Errorf("%s: %d", what, a.Status)
			}
			c.exec("update users set must_change_password = false")
		}
		c.logIn(viewer)
		stolen := c.cookie
		_, err := c.store.Users.Remove(t.Context(), c.admin.Actor(), viewer.ID)
		ok(t, err)
		c.cookie = stolen
		c.get("/admin/webhooks").goesTo(login)
		for _, made := range []string{"session-of-" + c.admin.Email, sessionKey("session-of-" + c.admin.Email), stolen + "x", "", "a|b|c"} {
			c.cookie = made
			c.get("/admin/webhooks").goesTo(login)
		}
	})
}

// TestLogInsAreInTheAudit: who logged in and out, when, how and from where.
func TestLogInsAreInTheAudit(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		c.cookie = ""
		c.post("/login", credentials("wrong")).want(http.StatusUnauthorized)
		c.cookie = sessionOf(t, c.post("/login", credentials(adminPassword)).want(http.StatusSeeOther)).Value
		c.post("/logout", nil).goesTo("/login")
		c.post("/logout", nil).goesTo("/login") // of nobody
		c.logIn(c.admin)
		a := c.get("/admin/audit?about=login").want(http.StatusOK)
		text := a.text("tbody")
		if a.Find("tbody tr").Length() != 2 || !strings.Contains(text, "Logged in") || !strings.Contains(text, "Logged out") || strings.Count(text, "127.0.0.1") != 2 {
			t.Errorf("the audit says %q", text)
		}
	})
}
