package admin_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/admin"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// administered is a console with something on each page of the administration.
func administered(t *testing.T) (c *webtest.Console, member string, token int64) {
	t.Helper()
	c = webtest.NewConsole(t)
	other := c.AddUser(models.User{Email: "jane@example.com", Name: "Jane", Role: models.RoleAdministrator, PasswordHash: webtest.AdminHash()})
	_, token = c.Issue(other, "crm")
	webtest.OK(t, c.Store.Locations.Ensure(t.Context(), "team-x", "Team X"))
	c.AddWebhook(func(in *models.WebhookInput) { in.Location = "python-wranglers" })
	c.AddEvent(1, "question.created", "guild", "go")
	c.Exec("insert into dispatches (id, at, match_version, logged) values (1, ?, 1, true)", time.Now().UTC())
	c.Exec("insert into dispatch_rest (dispatch_id, location, event_ids, webhook_ids, body_id, tries, reason, set_aside_at) values (1, 'main', '[5]', '[1]', 0, 3, 'no', ?)",
		time.Now().UTC())
	return c, admin.MemberPath(other.ID), token
}

// TestAdministrationIsReadWhileTheDatabaseFails: every page says so, whichever of
// its queries fails.
func TestAdministrationIsReadWhileTheDatabaseFails(t *testing.T) {
	c, member, token := administered(t)
	for _, path := range []string{
		"/admin/locations?q=team", "/admin/locations/python-wranglers", "/admin/locations/python-wranglers?tag=go", "/admin/locations/python-wranglers?community=guild",
		"/admin/locations/python-wranglers/remove", "/admin/locations/team-x/remove", "/admin/empty-locations",
		"/admin/members", member, member + "/role?role=viewer", member + "/remove", member + "/disable",
		"/admin/tokens", "/admin/tokens/" + web.FormatID(token) + "/revoke", "/admin/audit", "/admin/system",
		"/developer/site-settings", webtest.SettingPath(models.DispatchDelay),
	} {
		c.Faults(http.MethodGet, path, nil).Want(http.StatusOK)
	}
}

// TestOneTimePasswordThatCannotBeShown: when the page fails after a password was
// stored, it says so, and how to get another.
func TestOneTimePasswordThatCannotBeShown(t *testing.T) {
	lines := &webtest.LogLines{}
	c := webtest.NewConsole(t, func(d *handlers.Deps) { d.Log = slog.New(slog.NewTextHandler(lines, nil)) })
	c.Exec("alter table locations rename to lost_locations")
	viewer := c.AddViewer()
	for path, form := range map[string]url.Values{
		admin.MemberPath(viewer.ID) + "/password": nil,
		"/admin/members": {"email": {"new@example.com"}, "role": {"viewer"}},
	} {
		a := c.Post(path, form).Want(http.StatusServiceUnavailable)
		want := "has a new one-time password, but it could not be shown. Renew the password on the Members page to get another."
		if said := a.Text("main"); !strings.Contains(said, want) || strings.Contains(said, "Nothing was changed") || a.Find("#given-password").Length() > 0 {
			t.Errorf("%s says %q", path, said)
		}
	}
	for _, email := range []string{viewer.Email, "new@example.com"} {
		user, err := c.Store.Users.ByEmail(t.Context(), email)
		webtest.OK(t, err)
		if !user.MustChangePassword {
			t.Errorf("%s has no one-time password", email)
		}
	}
	if strings.Count(lines.String(), "one-time password not shown") != 2 {
		t.Errorf("the log says %s", lines)
	}
	c.Exec("alter table lost_locations rename to locations")
	if password := c.Post(admin.MemberPath(viewer.ID)+"/password", nil).Want(http.StatusOK).Text("#given-password"); len(password) < 16 {
		t.Errorf("the other password is %q", password)
	}
}

// TestAdministrationIsChangedWhileTheDatabaseFails: whichever query of a change
// fails, the page says that nothing was changed, and that is so.
func TestAdministrationIsChangedWhileTheDatabaseFails(t *testing.T) {
	c, member, token := administered(t)
	viewer := admin.MemberPath(c.AddViewer().ID)
	post := func(path string, pairs ...string) *webtest.Answer {
		t.Helper()
		return c.Faults(http.MethodPost, path, webtest.Fill(url.Values{}, pairs...))
	}
	post("/admin/locations", "name", "New", "slug", "new").GoesTo("/admin/locations")
	post("/admin/locations/new", "name", "Newer").GoesTo("/admin/locations")
	post("/admin/locations/python-wranglers?community=guild", "name", "The guild").GoesTo("/admin/locations/python-wranglers")
	post("/admin/locations/new/hide", "hidden", "yes").GoesTo("/admin/locations/new")
	post("/admin/locations/new/remove").GoesTo("/admin/locations")
	post("/admin/locations/python-wranglers/remove").Want(http.StatusUnprocessableEntity)
	post("/admin/empty-locations").GoesTo("/admin/locations")
	post("/admin/system/dispatch").GoesTo("/admin/system")
	post(webtest.SettingPath(models.DispatchDelay), "value", "7", "reason", "why").GoesTo(webtest.SettingPath(models.DispatchDelay))
	post("/admin/tokens", "name", "", "scope", "ingest").Want(http.StatusUnprocessableEntity)
	post("/admin/tokens/" + web.FormatID(token) + "/revoke").GoesTo("/admin/tokens")
	post(viewer+"/locations", "limited", "yes", "locations", "main").GoesTo("/admin/members")
	post(viewer+"/role", "role", "administrator").GoesTo("/admin/members")
	post(member + "/disable").GoesTo("/admin/members")
	post(member + "/enable").GoesTo("/admin/members")
	post(member + "/remove").GoesTo("/admin/members")
	post("/admin/tokens", "name", "two", "scope", "read").GoesTo("/admin/tokens")
}
