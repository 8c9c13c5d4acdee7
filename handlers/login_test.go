package handlers

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/sitehooks/sitehooks/models"
)

func TestLogin(t *testing.T) {
	c := newConsole(t)
	c.cookie = ""
	page := c.get("/login?next=/admin/deliveries").want(http.StatusOK)
	if page.text("label[for=email]") != "Email" || page.text("label[for=password]") != "Password" || page.text("button") != "Log in" {
		t.Errorf("the page says %q", page.text("main"))
	}
	a := c.post("/login", credentials(adminPassword)).goesTo("/admin/deliveries")
	cookie := sessionOf(t, a)
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Secure || len(cookie.Value) < 43 {
		t.Errorf("cookie %v", cookie)
	}
	if _, err := c.store.Sessions.Get(t.Context(), cookie.Value); err == nil {
		t.Error("the session is stored under what the cookie says")
	}
	c.cookie = cookie.Value
	c.get("/login?next=/admin/deliveries").goesTo("/admin/deliveries")
	c.get("/").goesTo("/admin/webhooks")

	// Logging in again makes a new session and ends the old one.
	again := sessionOf(t, c.post("/login", credentials(adminPassword)).want(http.StatusSeeOther))
	if again.Value == cookie.Value {
		t.Error("the session's id stays the same")
	}
	c.get("/admin/webhooks").want(http.StatusSeeOther)

	// Only POST logs out, and it does so on the server.
	c.cookie = again.Value
	c.get("/logout").want(http.StatusMethodNotAllowed)
	c.get("/admin/webhooks").want(http.StatusOK)
	if gone := sessionOf(t, c.post("/logout", nil).goesTo("/login")); gone.MaxAge >= 0 {
		t.Error("the cookie stays")
	}
	c.get("/admin/webhooks").goesTo("/login?next=%2Fadmin%2Fwebhooks")
}

// TestHashesCostWhatTheyShould: what is stored, and what the password of
// nobody is compared with, take 19 MiB and two passes to try a password on.
func TestHashesCostWhatTheyShould(t *testing.T) {
	stored, err := HashPassword(adminPassword)
	ok(t, err)
	for name, hash := range map[string]string{"stored": stored, "of nobody": decoy} {
		params, _, _, err := argon2id.DecodeHash(hash)
		ok(t, err)
		if params.Memory != 19<<10 || params.Iterations != 2 || params.Parallelism != 1 || params.SaltLength != 16 || params.KeyLength != 32 {
			t.Errorf("%s: %+v", name, *params)
		}
	}
	for password, want := range map[string]bool{adminPassword: true, adminPassword + " ": false} {
		if got, err := newPasswords().match(password, stored); err != nil || got != want {
			t.Errorf("%q matches: %v %v, want %v", password, got, err, want)
		}
	}
}

func TestSessionEnds(t *testing.T) {
	c := newConsole(t)
	now := time.Now().UTC()
	for _, test := range []struct {
		seen, created time.Duration
		want          int
	}{
		{2 * time.Minute, 6 * 24 * time.Hour, http.StatusOK},
		{13 * time.Hour, 13 * time.Hour, http.StatusSeeOther},
		{time.Minute, 7*24*time.Hour + time.Minute, http.StatusSeeOther},
	} {
		c.exec("update sessions set seen_at = ?, created_at = ?", now.Add(-test.seen), now.Add(-test.created))
		c.get("/admin/webhooks").want(test.want)
		session, err := c.store.Sessions.Get(t.Context(), sessionKey("session-of-"+c.admin.Email))
		if test.want == http.StatusOK && (err != nil || session.SeenAt.Before(now.Add(-time.Second))) {
			t.Errorf("seen at %v, %v", session.SeenAt, err)
		}
	}
}

func TestCookieIsSecureOverHTTPS(t *testing.T) {
	c := newConsole(t, func(d *Deps) { d.BaseURL = &url.URL{Scheme: "https", Host: "console.example.com"} })
	c.cookie = ""
	if !sessionOf(t, c.post("/login", credentials(adminPassword))).Secure {
		t.Error("the session cookie may go over http")
	}
}

func TestNextStaysOnTheSite(t *testing.T) {
	for next, want := range map[string]string{
		"/admin/deliveries?state=failed": "/admin/deliveries?state=failed",
		"":                               "/admin/webhooks", "https://evil.example/": "/admin/webhooks", "//evil.example": "/admin/webhooks",
		"/\\evil.example": "/admin/webhooks", "/\t/evil.example": "/admin/webhooks", "/\r\nX: y": "/admin/webhooks",
		"javascript:alert(1)": "/admin/webhooks",
	} {
		if got := localPath(next); got != want {
			t.Errorf("localPath(%q) = %q, want %q", next, got, want)
		}
	}
}

func TestWrongPasswordIsSlowedDown(t *testing.T) {
	c := newConsole(t)
	c.cookie = ""
	for range failuresHere {
		a := c.post("/login", credentials("wrong")).want(http.StatusUnauthorized)
		if !strings.Contains(a.text("[role=alert]"), "wrong") || a.Find("#email").AttrOr("value", "") == "" || a.Find("#password").AttrOr("value", "") != "" {
			t.Fatalf("the page says %q", a.text("main"))
		}
	}
	a := c.post("/login", credentials("wrong")).want(http.StatusTooManyRequests)
	if n, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || n < 1 || n > 900 {
		t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
	}
	for wait, want := range map[time.Duration]string{899 * time.Second: "15 min", 900 * time.Second: "15 min", 841 * time.Second: "15 min", time.Second: "1 s", 59*time.Second + 1: "1 min"} {
		if got := tooManyPasswords(wait); !strings.HasSuffix(got, " in "+want+".") {
			t.Errorf("%s to wait is said as %q, want %q", wait, got, want)
		}
	}
	// From now on a right guess is not told from a wrong one.
	c.post("/login", credentials(adminPassword)).want(http.StatusTooManyRequests)
	// Another account is not concerned.
	c.post("/login", url.Values{"email": {"nobody@example.com"}, "password": {"x"}}).want(http.StatusUnauthorized)
	c.post("/login", url.Values{"email": {"a\x00b"}, "password": {"x"}}).want(http.StatusUnauthorized)
}

func TestRightPasswordForgetsTheWrongOnes(t *testing.T) {
	c := newConsole(t)
	c.cookie = ""
	for range 2 {
		for range failuresHere - 1 {
			c.post("/login", credentials("wrong")).want(http.StatusUnauthorized)
		}
		c.post("/login", credentials(adminPassword)).want(http.StatusSeeOther)
	}
}

func TestGivenPasswordMustBeChangedFirst(t *testing.T) {
	c := newConsole(t)
	u := c.addUser(models.User{
		Email: "new@example.com", Name: "New", PasswordHash: adminHash(), Role: models.RoleAdministrator, MustChangePassword: true,
	})
	c.logIn(u)
	for _, path := range []string{"/admin/webhooks?q=a&sort=team", "/", "/developer/site-settings", "/admin/nothing"} {
		c.get(path).goesTo(passwordPath + "?next=" + url.QueryEscape(path))
	}
	c.post("/admin/webhooks/1/pause", nil).goesTo(passwordPath)
	const wanted = "/admin/webhooks?q=a&sort=team"
	if next := c.get(passwordPath + "?next=" + url.QueryEscape(wanted)).want(http.StatusOK).form().Get("next"); next != wanted {
		t.Errorf("the form leads to %q", next)
	}

	form := url.Values{"next": {wanted}, "password": {"wrong"}, "new_password": {"short"}, "new_password_again": {"other"}}
	a := c.post(passwordPath, form).want(http.StatusUnprocessableEntity)
	for _, field := range []string{"password", "new_password", "new_password_again"} {
		if a.text("#"+field+"-err") == "" || a.Find("#"+field).AttrOr("aria-invalid", "") != "true" {
			t.Errorf("no fault at %s", field)
		}
	}
	if next := a.form().Get("next"); next != wanted {
		t.Errorf("the refused form leads to %q", next)
	}
	form = url.Values{"password": {adminPassword}, "new_password": {adminPassword}, "new_password_again": {adminPassword}}
	c.post(passwordPath, form).want(http.StatusUnprocessableEntity)

	old := c.cookie
	form = url.Values{"next": {wanted}, "password": {adminPassword}, "new_password": {"another good one"}, "new_password_again": {"another good one"}}
	c.cookie = sessionOf(t, c.post(passwordPath, form).goesTo(wanted)).Value
	c.get("/admin/webhooks").want(http.StatusOK)
	c.cookie = old
	c.get("/admin/webhooks").want(http.StatusSeeOther)
}
