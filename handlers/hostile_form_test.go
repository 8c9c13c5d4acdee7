package handlers_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
)

// formFields are the names that any form of the console has.
var formFields = []string{
	"name", "location", "events", "tag_mode", "tags", "community", "url", "secret_1", "secret_2", "headers", "updated_at", "do", "custom", "moving",
	"remove_1", "option_digest", "option_properties", "value", "reason", "email", "password", "new_password", "new_password_again", "role", "scope",
	"slug", "next", "theme", "through", "floor", "now", "held", "id", "what",
}

// bare are the changes that take no form; they would only empty the table for
// those after them.
var bare = []string{
	"/logout", "/admin/webhooks/:id/delete", "/admin/webhooks/:id/pause", "/admin/webhooks/:id/test", "/admin/webhooks/:id/claim",
	"/admin/deliveries/:id/resend", "/admin/trigger-history/:event/erase", "/admin/members/:id/password", "/admin/members/:id/remove",
	"/admin/members/:id/disable", "/admin/members/:id/enable", "/account/sessions", "/admin/tokens/:id/revoke",
}

// hostileTexts are texts that people paste, and that programs send on purpose.
var hostileTexts = map[string]string{
	"NUL": "a\x00b", "invalid UTF-8": "\xff\xfe", "lone surrogate": "\xed\xa0\x80", "header": "a\r\nX-Injected: b\r\n\r\n<b>", "spaces": " \t\r\n ",
	"formula": "=cmd|' /C calc'!A0", "right to left": "\u202egnirts\u2066", "number beyond 2^53": "9007199254740993", "number beyond 2^64": "99999999999999999999",
	"long": strings.Repeat("é", 70_000), "year 0": "0000-01-01T00:00:00Z", "year 9999": "9999-12-31T23:59:59.999999999Z", "tags": strings.Repeat("tag,", 100_000),
	"script": webtest.Nasty, "nothing": "",
}

// hostileForms are forms with the same text in every field.
func hostileForms() map[string]string {
	forms := map[string]string{}
	for what, text := range hostileTexts {
		form := url.Values{}
		for _, field := range formFields {
			form.Set(field, text)
		}
		forms[what] = form.Encode()
	}
	return forms
}

// TestHostileFormsBreakNothing sends every form with values that no field can
// hold, on both databases: it is answered, stores nothing when it is refused,
// and every page can still be read.
func TestHostileFormsBreakNothing(t *testing.T) {
	forms, large := hostileForms(), "name="+strings.Repeat("x", 10<<20)
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		paths, _ := furnished(t, c)
		routes := slices.DeleteFunc(c.Engine.Routes(), func(r gin.RouteInfo) bool {
			return r.Method != http.MethodPost || web.IsAPI(r.Path) || slices.Contains(bare, r.Path)
		})
		for _, route := range routes {
			path, known := paths[route.Path]
			if !known {
				path = strings.NewReplacer(":id", "1", ":event", "e-1").Replace(route.Path)
			}
			before, changed := c.Stored(), false
			for what, form := range forms {
				w := c.Send(http.MethodPost, path, form)
				if w.Code >= http.StatusInternalServerError || w.Code == http.StatusSeeOther && strings.HasPrefix(w.Header().Get("Location"), "/login") {
					t.Errorf("%s with %s: %d to %s", path, what, w.Code, w.Header().Get("Location"))
				}
				for name, values := range w.Header() {
					if name == "X-Injected" || strings.ContainsAny(strings.Join(values, ""), "\r\n") {
						t.Errorf("%s with %s: the header %s is %q", path, what, name, values)
					}
				}
				changed = changed || w.Code < http.StatusBadRequest
			}
			wrong := slices.Contains([]string{"/login", web.PasswordPath, "/admin/webhooks/:id/reveal"}, route.Path) // passwords, which are counted
			if after := c.Stored(); !changed && !wrong && after != before {
				t.Errorf("%s was refused each time, and stored something:\n%s", path, webtest.Difference(before, after))
			}
		}
		for _, path := range slices.Sorted(maps.Values(paths)) {
			if w := c.Send(http.MethodGet, path, ""); w.Code >= http.StatusInternalServerError {
				t.Errorf("afterwards %s: %d", path, w.Code)
			}
		}
		for _, route := range routes {
			path := strings.NewReplacer(":id", "1", ":event", "e-1").Replace(route.Path)
			if w := c.Send(http.MethodPost, path, large); w.Code != http.StatusRequestEntityTooLarge && w.Code != http.StatusNotFound {
				t.Errorf("%s with 10 MB: %d", path, w.Code)
			}
		}
		if len(routes) < 10 {
			t.Errorf("only %d forms", len(routes))
		}
	}, webtest.WithAPIs)
}

// TestFormsSayWhatIsWrong fills in one field of a form at a time with an
// invalid value: the answer is 422 with a sentence at the field or, where a
// form has no such place, on the page, and nothing is stored.
func TestFormsSayWhatIsWrong(t *testing.T) {
	const blank = " \r\n\t "
	const unprintable = "This contains characters that cannot be shown."
	long := func(most int) string { return strings.Repeat("é", most+1) }
	name := map[string]string{
		"": "Enter a name.", blank: "Enter a name.", long(100): "This has 101 characters; a name can have up to 100.",
		"a\nb": unprintable, "a\x1bb": unprintable, "a\x00b": unprintable, "\xff": unprintable,
	}
	description := map[string]string{
		long(500): "This has 501 characters; a description can have up to 500.",
		"a\x1bb":  unprintable, "a\x00b": unprintable, "\xff": unprintable,
	}
	const slug, email = "Use 1 to 64 lower-case letters, digits and hyphens, such as python-wranglers.", "This is not an e-mail address. Enter one such as mary@example.com."
	const role, held = "Choose administrator or viewer.", "Choose whether to send or drop the held notifications: held must be send or drop."
	const through, floor = "This request does not name the deliveries. Start again from the list.", "This request does not say how far back it goes. Start again from the list."
	const requested, do, token = "This request has no time. Start again from the list.", "Choose what to do with the selected webhooks: pause, resume or delete.", "Unknown token: revoke must be a token's number."
	right, fresh := webtest.AdminPassword, "new_password_again=another+good+one&password="+webtest.AdminPassword
	tests := []struct {
		path, rest string            // rest of the form, which is right
		field      string            // that is wrong
		wrong      map[string]string // message about a value
		onPage     bool              // not at the field
	}{
		{"/admin/locations", "slug=new", "name", name, false},
		{"/admin/locations", "slug=new&name=New", "description", description, false},
		{"/admin/locations", "name=New", "slug", map[string]string{"": slug, "A b": slug, strings.Repeat("a", 65): slug, "a\x00": slug, "\xff": slug, "main": "There is a location with this slug."}, false},
		{"/admin/locations/main", "", "name", name, false},
		{"/admin/locations/main", "name=New", "description", description, false},
		{"/admin/members", "role=viewer&email=new@example.com", "name", map[string]string{long(100): name[long(100)], "a\nb": unprintable, "a\x00b": unprintable, "\xff": unprintable}, false},
		{"/admin/members", "role=viewer", "email", map[string]string{
			"": "Enter an e-mail address.", "no address": email, "Mary <m@example.com>": email, "m@example.com ": email, strings.Repeat("m", 254) + "@example.com": email,
			"m\x00@example.com": email, "\xff@example.com": email, webtest.AdminEmail: "There is already a member with this address.",
		}, false},
		{"/admin/members", "email=new@example.com", "role", map[string]string{"": role, "king": role, "Viewer": role, "viewer\x00": role, "\xff": role}, false},
		{"/admin/tokens", "scope=ingest", "name", name, false},
		{"/admin/tokens", "name=New", "scope", map[string]string{"": "Choose what the token is for.", "all": "Choose what the token is for.", "\xff": "Choose what the token is for."}, false},
		{webtest.SettingPath("Webhooks.DispatchDelay"), "value=30", "reason", map[string]string{
			"": "Give a reason.", blank: "Give a reason.",
			long(500): "This has 501 characters; a reason can have up to 500.", "a\x1bb": unprintable, "a\x00b": unprintable, "\xff": unprintable,
		}, false},
		{web.PasswordPath, fresh, "new_password", map[string]string{
			"": "Use at least 8 characters.", long(6): "Use at least 8 characters.",
			long(512): "Use at most 1,024 bytes.", right: "Choose a password that differs from the current one.",
		}, false},
		{web.PasswordPath, "new_password=another+good+one&password=" + right, "new_password_again", map[string]string{"": "The two passwords differ.", "another good One": "The two passwords differ."}, false},
		{"/theme", "", "theme", map[string]string{"": "Unknown appearance.", "sepia": "Unknown appearance.", "\xff": "Unknown appearance."}, true},
		{"/attention", "", "what", map[string]string{"": "There is no such notice.", "b1": "There is no such notice.", "b1.1\n": "There is no such notice."}, true},
		{"/admin/webhooks/bulk", "id=1", "do", map[string]string{"": do, "explode": do, "pause\x00": do}, true},
		{"/admin/webhooks/bulk", "do=pause", "do", map[string]string{"": "No webhook is selected. Select at least one in the list."}, true},
		{"/admin/webhooks/bulk", "do=resume&id=1", "held", map[string]string{"": held, "keep": held, "\xff": held}, true},
		{"/admin/webhooks/1/resume", "", "held", map[string]string{"": held, "keep": held, "send\x00": held}, true},
		{"/admin/members/1/role", "", "role", map[string]string{"": role, "king": role, "\xff": role}, true},
		{"/admin/members/1/role", "role=viewer", "revoke", map[string]string{"": token, "0": token, "-1": token, "x": token, "9223372036854775808": token}, true},
		{"/admin/members/1/disable", "", "revoke", map[string]string{"": token, "1.5": token, "\x00": token}, true},
		{"/admin/members/1/remove", "", "revoke", map[string]string{"": token, "1 and 2": token}, true},
		{"/admin/deliveries/resend", "floor=0&now=1", "through", map[string]string{"": through, "0": through, "x": through, "-1": through}, true},
		{"/admin/deliveries/resend", "through=1&now=1", "floor", map[string]string{"": floor, "-1": floor, "x": floor}, true},
		{"/admin/deliveries/resend", "through=1&floor=0", "now", map[string]string{"": requested, "0": requested, "yesterday": requested}, true},
	}
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		furnished(t, c)
		before := c.Stored()
		for _, test := range tests {
			for value, want := range test.wrong {
				form, err := url.ParseQuery(test.rest)
				webtest.OK(t, err)
				form[test.field] = append(form[test.field], value)
				a := c.Post(test.path, form)
				got := a.Text("#" + test.field + "-err")
				if test.onPage {
					got = a.Text("main")
				}
				if a.Status != http.StatusUnprocessableEntity || !strings.Contains(got, want) || !test.onPage && got != want {
					t.Errorf("%s with %s=%.40q: %d, it says %q, want %q", test.path, test.field, value, a.Status, got, want)
				}
			}
		}
		if after := c.Stored(); after != before {
			t.Errorf("something was stored:\n%s", webtest.Difference(before, after))
		}
	})
}

// TestFirstOfARepeatedFieldCounts: of a field that is sent twice the first
// counts, and fields that a form does not have are ignored.
func TestFirstOfARepeatedFieldCounts(t *testing.T) {
	c := webtest.NewConsole(t)
	c.Post("/admin/locations", url.Values{"name": {"First", "Second"}, "slug": {"first", "\x00"}, "other": {"\x00"}}).GoesTo("/admin/locations")
	if got := c.Get("/admin/locations/first").Want(http.StatusOK).Form().Get("name"); got != "First" {
		t.Errorf("it is called %q", got)
	}
}
