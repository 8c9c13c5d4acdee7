package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/account"
	"github.com/sitehooks/sitehooks/handlers/api/openapi"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// furnished has one of everything, and tells the address of each by its route.
func furnished(t *testing.T, c *webtest.Console) (paths map[string]string, token string) {
	t.Helper()
	s := &webtest.HistorySite{T: t, Store: c.Store}
	w := s.Hook("Everything", func(in *models.WebhookInput) { in.Secrets[0].Set = "a secret of sixteen or more" })
	c.Exec("update webhooks set type = 'superoffice' where id = ?", s.Hook("CRM", nil).ID)
	s.Set(models.DispatchDelay, "0")
	s.Set(models.DispatchInterval, "0")
	s.Event("e-1", "A question", nil)
	s.Dispatch(1)
	d := s.Attempt(w.ID, models.DeliveryFailed, models.Attempt{Code: 500}, 0, "The receiver answered 500.")
	s.Event("e-2", "Another", nil) // not dispatched yet
	token, err := c.Store.Tokens.Issue(t.Context(), c.Admin.Actor(), models.Token{Name: "crm", Scope: models.ScopeSuperOffice})
	webtest.OK(t, err)
	c.AddViewer()
	hook, delivery := webhooks.WebhookPath(w.ID), "/admin/deliveries/"+d.PublicID
	return map[string]string{
		"/healthz": "/healthz", "/readyz": "/readyz", "/metrics": "/metrics", "/static/*file": "/static/app.css",
		"/login": "/login?next=/admin/audit", "/login/oidc": "/login/oidc", "/": "/", "/account/password": "/account/password",
		"/admin":          "/admin",
		"/admin/search":   "/admin/search?q=e",
		"/admin/webhooks": "/admin/webhooks?q=e&sort=team&state=failing", "/admin/webhooks/:id": hook, "/admin/webhooks/new": webtest.NewForm,
		"/admin/webhooks/location": "/admin/webhooks/location?location=main", "/admin/webhooks/bulk": "/admin/webhooks/bulk?do=delete&id=1",
		"/admin/webhooks/:id/edit": hook + "/edit", "/admin/webhooks/:id/duplicate": hook + "/duplicate", "/admin/webhooks/:id/delete": hook + "/delete",
		"/admin/webhooks/:id/reveal": hook + "/reveal",
		"/admin/deliveries":          "/admin/deliveries?state=failed&code=5xx", "/admin/deliveries.csv": "/admin/deliveries.csv",
		"/admin/deliveries/export": "/admin/deliveries/export?state=failed", "/admin/deliveries.json": "/admin/deliveries.json", "/admin/deliveries/:id": delivery,
		"/admin/deliveries/resend": "/admin/deliveries/resend?state=failed", "/admin/deliveries/resent": "/admin/deliveries/resent?at=1&total=5",
		"/admin/trigger-history": "/admin/trigger-history?q=question&webhook=1", "/admin/trigger-history/:event": s.EventPath("e-1") + "?webhook=1",
		"/admin/trigger-history/:event/erase": s.EventPath("e-1") + "/erase",
		"/admin/suggestions/:of":              "/admin/suggestions/webhooks?q=every",
		"/admin/locations":                    "/admin/locations", "/admin/locations/:id": "/admin/locations/main", "/admin/members": "/admin/members",
		"/admin/members/:id": "/admin/members/1", "/admin/members/:id/remove": "/admin/members/1/remove", "/admin/members/:id/disable": "/admin/members/1/disable",
		"/admin/members/:id/role": "/admin/members/1/role?role=viewer", "/admin/tokens": "/admin/tokens",
		"/admin/tokens/:id/revoke": "/admin/tokens/1/revoke", "/admin/audit": "/admin/audit?who=Mary&about=webhook", "/admin/system": "/admin/system",
		"/developer/site-settings": "/developer/site-settings", "/developer/site-settings/edit": webtest.SettingPath(models.DispatchDelay),
		"/superoffice/api/*path": "/superoffice/api/v1/Webhook",
	}, token
}

// TestReadingChangesNothing reads every page there is, by GET and by HEAD.
func TestReadingChangesNothing(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		paths, token := furnished(t, c)
		before, read := c.Stored(), 0
		for _, route := range c.Engine.Routes() {
			if route.Method != http.MethodGet && route.Method != http.MethodHead {
				continue
			}
			path, known := paths[route.Path]
			if !known {
				path = webtest.PathOf(route)
			}
			req := c.Request(route.Method, path, nil)
			req.Header.Set("Authorization", "Bearer "+token)
			if a := c.Do(req); known && a.Status >= http.StatusBadRequest && route.Path != account.OidcPath { // no provider here
				t.Errorf("%s %s: %d", route.Method, path, a.Status)
			}
			read++
		}
		for _, path := range []string{"/v1/Webhook/2", "/v1/Webhook/default", "/v1/Webhook/2/LastError"} {
			req := c.Request(http.MethodGet, "/superoffice/api"+path, nil)
			req.Header.Set("Authorization", "Bearer "+token)
			c.Do(req).Want(http.StatusOK)
		}
		if after := c.Stored(); after != before || read < 60 {
			t.Errorf("%d pages read; something changed:\n%s", read, webtest.Difference(before, after))
		}
	}, webtest.WithAPIs)
}

// TestAPIsIgnoreCookies: credentials that a browser sends by itself open no
// API, so a page of another site can do nothing there.
func TestAPIsIgnoreCookies(t *testing.T) {
	c := webtest.NewConsole(t, webtest.WithAPIs)
	before := c.Stored()
	requested := 0
	for _, route := range c.Engine.Routes() {
		if !web.IsAPI(route.Path) || route.Method == http.MethodConnect || route.Path == openapi.Path { // which is open
			continue
		}
		requested++
		path := strings.Replace(route.Path, "*path", "v1/Webhook", 1)
		req := c.Request(route.Method, path, strings.NewReader(`{"type":"lead.scored"}`))
		req.Header.Set("Content-Type", "text/plain")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		if a := c.Do(req); a.Status != http.StatusUnauthorized || a.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s with a session's cookie: %d", route.Method, path, a.Status)
		}
	}
	if after := c.Stored(); after != before || requested < 5 {
		t.Errorf("%d routes; something changed:\n%s", requested, webtest.Difference(before, after))
	}
}
