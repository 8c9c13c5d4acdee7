package admin_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/admin"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestMemberIsLimitedToLocations: on adding a member and later on their page.
func TestMemberIsLimitedToLocations(t *testing.T) {
	c := webtest.NewConsole(t)
	webtest.OK(t, c.Store.Locations.Ensure(t.Context(), "go-team", "Go team"))
	fields := url.Values{"email": {"v@example.com"}, "role": {"viewer"}, "limited": {"yes"}}
	a := c.Post("/admin/members", fields).Want(http.StatusUnprocessableEntity)
	if got := a.Text("#locations-err"); !strings.Contains(got, "at least one") {
		t.Errorf("none chosen: %q", got)
	}
	fields.Set("locations", "nowhere")
	if got := c.Post("/admin/members", fields).Want(http.StatusUnprocessableEntity).Text("#locations-err"); !strings.Contains(got, "“nowhere”") {
		t.Errorf("an unknown one: %q", got)
	}
	fields["locations"], fields["limited"] = []string{"go-team"}, []string{"no"}
	if got := c.Post("/admin/members", fields).Want(http.StatusUnprocessableEntity).Text("#locations-err"); !strings.Contains(got, "also named some") {
		t.Errorf("all and some: %q", got)
	}
	fields.Set("limited", "yes")
	a = c.Post("/admin/members", fields).Want(http.StatusOK)
	if got := a.Text("tbody"); !strings.Contains(got, "only Go team") {
		t.Errorf("the list says %q", got)
	}
	user, err := c.Store.Users.ByEmail(t.Context(), "v@example.com")
	webtest.OK(t, err)
	want := func(slugs ...string) {
		t.Helper()
		got, err := c.Store.Users.Get(t.Context(), user.ID)
		webtest.OK(t, err)
		if !slices.Equal(got.Within().Slugs(), slugs) || got.Within().All() != (slugs == nil) {
			t.Errorf("sees %v, want %v", got.Within(), slugs)
		}
	}
	want("go-team")

	path := admin.MemberPath(user.ID)
	form := c.Get(path).Want(http.StatusOK).FormWith(url.Values{"limited": nil})
	if form.Get("limited") != "yes" || !slices.Equal(form["locations"], []string{"go-team"}) {
		t.Errorf("the page has %v", form)
	}
	a = c.Post(path+"/locations", url.Values{"limited": {"yes"}, "locations": {"main", "python-wranglers"}})
	if got := c.Flash(a); got != "v now sees Main site and Python wranglers." {
		t.Errorf("it says %q", got)
	}
	want("main", "python-wranglers")
	c.Post(path+"/locations", url.Values{"limited": {"no"}, "locations": {"main", "python-wranglers"}}).GoesTo("/admin/members")
	want()
	c.Post(path+"/locations", url.Values{"limited": {"maybe"}}).Want(http.StatusUnprocessableEntity)
	c.Post(admin.MemberPath(c.Admin.ID)+"/locations", url.Values{"limited": {"yes"}, "locations": {"main"}}).Want(http.StatusUnprocessableEntity)
	if got := c.Get("/admin/audit?about=member").Text("tbody"); !strings.Contains(got, "go-team → main, python-wranglers") {
		t.Errorf("the audit log says %q", got)
	}
}

// TestLimitAsksAboutTokens: tokens of the member that reach further are shown
// before the member is limited, and go with it when they are ticked.
func TestLimitAsksAboutTokens(t *testing.T) {
	c := webtest.NewConsole(t)
	boss := c.AddUser(models.User{Email: "second@example.com", Name: "Second", Role: models.RoleAdministrator})
	_, far := c.Issue(boss, "far")
	path := admin.MemberPath(boss.ID)
	fields := url.Values{"limited": {"yes"}, "locations": {"python-wranglers"}}
	a := c.Post(path+"/locations", fields).Want(http.StatusOK)
	if !strings.Contains(a.Text("main fieldset"), "far") {
		t.Errorf("it asks %q", a.Text("main"))
	}
	if got, err := c.Store.Users.Get(t.Context(), boss.ID); err != nil || got.Limited {
		t.Errorf("limited before the answer: %+v, %v", got, err)
	}
	c.Post(path+"/locations", a.FormWith(url.Values{"limited": nil})).GoesTo("/admin/members")
	tok, err := c.Store.Tokens.Get(t.Context(), models.AllLocations(), far)
	webtest.OK(t, err)
	got, err := c.Store.Users.Get(t.Context(), boss.ID)
	webtest.OK(t, err)
	if tok.RevokedAt == nil || !got.Limited {
		t.Errorf("token revoked at %v, limited %v", tok.RevokedAt, got.Limited)
	}
}

// TestMemberOfManyLocations: where there are too many to tick, they are typed.
func TestMemberOfManyLocations(t *testing.T) {
	c := webtest.NewConsole(t)
	c.ManyLocations()
	a := c.Get("/admin/members").Want(http.StatusOK)
	if a.Find("textarea[name=locations]").Length() != 1 || a.Find("input[name=locations]").Length() != 0 {
		t.Error("no text field for the locations")
	}
	c.Post("/admin/members", url.Values{
		"email": {"v@example.com"}, "role": {"viewer"}, "limited": {"yes"}, "locations": {"python-wranglers\r\n\r\nMain site"},
	}).Want(http.StatusOK)
	user, err := c.Store.Users.ByEmail(t.Context(), "v@example.com")
	webtest.OK(t, err)
	if !slices.Equal(user.Within().Slugs(), []string{"main", "python-wranglers"}) {
		t.Errorf("sees %v", user.Within().Slugs())
	}
}
