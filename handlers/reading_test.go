package handlers

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

// furnished has one of everything, and tells the address of each by its route.
func furnished(t *testing.T, c *console) (paths map[string]string, token string) {
	t.Helper()
	s := &historySite{T: t, store: c.store}
	w := s.hook("Everything", func(in *models.WebhookInput) { in.Secrets[0].Set = "a secret of sixteen or more" })
	c.exec("update webhooks set type = 'superoffice' where id = ?", s.hook("CRM", nil).ID)
	s.set(models.DispatchDelay, "0")
	s.set(models.DispatchInterval, "0")
	s.event("e-1", "A question", nil)
	s.dispatch(1)
	d := s.attempt(w.ID, models.DeliveryFailed, models.Attempt{Code: 500}, 0, "It answered 500.")
	s.event("e-2", "Another", nil) // not dispatched yet
	token, err := c.store.Tokens.Issue(t.Context(), c.admin.Actor(), models.Token{Name: "crm", Scope: models.ScopeSuperOffice})
	ok(t, err)
	c.addViewer()
	hook, delivery := webhookPath(w.ID), "/admin/deliveries/"+d.PublicID
	return map[string]string{
		"/healthz": "/healthz", "/readyz": "/readyz", "/metrics": "/metrics", "/static/*file": "/static/app.css",
		"/login": "/login?next=/admin/audit", "/login/oidc": "/login/oidc", "/": "/", "/account/password": "/account/password",
		"/admin/webhooks": "/admin/webhooks?q=e&sort=team&state=failing", "/admin/webhooks/:id": hook, "/admin/webhooks/new": newForm,
		"/admin/webhooks/known": "/admin/webhooks/known?location=main", "/admin/webhooks/bulk": "/admin/webhooks/bulk?do=delete&id=1",
		"/admin/webhooks/:id/edit": hook + "/edit", "/admin/webhooks/:id/duplicate": hook + "/duplicate", "/admin/webhooks/:id/delete": hook + "/delete",
		"/admin/webhooks/:id/reveal": hook + "/reveal",
		"/admin/deliveries":          "/admin/deliveries?state=failed&code=5xx", "/admin/deliveries.csv": "/admin/deliveries.csv",
		"/admin/deliveries.json": "/admin/deliveries.json", "/admin/deliveries/:id": delivery,
		"/admin/deliveries/resend": "/admin/deliveries/resend?state=failed", "/admin/deliveries/resent": "/admin/deliveries/resent?at=1&total=5",
		"/admin/trigger-history": "/admin/trigger-history?q=question&webhook=1", "/admin/trigger-history/:event": s.eventPath("e-1") + "?webhook=1",
		"/admin/trigger-history/:event/erase": s.eventPath("e-1") + "/erase",
		"/admin/suggestions/:of":              "/admin/suggestions/webhooks?q=every",
		"/admin/locations":                    "/admin/locations", "/admin/locations/:id": "/admin/locations/main", "/admin/members": "/admin/members",
		"/admin/members/:id": "/admin/members/1", "/admin/members/:id/remove": "/admin/members/1/remove", "/admin/members/:id/disable": "/admin/members/1/disable",
		"/admin/members/:id/role": "/admin/members/1/role?role=viewer", "/admin/tokens": "/admin/tokens",
		"/admin/tokens/:id/revoke": "/admin/tokens/1/revoke", "/admin/audit": "/admin/audit?who=Mary&about=webhook", "/admin/system": "/admin/system",
		"/developer/site-settings": "/developer/site-settings", "/developer/site-settings/edit": settingPath(models.DispatchDelay),
		"/superoffice/api/*path": "/superoffice/api/v1/Webhook",
	}, token
}

// TestReadingChangesNothing reads every page there is, by GET and by HEAD.
func TestReadingChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		paths, token := furnished(t, c)
		before, read := c.stored(), 0
		for _, route := range c.engine.Routes() {
			if route.Method != http.MethodGet && route.Method != http.MethodHead {
				continue
			}
			path, known := paths[route.Path]
			if !known {
				path = pathOf(route)
			}
			req := c.request(route.Method, path, nil)
			req.Header.Set("Authorization", "Bearer "+token)
			if a := c.do(req); known && a.Status >= http.StatusBadRequest && route.Path != oidcPath { // no provider here
				t.Errorf("%s %s: %d", route.Method, path, a.Status)
			}
			read++
		}
		for _, path := range []string{"/v1/Webhook/2", "/v1/Webhook/default", "/v1/Webhook/2/LastError"} {
			req := c.request(http.MethodGet, "/superoffice/api"+path, nil)
			req.Header.Set("Authorization", "Bearer "+token)
			c.do(req).want(http.StatusOK)
		}
		if after := c.stored(); after != before || read < 60 {
			t.Errorf("%d pages read; something changed:\n%s", read, difference(before, after))
		}
	}, withAPIs)
}

// TestAPIsIgnoreCookies: what a browser sends along by itself opens no API,
// so a page of another site can ask for nothing there.
func TestAPIsIgnoreCookies(t *testing.T) {
	c := newConsole(t, withAPIs)
	before := c.stored()
	asked := 0
	for _, route := range c.engine.Routes() {
		if !isAPI(route.Path) || route.Method == http.MethodConnect {
			continue
		}
		asked++
		path := strings.Replace(route.Path, "*path", "v1/Webhook", 1)
		req := c.request(route.Method, path, strings.NewReader(`{"type":"lead.scored"}`))
		req.Header.Set("Content-Type", "text/plain")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		if a := c.do(req); a.Status != http.StatusUnauthorized || a.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s with a session's cookie: %d", route.Method, path, a.Status)
		}
	}
	if after := c.stored(); after != before || asked < 5 {
		t.Errorf("%d routes; something changed:\n%s", asked, difference(before, after))
	}
}
