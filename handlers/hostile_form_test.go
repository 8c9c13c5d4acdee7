package handlers_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"

	"github.com/gin-gonic/gin"
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

// hostileTexts are what people paste, and what programs send on purpose.
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

// TestHostileFormsBreakNothing sends every form filled in with what no field
// can hold, on both databases: it is answered, stores nothing when it is
// refused, and every page can still be read.
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
