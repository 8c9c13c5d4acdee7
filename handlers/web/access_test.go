package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func TestEverythingElseNeedsASession(t *testing.T) {
	c := webtest.NewConsole(t)
	c.Cookie = ""
	for _, route := range c.Engine.Routes() {
		if webtest.Open[route.Path] {
			continue
		}
		want := "/login"
		if route.Method != http.MethodPost || web.Refillable[route.Path] {
			want = "/login?next=" + url.QueryEscape(webtest.PathOf(route)+"?a=b")
		}
		a := c.Do(c.Request(route.Method, webtest.PathOf(route)+"?a=b", nil))
		if a.Status != http.StatusSeeOther || a.Header.Get("Location") != want {
			t.Errorf("%s %s: %d to %s, want 303 to %s", route.Method, route.Path, a.Status, a.Header.Get("Location"), want)
		}
	}
	c.Get("/admin/nothing").GoesTo("/login?next=%2Fadmin%2Fnothing")
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/login", "/static/app.css"} {
		c.Get(path).Want(http.StatusOK)
		if a := c.Do(c.Request(http.MethodHead, path, nil)); a.Status != http.StatusOK {
			t.Errorf("HEAD %s: %d", path, a.Status)
		}
	}
}

func TestChangesAskedForByOtherSitesAreRefused(t *testing.T) {
	c := webtest.NewConsole(t)
	changing := 0
	for _, route := range c.Engine.Routes() {
		if route.Method == http.MethodGet || route.Method == http.MethodHead || web.IsAPI(route.Path) {
			continue
		}
		changing++
		for _, origin := range []map[string]string{
			{"Sec-Fetch-Site": "cross-site"},
			{"Sec-Fetch-Site": "same-site", "Origin": "https://other.example.com"},
			{"Origin": "https://evil.example"},
		} {
			req := c.Request(route.Method, webtest.PathOf(route), strings.NewReader(""))
			for name, value := range origin {
				req.Header.Set(name, value)
			}
			if a := c.Do(req); a.Status != http.StatusForbidden {
				t.Errorf("%s %s with %v: %d, want 403", route.Method, route.Path, origin, a.Status)
			}
		}
	}
	if changing < 10 {
		t.Errorf("only %d changing routes", changing)
	}
	req := c.Request(http.MethodPost, "/theme", strings.NewReader("theme=dark"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "http://console.example.com") // the base URL's, behind a proxy that changes Host
	c.Do(req).Want(http.StatusSeeOther)
}

func TestViewerChangesNothing(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(nil)
	c.LogIn(c.AddViewer())
	for _, route := range c.Engine.Routes() {
		if webtest.Open[route.Path] || webtest.Own[route.Path] || route.Method != http.MethodPost {
			continue
		}
		if a := c.Post(webtest.PathOf(route), url.Values{}); a.Status != http.StatusForbidden {
			t.Errorf("POST %s: %d, want 403", route.Path, a.Status)
		}
	}
	for _, path := range []string{"/admin/webhooks/new?type=generic", "/admin/webhooks/1/edit", "/admin/webhooks/1/delete", "/admin/webhooks/1/duplicate"} {
		c.Get(path).Want(http.StatusForbidden)
	}
	list := c.Get("/admin/webhooks").Want(http.StatusOK)
	if links := list.Find("main a[href$=edit], main a[href$=delete], main a[href*=new]"); links.Length() > 0 {
		t.Errorf("the list offers %d changes to a viewer", links.Length())
	}
	one := c.Get(webhooks.WebhookPath(w.ID)).Want(http.StatusOK)
	if one.Find("main form").Length() > 0 {
		t.Error("the webhook's page has a form for a viewer")
	}
	setting := c.Get("/developer/site-settings/edit?name=" + models.DispatchDelay).Want(http.StatusOK)
	if setting.Find("main form").Length() > 0 {
		t.Error("the setting's page has a form for a viewer")
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	c := webtest.NewConsole(t)
	for _, path := range []string{"/login", "/admin/webhooks", "/admin/nothing", "/static/app.css", "/healthz", "/api/nothing"} {
		a := c.Get(path)
		for name, want := range map[string]string{
			"Content-Security-Policy": web.Policy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "same-origin", "Strict-Transport-Security": "",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	for _, page := range []string{"/login", "/admin/webhooks", "/admin/webhooks/new?type=generic"} {
		a := c.Get(page)
		if a.Find("[style], script:not([src]), style, [onclick]").Length() > 0 {
			t.Errorf("%s has inline style or script", page)
		}
	}
	secure := webtest.NewConsole(t, func(d *handlers.Deps) { d.BaseURL = &url.URL{Scheme: "https", Host: "console.example.com"} })
	if got := secure.Get("/login").Header.Get("Strict-Transport-Security"); got == "" {
		t.Error("no HSTS over https")
	}
}

func TestErrorsArePagesAndProblems(t *testing.T) {
	c := webtest.NewConsole(t)
	if a := c.Get("/admin/nothing").Want(http.StatusNotFound); a.Text("h1") != "Not Found" {
		t.Errorf("the 404 page says %q", a.Text("h1"))
	}
	c.Get("/admin/webhooks/99").Want(http.StatusNotFound)
	c.Get("/admin/webhooks/99/edit").Want(http.StatusNotFound)
	c.Get("/admin/webhooks/x").Want(http.StatusNotFound)
	c.Get("/admin/webhooks/new?type=carrier-pigeon").Want(http.StatusNotFound)
	if a := c.Post("/admin/webhooks", nil).Want(http.StatusMethodNotAllowed); !strings.Contains(a.Header.Get("Allow"), "GET") {
		t.Errorf("Allow is %q", a.Header.Get("Allow"))
	}
	c.Get("/admin/webhooks?q=%00").Want(http.StatusBadRequest)
	c.Get("/admin/webhooks?q=%ff").Want(http.StatusBadRequest)
	c.Post("/admin/webhooks/new?type=generic", url.Values{"name": {strings.Repeat("x", web.FormLimit)}}).Want(http.StatusRequestEntityTooLarge)

	a := c.Get("/api/v1/nothing").Want(http.StatusNotFound)
	if kind := a.Header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("an unknown API address answers %s", kind)
	}
	c.Cookie = ""
	c.Get("/api/v1/events").Want(http.StatusMethodNotAllowed)
	req := c.Request(http.MethodPost, "/api/v1/events", nil)
	req.Header.Set("Sec-Fetch-Site", "cross-site") // tokens, not cookies, open the API
	c.Do(req).Want(http.StatusAccepted)
}

func TestFaultIsThePageRenderedAtStart(t *testing.T) {
	c := webtest.NewConsole(t)
	broken := *c.Store
	broken.Locations = nil // the handler will panic
	c.Site.Store = &broken
	a := c.Get("/admin/webhooks").Want(http.StatusInternalServerError)
	if !strings.Contains(a.Text("main"), "Something went wrong") || strings.Contains(a.Body, "nil pointer") {
		t.Errorf("the 500 page says %q", a.Text("main"))
	}
	c.Store.Close()
	c.Get("/admin/webhooks").Want(http.StatusInternalServerError)
}

func TestReadiness(t *testing.T) {
	ready := errors.New("database is away at postgres://user:word@host")
	c := webtest.NewConsole(t, func(d *handlers.Deps) { d.Ready = nil })
	c.Get("/readyz").Want(http.StatusOK)
	h := handlers.Health(func(context.Context) error { return ready }, nil, c.Site.Log)
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable, "/metrics": http.StatusNotFound} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if w.Code != want || strings.Contains(w.Body.String(), "postgres") {
			t.Errorf("%s: %d %q, want %d", path, w.Code, w.Body, want)
		}
	}
}

func TestThemeIsRemembered(t *testing.T) {
	c := webtest.NewConsole(t)
	c.Post("/theme", url.Values{"theme": {"neon"}}).Want(http.StatusUnprocessableEntity)
	a := c.Post("/theme", url.Values{"theme": {"dark"}, "next": {"/admin/deliveries?state=failed"}})
	a.GoesTo("/admin/deliveries?state=failed")
	resp := http.Response{Header: a.Header}
	c.Extra = resp.Cookies()
	if class, _ := c.Get("/admin/webhooks").Find("body").Attr("class"); class != "theme-dark" {
		t.Errorf("body has the class %q", class)
	}
	c.Post("/theme", url.Values{"theme": {"light"}, "next": {"//evil.example"}}).GoesTo("/admin")
}

func TestForwardedAddressIsBelievedOfTrustedProxiesOnly(t *testing.T) {
	failuresOf := func(adjust func(*handlers.Deps)) (n int) {
		c := webtest.NewConsole(t, adjust)
		c.Cookie = ""
		req := c.Request(http.MethodPost, "/login", strings.NewReader("email=a@example.com&password=wrong"))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("X-Forwarded-For", "203.0.113.7")
		c.Do(req).Want(http.StatusUnauthorized)
		failures, _, err := c.Store.Users.LoginFailures(t.Context(), models.LoginFrom{AddressGroup: "203.0.113.7"})
		webtest.OK(t, err)
		return len(failures)
	}
	if n := failuresOf(func(*handlers.Deps) {}); n != 0 {
		t.Error("anybody may say which address they have")
	}
	trusting := func(d *handlers.Deps) { d.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }
	if n := failuresOf(trusting); n != 1 {
		t.Error("a trusted proxy is not believed")
	}
}
