package handlers

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/models"
)

// ticked are the names of the tokens on a page that would be revoked, and all
// that it offers.
func ticked(a *answer) (chosen, all []string) {
	a.Find("main fieldset .s-check-control").Each(func(_ int, row *goquery.Selection) {
		name := row.Find("bdi").First().Text()
		all = append(all, name)
		if _, is := row.Find("input[name=revoke]").Attr("checked"); is {
			chosen = append(chosen, name)
		}
	})
	return chosen, all
}

// TestTokensOfAMemberWhoLeaves: removing, disabling and demoting a member lists
// the tokens that go on, and ends those that are ticked.
func TestTokensOfAMemberWhoLeaves(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		alive := func(plain string) bool {
			_, err := c.store.Tokens.Authenticate(t.Context(), plain)
			return err == nil
		}
		other, otherID := c.issue(c.admin, "of another")
		for step, page := range map[string]struct {
			path   string
			ticked int
			maker  string // how the tokens page marks them
		}{
			"remove":  {"/remove", 2, "Removed"},
			"disable": {"/disable", 0, "Disabled"},
			"demote":  {"/role?role=viewer", 0, "Now a viewer"},
		} {
			maker := c.addUser(models.User{Email: step + "@example.com", Name: nasty, Role: models.RoleAdministrator})
			first, firstID := c.issue(maker, "first "+step)
			second, secondID := c.issue(maker, "second "+step)
			gone, goneID := c.issue(maker, "gone")
			_, err := c.store.Tokens.Revoke(t.Context(), c.admin.Actor(), goneID)
			ok(t, err)
			path, _, _ := strings.Cut(memberPath(maker.ID)+page.path, "?")
			c.get("/admin/tokens") // nobody is marked yet
			a := c.get(memberPath(maker.ID) + page.path).want(http.StatusOK)
			noMarkup(t, a)
			chosen, all := ticked(a)
			if len(chosen) != page.ticked || strings.Join(all, ",") != "second "+step+",first "+step || !strings.Contains(a.text("main fieldset"), "last used 0 s ago") {
				t.Errorf("%s: %q of %q are ticked: %s", step, chosen, all, a.text("main fieldset"))
			}
			form := a.form()
			form["revoke"] = []string{strconv.FormatInt(firstID, 10), strconv.FormatInt(otherID, 10)} // the second is not theirs
			c.post(path, url.Values{"revoke": {"x"}, "role": {"viewer"}}).want(http.StatusUnprocessableEntity)
			c.post(path, form).goesTo("/admin/members")
			if alive(first) || !alive(second) || alive(gone) || !alive(other) {
				t.Errorf("%s: after it, alive are %v %v %v %v", step, alive(first), alive(second), alive(gone), alive(other))
			}
			rows := c.get("/admin/tokens").Find("tbody tr")
			row := rows.FilterFunction(func(_ int, row *goquery.Selection) bool { return strings.Contains(row.Text(), "second "+step) })
			if got := row.Find(".s-badge").Text(); got != page.maker {
				t.Errorf("%s: the token of %d is marked %q", step, secondID, got)
			}
			if log := c.get("/admin/audit?about=token").text("tbody tr:first-child"); !strings.Contains(log, "Revoked an API token") || !strings.Contains(log, "first "+step) {
				t.Errorf("%s: the audit log says %q", step, log)
			}
		}
		if marks := c.get("/admin/tokens").Find("tbody .s-badge").Length(); marks != 3 {
			t.Errorf("%d tokens are marked", marks)
		}
	})
}

// TestOneTimePasswordIsGoodForAWeek: afterwards it opens nothing, the members'
// page says so, and an administrator renews it there.
func TestOneTimePasswordIsGoodForAWeek(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		admin := c.cookie
		password := c.post("/admin/members", url.Values{"email": {"new@example.com"}, "role": {"viewer"}}).want(http.StatusOK).text("#given-password")
		user, err := c.store.Users.ByEmail(t.Context(), "new@example.com")
		ok(t, err)
		row := func() *goquery.Selection {
			c.cookie = admin
			return c.get("/admin/members").Find("tbody tr").FilterFunction(func(_ int, row *goquery.Selection) bool {
				return strings.Contains(row.Text(), user.Email)
			})
		}
		try := func(password string) *answer {
			c.cookie = ""
			return c.post("/login", url.Values{"email": {user.Email}, "password": {password}})
		}
		until := time.Now().UTC().Add(7 * 24 * time.Hour)
		if got := row().Text(); !strings.Contains(got, "good until "+day(until)) && !strings.Contains(got, "good until "+day(until.Add(-time.Minute))) {
			t.Errorf("the members' page says %q", got)
		}
		shift := func(by time.Duration) {
			user, err := c.store.Users.Get(t.Context(), user.ID)
			ok(t, err)
			c.exec("update users set one_time_until = ? where id = ?", user.OneTimeUntil.Add(-by), user.ID)
		}
		shift(7*24*time.Hour - time.Minute)
		theirs := sessionOf(t, try(password).want(http.StatusSeeOther)).Value
		shift(time.Minute)
		a := try(password).want(http.StatusUnauthorized)
		if got := a.text("[role=alert]"); !strings.Contains(got, "one-time password has expired") {
			t.Errorf("it says %q", got)
		}
		if got := try("wrong").want(http.StatusUnauthorized).text("[role=alert]"); strings.Contains(got, "expired") {
			t.Errorf("a wrong one is answered %q", got)
		}
		c.cookie = theirs
		form := url.Values{"password": {password}, "new_password": {"another good one"}, "new_password_again": {"another good one"}}
		if got := c.post(passwordPath, form).want(http.StatusUnprocessableEntity).text("#password-err"); !strings.Contains(got, "expired") {
			t.Errorf("the change is refused with %q", got)
		}
		expired := row()
		if got := expired.Text(); !strings.Contains(got, "One-time password expired") {
			t.Errorf("the members' page says %q", got)
		}
		renewal, _ := expired.Find("form").Attr("action")
		fresh := c.post(renewal, nil).want(http.StatusOK).text("#given-password")
		try(password).want(http.StatusUnauthorized)
		c.cookie = sessionOf(t, try(fresh).want(http.StatusSeeOther)).Value
		form.Set("password", fresh)
		c.cookie = sessionOf(t, c.post(passwordPath, form).want(http.StatusSeeOther)).Value
		if got := row(); strings.Contains(got.Text(), "One-time") || got.Find("form").Length() != 0 {
			t.Errorf("afterwards the members' page says %q", got.Text())
		}
	})
}
