package admin_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/handlers/admin"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// ticked are the names of the tokens on a page that would be revoked, and all
// that it offers.
func ticked(a *webtest.Answer) (chosen, all []string) {
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
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		alive := func(plain string) bool {
			_, err := c.Store.Tokens.Authenticate(t.Context(), plain)
			return err == nil
		}
		other, otherID := c.Issue(c.Admin, "of another")
		for step, page := range map[string]struct {
			path   string
			ticked int
			maker  string // how the tokens page marks them
		}{
			"remove":  {"/remove", 2, "Removed"},
			"disable": {"/disable", 0, "Disabled"},
			"demote":  {"/role?role=viewer", 0, "Now a viewer"},
		} {
			maker := c.AddUser(models.User{Email: step + "@example.com", Name: webtest.Nasty, Role: models.RoleAdministrator})
			first, firstID := c.Issue(maker, "first "+step)
			second, secondID := c.Issue(maker, "second "+step)
			gone, goneID := c.Issue(maker, "gone")
			_, err := c.Store.Tokens.Revoke(t.Context(), c.Admin.Actor(), goneID)
			webtest.OK(t, err)
			path, _, _ := strings.Cut(admin.MemberPath(maker.ID)+page.path, "?")
			c.Get("/admin/tokens") // nobody is marked yet
			a := c.Get(admin.MemberPath(maker.ID) + page.path).Want(http.StatusOK)
			webtest.NoMarkup(t, a)
			chosen, all := ticked(a)
			if len(chosen) != page.ticked || strings.Join(all, ",") != "second "+step+",first "+step || !strings.Contains(a.Text("main fieldset"), "last used 0 s ago") {
				t.Errorf("%s: %q of %q are ticked: %s", step, chosen, all, a.Text("main fieldset"))
			}
			form := a.Form()
			form["revoke"] = []string{strconv.FormatInt(firstID, 10), strconv.FormatInt(otherID, 10)} // the second is not theirs
			c.Post(path, url.Values{"revoke": {"x"}, "role": {"viewer"}}).Want(http.StatusUnprocessableEntity)
			c.Post(path, form).GoesTo("/admin/members")
			if alive(first) || !alive(second) || alive(gone) || !alive(other) {
				t.Errorf("%s: after it, alive are %v %v %v %v", step, alive(first), alive(second), alive(gone), alive(other))
			}
			rows := c.Get("/admin/tokens").Find("tbody tr")
			row := rows.FilterFunction(func(_ int, row *goquery.Selection) bool { return strings.Contains(row.Text(), "second "+step) })
			if got := row.Find(".s-badge").Text(); got != page.maker {
				t.Errorf("%s: the token of %d is marked %q", step, secondID, got)
			}
			if log := c.Get("/admin/audit?about=token").Text("tbody tr:first-child"); !strings.Contains(log, "Revoked an API token") || !strings.Contains(log, "first "+step) {
				t.Errorf("%s: the audit log says %q", step, log)
			}
		}
		if marks := c.Get("/admin/tokens").Find("tbody .s-badge").Length(); marks != 3 {
			t.Errorf("%d tokens are marked", marks)
		}
	})
}

// TestOneTimePasswordIsGoodForAWeek: afterwards it opens nothing, the members'
// page says so, and an administrator renews it there.
func TestOneTimePasswordIsGoodForAWeek(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		boss := c.Cookie
		password := c.Post("/admin/members", url.Values{"email": {"new@example.com"}, "role": {"viewer"}}).Want(http.StatusOK).Text("#given-password")
		user, err := c.Store.Users.ByEmail(t.Context(), "new@example.com")
		webtest.OK(t, err)
		row := func() *goquery.Selection {
			c.Cookie = boss
			return c.Get("/admin/members").Find("tbody tr").FilterFunction(func(_ int, row *goquery.Selection) bool {
				return strings.Contains(row.Text(), user.Email)
			})
		}
		attempt := func(password string) *webtest.Answer {
			c.Cookie = ""
			return c.Post("/login", url.Values{"email": {user.Email}, "password": {password}})
		}
		until := time.Now().UTC().Add(7 * 24 * time.Hour)
		if got := row().Text(); !strings.Contains(got, "valid until "+web.Day(until)) && !strings.Contains(got, "valid until "+web.Day(until.Add(-time.Minute))) {
			t.Errorf("the members' page says %q", got)
		}
		shift := func(by time.Duration) {
			user, err := c.Store.Users.Get(t.Context(), user.ID)
			webtest.OK(t, err)
			c.Exec("update users set one_time_until = ? where id = ?", user.OneTimeUntil.Add(-by), user.ID)
		}
		shift(7*24*time.Hour - time.Minute)
		theirs := webtest.SessionOf(t, attempt(password).Want(http.StatusSeeOther)).Value
		shift(time.Minute)
		a := attempt(password).Want(http.StatusUnauthorized)
		if got := a.Text("[role=alert]"); !strings.Contains(got, "one-time password has expired") {
			t.Errorf("it says %q", got)
		}
		if got := attempt("wrong").Want(http.StatusUnauthorized).Text("[role=alert]"); strings.Contains(got, "expired") {
			t.Errorf("a wrong one is answered %q", got)
		}
		c.Cookie = theirs
		form := url.Values{"password": {password}, "new_password": {"another good one"}, "new_password_again": {"another good one"}}
		if got := c.Post(web.PasswordPath, form).Want(http.StatusUnprocessableEntity).Text("#password-err"); !strings.Contains(got, "expired") {
			t.Errorf("the change is refused with %q", got)
		}
		expired := row()
		if got := expired.Text(); !strings.Contains(got, "One-time password expired") {
			t.Errorf("the members' page says %q", got)
		}
		renewal, _ := expired.Find("form").Attr("action")
		fresh := c.Post(renewal, nil).Want(http.StatusOK).Text("#given-password")
		attempt(password).Want(http.StatusUnauthorized)
		c.Cookie = webtest.SessionOf(t, attempt(fresh).Want(http.StatusSeeOther)).Value
		form.Set("password", fresh)
		c.Cookie = webtest.SessionOf(t, c.Post(web.PasswordPath, form).Want(http.StatusSeeOther)).Value
		if got := row(); strings.Contains(got.Text(), "One-time") || got.Find("form").Length() != 0 {
			t.Errorf("afterwards the members' page says %q", got.Text())
		}
	})
}
