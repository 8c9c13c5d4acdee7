package account_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/account"
	"github.com/sitehooks/sitehooks/handlers/passwords"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func TestLogin(t *testing.T) {
	c := webtest.NewConsole(t)
	c.Cookie = ""
	page := c.Get("/login?next=/admin/deliveries").Want(http.StatusOK)
	if page.Text("label[for=email]") != "Email" || page.Text("label[for=password]") != "Password" || page.Text("button") != "Log in" {
		t.Errorf("the page says %q", page.Text("main"))
	}
	a := c.Post("/login", webtest.Credentials(webtest.AdminPassword)).GoesTo("/admin/deliveries")
	cookie := webtest.SessionOf(t, a)
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Secure || len(cookie.Value) < 43 {
		t.Errorf("cookie %v", cookie)
	}
	if _, err := c.Store.Sessions.Get(t.Context(), cookie.Value); err == nil {
		t.Error("the session is stored under what the cookie says")
	}
	c.Cookie = cookie.Value
	c.Get("/login?next=/admin/deliveries").GoesTo("/admin/deliveries")
	c.Get("/").GoesTo("/admin")

	// Logging in again makes a new session and ends the old one.
	again := webtest.SessionOf(t, c.Post("/login", webtest.Credentials(webtest.AdminPassword)).Want(http.StatusSeeOther))
	if again.Value == cookie.Value {
		t.Error("the session's id stays the same")
	}
	c.Get("/admin/webhooks").Want(http.StatusSeeOther)

	// Only POST logs out, and it does so on the server.
	c.Cookie = again.Value
	c.Get("/logout").Want(http.StatusMethodNotAllowed)
	c.Get("/admin/webhooks").Want(http.StatusOK)
	if gone := webtest.SessionOf(t, c.Post("/logout", nil).GoesTo("/login")); gone.MaxAge >= 0 {
		t.Error("the cookie stays")
	}
	c.Get("/admin/webhooks").GoesTo("/login?next=%2Fadmin%2Fwebhooks")
}

// TestHashesCostWhatTheyShould: stored hashes, and the decoy for unknown users,
// take 19 MiB and two passes for each check.
func TestHashesCostWhatTheyShould(t *testing.T) {
	stored, err := passwords.Hash(webtest.AdminPassword)
	webtest.OK(t, err)
	for name, hash := range map[string]string{"stored": stored, "of nobody": passwords.Decoy} {
		params, _, _, err := argon2id.DecodeHash(hash)
		webtest.OK(t, err)
		if params.Memory != 19<<10 || params.Iterations != 2 || params.Parallelism != 1 || params.SaltLength != 16 || params.KeyLength != 32 {
			t.Errorf("%s: %+v", name, *params)
		}
	}
	for password, want := range map[string]bool{webtest.AdminPassword: true, webtest.AdminPassword + " ": false} {
		if got, err := passwords.New(web.BusyWait).Match(password, stored); err != nil || got != want {
			t.Errorf("%q matches: %v %v, want %v", password, got, err, want)
		}
	}
}

func TestSessionEnds(t *testing.T) {
	c := webtest.NewConsole(t)
	now := time.Now().UTC()
	for _, test := range []struct {
		seen, created time.Duration
		want          int
	}{
		{2 * time.Minute, 6 * 24 * time.Hour, http.StatusOK},
		{13 * time.Hour, 13 * time.Hour, http.StatusSeeOther},
		{time.Minute, 7*24*time.Hour + time.Minute, http.StatusSeeOther},
	} {
		c.Exec("update sessions set seen_at = ?, created_at = ?", now.Add(-test.seen), now.Add(-test.created))
		c.Get("/admin/webhooks").Want(test.want)
		session, err := c.Store.Sessions.Get(t.Context(), web.SessionKey("session-of-"+c.Admin.Email))
		if test.want == http.StatusOK && (err != nil || session.SeenAt.Before(now.Add(-time.Second))) {
			t.Errorf("seen at %v, %v", session.SeenAt, err)
		}
	}
}

func TestCookieIsSecureOverHTTPS(t *testing.T) {
	c := webtest.NewConsole(t, func(d *handlers.Deps) { d.BaseURL = &url.URL{Scheme: "https", Host: "console.example.com"} })
	c.Cookie = ""
	if !webtest.SessionOf(t, c.Post("/login", webtest.Credentials(webtest.AdminPassword))).Secure {
		t.Error("the session cookie may go over http")
	}
}

func TestNextStaysOnTheSite(t *testing.T) {
	for next, want := range map[string]string{
		"/admin/deliveries?state=failed": "/admin/deliveries?state=failed",
		"":                               "/admin", "https://evil.example/": "/admin", "//evil.example": "/admin",
		"/\\evil.example": "/admin", "/\t/evil.example": "/admin", "/\r\nX: y": "/admin",
		"javascript:alert(1)": "/admin",
	} {
		if got := web.LocalPath(next); got != want {
			t.Errorf("localPath(%q) = %q, want %q", next, got, want)
		}
	}
}

func TestWrongPasswordIsSlowedDown(t *testing.T) {
	c := webtest.NewConsole(t)
	c.Cookie = ""
	for range account.FailuresHere {
		a := c.Post("/login", webtest.Credentials("wrong")).Want(http.StatusUnauthorized)
		if !strings.Contains(a.Text("[role=alert]"), "Wrong email or password") || a.Find("#email").AttrOr("value", "") == "" || a.Find("#password").AttrOr("value", "") != "" {
			t.Fatalf("the page says %q", a.Text("main"))
		}
	}
	a := c.Post("/login", webtest.Credentials("wrong")).Want(http.StatusTooManyRequests)
	if n, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || n < 1 || n > 900 {
		t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
	}
	for wait, want := range map[time.Duration]string{899 * time.Second: "15 min", 900 * time.Second: "15 min", 841 * time.Second: "15 min", time.Second: "1 s", 59*time.Second + 1: "1 min"} {
		if got := account.TooManyPasswords(wait); !strings.HasSuffix(got, " in "+want+".") {
			t.Errorf("%s to wait is said as %q, want %q", wait, got, want)
		}
	}
	// From now on a right guess is not told from a wrong one.
	c.Post("/login", webtest.Credentials(webtest.AdminPassword)).Want(http.StatusTooManyRequests)
	// Another account is not concerned.
	c.Post("/login", url.Values{"email": {"nobody@example.com"}, "password": {"x"}}).Want(http.StatusUnauthorized)
	c.Post("/login", url.Values{"email": {"a\x00b"}, "password": {"x"}}).Want(http.StatusUnauthorized)
}

func TestRightPasswordForgetsTheWrongOnes(t *testing.T) {
	c := webtest.NewConsole(t)
	c.Cookie = ""
	for range 2 {
		for range account.FailuresHere - 1 {
			c.Post("/login", webtest.Credentials("wrong")).Want(http.StatusUnauthorized)
		}
		c.Post("/login", webtest.Credentials(webtest.AdminPassword)).Want(http.StatusSeeOther)
	}
}

func TestGivenPasswordMustBeChangedFirst(t *testing.T) {
	c := webtest.NewConsole(t)
	u := c.AddUser(models.User{
		Email: "new@example.com", Name: "New", PasswordHash: webtest.AdminHash(), Role: models.RoleAdministrator, MustChangePassword: true,
	})
	c.LogIn(u)
	for _, path := range []string{"/admin/webhooks?q=a&sort=team", "/", "/developer/site-settings", "/admin/nothing"} {
		c.Get(path).GoesTo(web.PasswordPath + "?next=" + url.QueryEscape(path))
	}
	c.Post("/admin/webhooks/1/pause", nil).GoesTo(web.PasswordPath)
	const wanted = "/admin/webhooks?q=a&sort=team"
	if next := c.Get(web.PasswordPath + "?next=" + url.QueryEscape(wanted)).Want(http.StatusOK).Form().Get("next"); next != wanted {
		t.Errorf("the form leads to %q", next)
	}

	form := url.Values{"next": {wanted}, "password": {"wrong"}, "new_password": {"short"}, "new_password_again": {"other"}}
	a := c.Post(web.PasswordPath, form).Want(http.StatusUnprocessableEntity)
	for _, field := range []string{"password", "new_password", "new_password_again"} {
		if a.Text("#"+field+"-err") == "" || a.Find("#"+field).AttrOr("aria-invalid", "") != "true" {
			t.Errorf("no fault at %s", field)
		}
	}
	if next := a.Form().Get("next"); next != wanted {
		t.Errorf("the refused form leads to %q", next)
	}
	form = url.Values{"password": {webtest.AdminPassword}, "new_password": {webtest.AdminPassword}, "new_password_again": {webtest.AdminPassword}}
	c.Post(web.PasswordPath, form).Want(http.StatusUnprocessableEntity)

	old := c.Cookie
	form = url.Values{"next": {wanted}, "password": {webtest.AdminPassword}, "new_password": {"another good one"}, "new_password_again": {"another good one"}}
	c.Cookie = webtest.SessionOf(t, c.Post(web.PasswordPath, form).GoesTo(wanted)).Value
	c.Get("/admin/webhooks").Want(http.StatusOK)
	c.Cookie = old
	c.Get("/admin/webhooks").Want(http.StatusSeeOther)
}
