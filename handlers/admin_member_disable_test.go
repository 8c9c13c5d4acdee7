package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

func TestDisabledMemberIsKeptOut(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		hash, err := HashPassword("the-right-password")
		ok(t, err)
		viewer := c.addUser(models.User{Email: "b@example.com", Name: nasty, Role: models.RoleViewer, PasswordHash: hash})
		path, admin := memberPath(viewer.ID), c.cookie
		try := func(password string) *answer {
			c.cookie = ""
			return c.post("/login", url.Values{"email": {viewer.Email}, "password": {password}})
		}
		theirs := sessionOf(t, try("the-right-password").want(http.StatusSeeOther)).Value

		c.cookie = admin
		a := c.get(path + "/disable").want(http.StatusOK)
		noMarkup(t, a)
		if got := a.text("main button"); got != "Disable b@example.com" {
			t.Errorf("the button says %q", got)
		}
		c.post(path+"/disable", nil).goesTo("/admin/members")
		c.cookie = theirs
		c.get("/admin/webhooks").goesTo("/login?next=%2Fadmin%2Fwebhooks")

		// The right password is answered as a wrong one is.
		right, wrong := try("the-right-password").want(http.StatusUnauthorized), try("a-wrong-password").want(http.StatusUnauthorized)
		if right.Body != wrong.Body {
			t.Errorf("a right password is answered %q, a wrong one %q", right.text("main"), wrong.text("main"))
		}
		failures, _, err := c.store.Users.LoginFailures(t.Context(), models.LoginFrom{Account: viewer.Email, AddressGroup: "127.0.0.1"})
		ok(t, err)
		if len(failures) != 2 {
			t.Errorf("%d failures counted, want 2", len(failures))
		}
		// Nor does a session help that began at the same moment.
		c.logIn(viewer)
		c.get("/admin/webhooks").want(http.StatusSeeOther)

		c.cookie = admin
		a = c.get("/admin/members")
		if got := a.text("tbody .s-badge"); got != "Disabled" || a.Find("a[href='"+path+"/disable']").Length() != 0 {
			t.Errorf("the list says %q", a.text("tbody"))
		}
		if got := c.get(path).text("form[action$=enable] button"); got != "Enable" {
			t.Errorf("the button says %q", got)
		}
		c.post(path+"/enable", nil).goesTo("/admin/members")
		if got := c.get("/admin/audit?about=member").text("tbody"); !strings.Contains(got, "Disabled a member") || !strings.Contains(got, "Enabled a member") {
			t.Errorf("the log says %q", got)
		}
		try("the-right-password").want(http.StatusSeeOther)
	})
}

func TestTheLastAdministratorStaysEnabled(t *testing.T) {
	c := newConsole(t)
	path := memberPath(c.admin.ID)
	if text := c.get(path + "/disable").text("main"); !strings.Contains(text, "This is you") {
		t.Errorf("it says %q", text)
	}
	a := c.post(path+"/disable", nil).want(http.StatusUnprocessableEntity)
	if !strings.Contains(a.text("[role=alert]"), "only administrator") {
		t.Errorf("it says %q", a.text("[role=alert]"))
	}
	c.addUser(models.User{Email: "b@example.com", Role: models.RoleAdministrator})
	c.post(path+"/disable", nil).want(http.StatusSeeOther)
	c.get("/admin/webhooks").goesTo("/login?next=%2Fadmin%2Fwebhooks")
}

func TestLogOutEverywhere(t *testing.T) {
	c := newConsole(t)
	here := c.cookie
	c.cookie = ""
	elsewhere := sessionOf(t, c.post("/login", credentials(adminPassword)).want(http.StatusSeeOther)).Value
	c.cookie = here
	form := c.get("/account/password").Find("main form[action='/account/sessions']")
	if got := form.Find("button").Text(); got != "Log out everywhere" {
		t.Errorf("the button says %q", got)
	}
	if gone := sessionOf(t, c.post("/account/sessions", nil).goesTo("/login")); gone.MaxAge >= 0 {
		t.Error("the cookie stays")
	}
	for _, cookie := range []string{here, elsewhere} {
		c.cookie = cookie
		c.get("/admin/webhooks").goesTo("/login?next=%2Fadmin%2Fwebhooks")
	}
	c.cookie = sessionOf(t, c.post("/login", credentials(adminPassword)).want(http.StatusSeeOther)).Value
	if got := c.get("/admin/audit?about=login").text("tbody"); !strings.Contains(got, "Logged out everywhere") {
		t.Errorf("the log says %q", got)
	}
}

func TestSingleSignOnKeepsTheDisabledOut(t *testing.T) {
	c, p := newSignOnConsole(t)
	c.addUser(models.User{Email: "b@example.com", Role: models.RoleAdministrator})
	_, err := c.store.Users.Disable(t.Context(), models.Actor{Name: "Mary"}, c.admin.ID)
	ok(t, err)
	p.begin(c, oidcPath)
	a := c.get(p.back()).want(http.StatusForbidden)
	if !strings.Contains(a.text("main"), "is disabled here") {
		t.Errorf("it says %q", a.text("main"))
	}
}
