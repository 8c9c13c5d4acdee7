package account_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/account"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func sendsMail(d *handlers.Deps) { d.SendsMail = true }

// chosen is the form of a link with a password.
func chosen(password string) url.Values {
	return url.Values{"new_password": {password}, "new_password_again": {password}}
}

const newPassword = "battery staple horse"

// TestForgottenPassword: the answer is the same for every address; a member who may
// log in gets one e-mail, and nobody else any.
func TestForgottenPassword(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		gone := c.AddUser(models.User{Email: "gone@example.com", Role: models.RoleViewer})
		_, err := c.Store.Users.Disable(t.Context(), c.Admin.Actor(), gone.ID)
		webtest.OK(t, err)
		c.Anew()
		login := c.Get("/login").Want(http.StatusOK)
		path := login.Find("main a[href='/login/forgot']").AttrOr("href", "")
		if form := c.Get(path).Want(http.StatusOK).Form(); !form.Has("email") {
			t.Fatalf("the form has the fields %v", form)
		}
		for _, email := range []string{"", "mary", "mary@"} {
			a := c.Post(path, url.Values{"email": {email}}).Want(http.StatusUnprocessableEntity)
			if a.Text("#email-err") == "" || a.Form().Get("email") != email {
				t.Errorf("%q: it says %q, the form has %v", email, a.Text("main"), a.Form())
			}
		}
		var said string
		for _, email := range []string{"nobody@example.com", gone.Email, webtest.AdminEmail, webtest.AdminEmail} {
			a := c.Post(path, url.Values{"email": {email}}).Want(http.StatusOK)
			text := strings.ReplaceAll(a.Text("main"), email, "ADDRESS")
			if said == "" {
				said = text
			}
			if text != said || !strings.Contains(text, "If ADDRESS is a member's address, a link") || !strings.Contains(text, "at most 5 such e-mails an hour") {
				t.Errorf("%s: it says %q", email, text)
			}
		}
		one, err := c.Store.Mails.Next(t.Context())
		webtest.OK(t, err)
		if one.Recipient != webtest.AdminEmail || one.Kind != models.MailPassword || one.UserID != c.Admin.ID {
			t.Errorf("an e-mail: %+v", one)
		}
		if another, err := c.Store.Mails.Next(t.Context()); err == nil {
			t.Errorf("another e-mail: %+v", another)
		}
		// An address group that guesses passwords gets none.
		c.Fail(account.FailuresGroup, func(int) models.LoginFrom { return models.LoginFrom{AddressGroup: "127.0.0.1"} })
		for range 2 { // the first one learns it from the database
			c.Post("/login", webtest.Credentials("wrong"))
		}
		a := c.Post(path, url.Values{"email": {webtest.AdminEmail}}).Want(http.StatusTooManyRequests)
		if a.Header.Get("Retry-After") == "" || !strings.Contains(a.Text("[role=alert]"), "Too many wrong passwords.") {
			t.Errorf("%v, it says %q", a.Header, a.Text("main"))
		}
	}, sendsMail)
}

func TestNoLinksWithoutEmail(t *testing.T) {
	c := webtest.NewConsole(t)
	c.Anew()
	if n := c.Get("/login").Find("a[href='/login/forgot']").Length(); n != 0 {
		t.Error("the login page offers a link")
	}
	for _, a := range []*webtest.Answer{c.Get("/login/forgot"), c.Post("/login/forgot", url.Values{"email": {webtest.AdminEmail}})} {
		if a.Want(http.StatusNotFound); !strings.Contains(a.Text("main"), "This installation sends no e-mail. Ask an administrator for a one-time password.") {
			t.Errorf("it says %q", a.Text("main"))
		}
	}
	if one, err := c.Store.Mails.Next(t.Context()); err == nil {
		t.Errorf("an e-mail: %+v", one)
	}
}

// TestOneTimeLinks: a link opens a form, changes nothing while the password is
// refused, and works once; it ends the member's sessions and other links.
func TestOneTimeLinks(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		member := c.AddViewer()
		c.LogIn(member)
		before := c.Cookie
		c.Get("/admin/webhooks").Want(http.StatusOK)
		link := func() string {
			token, err := c.Store.Users.MakeLink(t.Context(), member.ID)
			webtest.OK(t, err)
			return "/login/link/" + token
		}
		first, second := link(), link()
		c.Anew()
		a := c.Get(first).Want(http.StatusOK)
		if a.Header.Get("Cache-Control") != "no-store" || !strings.Contains(a.Text("main"), "For "+member.Email) || len(a.Form()) != 2 {
			t.Errorf("%v, it says %q, the form has %v", a.Header, a.Text("main"), a.Form())
		}
		for name, form := range map[string]url.Values{
			"empty": {}, "short": chosen("short"), "not the same": {"new_password": {newPassword}, "new_password_again": {newPassword + "x"}},
		} {
			a := c.Post(first, form).Want(http.StatusUnprocessableEntity)
			if a.Find("[role=alert] a[href^='#new_password']").Length() == 0 || strings.Contains(a.Body, newPassword) {
				t.Errorf("%s: it says %q", name, a.Text("[role=alert]"))
			}
		}
		expired := func(path string, answers ...*webtest.Answer) {
			t.Helper()
			for _, a := range append(answers, c.Get(path), c.Post(path, chosen(newPassword+" again"))) {
				if a.Want(http.StatusNotFound); !strings.Contains(a.Text("main"), "This link has expired or was used. Ask for a new one on the login page.") {
					t.Errorf("it says %q", a.Text("main"))
				}
			}
		}
		expired("/login/link/" + strings.Repeat("0", 64))

		a = c.Post(first, chosen(newPassword)).GoesTo("/admin")
		c.Cookie = webtest.SessionOf(t, a).Value
		if got := c.Flash(a); got != "Your password was saved." {
			t.Errorf("it says %q", got)
		}
		mine := c.Cookie
		c.Cookie = before
		c.Get("/admin/webhooks").Want(http.StatusSeeOther) // the session from before has ended
		c.Anew()
		expired(first)
		expired(second)
		c.Post("/login", url.Values{"email": {member.Email}, "password": {webtest.AdminPassword}}).Want(http.StatusUnauthorized)
		c.Post("/login", url.Values{"email": {member.Email}, "password": {newPassword}}).Want(http.StatusSeeOther)
		c.Cookie = mine
		c.Get("/admin/webhooks").Want(http.StatusOK)
		c.LogIn(c.Admin)
		log := c.Get("/admin/audit").Text("tbody")
		for _, says := range []string{"chose a password by a link", member.Email} {
			if !strings.Contains(log, says) {
				t.Errorf("the audit log lacks %q: %s", says, log)
			}
		}

		// Old ones, and those of members who may not log in.
		c.Anew()
		old := link()
		c.Exec("update login_links set expires_at = ?", time.Now().UTC().Add(-time.Second))
		expired(old)
		old = link()
		_, err := c.Store.Users.Disable(t.Context(), c.Admin.Actor(), member.ID)
		webtest.OK(t, err)
		expired(old)
	}, sendsMail)
}

// TestALinkThatAnotherRequestUsesFirst: of two that choose a password at once, one
// does.
func TestALinkThatAnotherRequestUsesFirst(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		token, err := c.Store.Users.MakeLink(t.Context(), c.AddViewer().ID)
		webtest.OK(t, err)
		c.Anew()
		c.After("login_links", func() { // it was found to be good
			_, err := c.Store.Users.UseLink(t.Context(), token, webtest.AdminHash())
			webtest.OK(t, err)
		})
		a := c.Post("/login/link/"+token, chosen(newPassword)).Want(http.StatusNotFound)
		if !strings.Contains(a.Text("main"), "This link has expired or was used.") {
			t.Errorf("it says %q", a.Text("main"))
		}
		c.Post("/login", url.Values{"email": {"viewer@example.com"}, "password": {newPassword}}).Want(http.StatusUnauthorized)
		c.Post("/login", url.Values{"email": {"viewer@example.com"}, "password": {webtest.AdminPassword}}).Want(http.StatusSeeOther)
	}, sendsMail)
}

// TestMembersTurnEmailOff: and on again; another value is refused and changes nothing.
func TestMembersTurnEmailOff(t *testing.T) {
	c := webtest.NewConsole(t, sendsMail)
	for _, step := range []struct{ value, says string }{
		{"", "You get no e-mail about webhooks."}, {"on", "You get e-mail about your webhooks."},
	} {
		a := c.Post("/account", url.Values{"mails": {step.value}}).GoesTo("/account")
		if got := c.Flash(a); got != step.says {
			t.Errorf("it says %q", got)
		}
		c.Post("/account", url.Values{"mails": {"perhaps"}}).Want(http.StatusUnprocessableEntity)
		user, err := c.Store.Users.Get(t.Context(), c.Admin.ID)
		webtest.OK(t, err)
		if checked := c.Get("/account").Form().Has("mails"); checked != (step.value == "on") || user.NoMail == checked {
			t.Errorf("after %q it is checked: %v, stored: %v", step.value, checked, user.NoMail)
		}
	}
}
