package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/account"
	"github.com/sitehooks/sitehooks/handlers/admin"
	"github.com/sitehooks/sitehooks/handlers/passwords"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func TestDisabledMemberIsKeptOut(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		hash, err := passwords.Hash("the-right-password")
		webtest.OK(t, err)
		viewer := c.AddUser(models.User{Email: "b@example.com", Name: webtest.Nasty, Role: models.RoleViewer, PasswordHash: hash})
		path, boss := admin.MemberPath(viewer.ID), c.Cookie
		attempt := func(password string) *webtest.Answer {
			c.Cookie = ""
			return c.Post("/login", url.Values{"email": {viewer.Email}, "password": {password}})
		}
		theirs := webtest.SessionOf(t, attempt("the-right-password").Want(http.StatusSeeOther)).Value

		c.Cookie = boss
		a := c.Get(path + "/disable").Want(http.StatusOK)
		webtest.NoMarkup(t, a)
		if got := a.Text("main button"); got != "Disable b@example.com" {
			t.Errorf("the button says %q", got)
		}
		c.Post(path+"/disable", nil).GoesTo("/admin/members")
		c.Cookie = theirs
		c.Get("/admin/webhooks").GoesTo("/login?next=%2Fadmin%2Fwebhooks")

		// The right password is answered as a wrong one is.
		right, wrong := attempt("the-right-password").Want(http.StatusUnauthorized), attempt("a-wrong-password").Want(http.StatusUnauthorized)
		if right.Body != wrong.Body {
			t.Errorf("a right password is answered %q, a wrong one %q", right.Text("main"), wrong.Text("main"))
		}
		failures, _, err := c.Store.Users.LoginFailures(t.Context(), models.LoginFrom{Account: viewer.Email, AddressGroup: "127.0.0.1"})
		webtest.OK(t, err)
		if len(failures) != 2 {
			t.Errorf("%d failures counted, want 2", len(failures))
		}
		// Nor does a session help that began at the same moment.
		c.LogIn(viewer)
		c.Get("/admin/webhooks").Want(http.StatusSeeOther)

		c.Cookie = boss
		a = c.Get("/admin/members")
		if got := a.Text("tbody .s-badge"); got != "Disabled" || a.Find("a[href='"+path+"/disable']").Length() != 0 {
			t.Errorf("the list says %q", a.Text("tbody"))
		}
		if got := c.Get(path).Text("form[action$=enable] button"); got != "Enable" {
			t.Errorf("the button says %q", got)
		}
		c.Post(path+"/enable", nil).GoesTo("/admin/members")
		if got := c.Get("/admin/audit?about=member").Text("tbody"); !strings.Contains(got, "Disabled a member") || !strings.Contains(got, "Enabled a member") {
			t.Errorf("the log says %q", got)
		}
		attempt("the-right-password").Want(http.StatusSeeOther)
	})
}

func TestTheLastAdministratorStaysEnabled(t *testing.T) {
	c := webtest.NewConsole(t)
	path := admin.MemberPath(c.Admin.ID)
	if text := c.Get(path + "/disable").Text("main"); !strings.Contains(text, "This is you") {
		t.Errorf("it says %q", text)
	}
	a := c.Post(path+"/disable", nil).Want(http.StatusUnprocessableEntity)
	if !strings.Contains(a.Text("[role=alert]"), "only administrator") {
		t.Errorf("it says %q", a.Text("[role=alert]"))
	}
	c.AddUser(models.User{Email: "b@example.com", Role: models.RoleAdministrator})
	c.Post(path+"/disable", nil).Want(http.StatusSeeOther)
	c.Get("/admin/webhooks").GoesTo("/login?next=%2Fadmin%2Fwebhooks")
}

func TestLogOutEverywhere(t *testing.T) {
	c := webtest.NewConsole(t)
	here := c.Cookie
	c.Cookie = ""
	elsewhere := webtest.SessionOf(t, c.Post("/login", webtest.Credentials(webtest.AdminPassword)).Want(http.StatusSeeOther)).Value
	c.Cookie = here
	form := c.Get("/account/password").Find("main form[action='/account/sessions']")
	if got := form.Find("button").Text(); got != "Log out everywhere" {
		t.Errorf("the button says %q", got)
	}
	if gone := webtest.SessionOf(t, c.Post("/account/sessions", nil).GoesTo("/login")); gone.MaxAge >= 0 {
		t.Error("the cookie stays")
	}
	for _, cookie := range []string{here, elsewhere} {
		c.Cookie = cookie
		c.Get("/admin/webhooks").GoesTo("/login?next=%2Fadmin%2Fwebhooks")
	}
	c.Cookie = webtest.SessionOf(t, c.Post("/login", webtest.Credentials(webtest.AdminPassword)).Want(http.StatusSeeOther)).Value
	if got := c.Get("/admin/audit?about=login").Text("tbody"); !strings.Contains(got, "Logged out everywhere") {
		t.Errorf("the log says %q", got)
	}
}

func TestSingleSignOnKeepsTheDisabledOut(t *testing.T) {
	c, p := webtest.NewSignOnConsole(t)
	c.AddUser(models.User{Email: "b@example.com", Role: models.RoleAdministrator})
	_, err := c.Store.Users.Disable(t.Context(), models.Actor{Name: "Mary"}, c.Admin.ID)
	webtest.OK(t, err)
	p.Begin(c, account.OidcPath)
	a := c.Get(p.Back()).Want(http.StatusForbidden)
	if !strings.Contains(a.Text("main"), "is disabled here") {
		t.Errorf("it says %q", a.Text("main"))
	}
}

// TestMemberIsAddedWithTheInvitation: when the invitation cannot be stored, the
// member is not stored either.
func TestMemberIsAddedWithTheInvitation(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		form := url.Values{"email": {"new@example.com"}, "role": {"viewer"}}
		c.Exec("alter table mails rename to mails_away")
		webtest.Says(t, "without the table", c.Post("/admin/members", form).Want(http.StatusInternalServerError).Text("main"), "Nothing was changed.")
		c.Exec("alter table mails_away rename to mails")
		if text := c.Get("/admin/members").Want(http.StatusOK).Text("main") + c.Get("/admin/audit").Text("main"); strings.Contains(text, "new@example.com") {
			t.Errorf("the member is there: %s", text)
		}
		webtest.Says(t, "again", c.Post("/admin/members", form).Want(http.StatusOK).Text("main"), "new@example.com")
		if one, err := c.Store.Mails.Next(t.Context()); err != nil || one.Kind != models.MailInvitation || one.Recipient != "new@example.com" {
			t.Errorf("the e-mail is %+v, %v", one, err)
		}
	}, func(d *handlers.Deps) { d.SendsMail = true })
}
