package app_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// TestFieldsSuggestInTheBrowser: where there are too many to list, location
// and community are suggested while somebody types.
func TestFieldsSuggestInTheBrowser(t *testing.T) {
	env := apptest.Environment(t, "sqlite")
	in := apptest.Serve(t, env)
	b, db := in.Login(), openDatabase(t, env)
	b.Quick()
	in.Accept(taggedQuestion("e", 1, `"python"`))
	fillPlaces(t, db, "sqlite", "locations", "slug, name, created_at", "'team-' || i, 'Team ' || i, AT", 200)
	fillPlaces(t, db, "sqlite", "communities", "location, slug, created_at", "'team-17', 'guild-' || i, AT", 200)
	c := newChrome(t)
	c.viewport(1280, 900)
	found := c.watch()
	c.login(in.Base, apptest.AdminEmail, apptest.AdminPassword)
	c.open(in.Base + "/admin/webhooks/new?type=generic")
	// Typed by a script, since a headless browser stops at the list that it
	// opens below a field.
	types := func(field, text string) {
		t.Helper()
		c.run(fmt.Sprintf("(document.getElementById(%[1]q).value = %[2]q, document.getElementById(%[1]q).dispatchEvent(new Event('input', { bubbles: true })))", field, text))
	}
	suggests := func(field, want string) {
		t.Helper()
		c.until("[...document.getElementById('" + field + "').list.options].map((o) => o.value).join().startsWith('" + want + "')")
	}
	types("location", "Team 17")
	suggests("location", "team-17,team-170,team-171")
	types("community", "guild 19")
	suggests("community", "guild-19,guild-190,guild-191")
	types("community", "guild-190")
	types("name", "Suggested")
	types("url", apptest.NewReceiver(t).URL)
	c.run("document.querySelector('[name=events]').click()")
	c.run("document.querySelector('.form-foot [value=save]').click()")
	c.until("location.pathname === '/admin/webhooks' && document.querySelector('.s-notice__success')")
	c.open(in.Base + "/admin/webhooks?team=" + url.QueryEscape("Team 17"))
	if got := c.words("tbody"); got == "" || c.words("[aria-label='Filters in force']") == "" {
		t.Errorf("the list by a name: %q", got)
	}
	types("team", "wrang")
	suggests("team", "python-wranglers")
	found.none(t)
	script := axe(t)
	for _, path := range []string{"/admin/webhooks/new?type=generic", "/admin/webhooks", "/admin/trigger-history", "/admin/locations", "/admin/locations/team-17?communities=2"} {
		c.open(in.Base + path)
		c.corner(script, path)
	}
}
