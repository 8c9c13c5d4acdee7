package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

func TestEverythingElseNeedsASession(t *testing.T) {
	c := newConsole(t)
	c.cookie = ""
	for _, route := range c.engine.Routes() {
		if open[route.Path] {
			continue
		}
		want := "/login"
		if route.Method != http.MethodPost || refillable[route.Path] {
			want = "/login?next=" + url.QueryEscape(pathOf(route)+"?a=b")
		}
		a := c.do(c.request(route.Method, pathOf(route)+"?a=b", nil))
		if a.Status != http.StatusSeeOther || a.Header.Get("Location") != want {
			t.Errorf("%s %s: %d to %s, want 303 to %s", route.Method, route.Path, a.Status, a.Header.Get("Location"), want)
		}
	}
	c.get("/admin/nothing").goesTo("/login?next=%2Fadmin%2Fnothing")
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/login", "/static/app.css"} {
		c.get(path).want(http.StatusOK)
		if a := c.do(c.request(http.MethodHead, path, nil)); a.Status != http.StatusOK {
			t.Errorf("HEAD %s: %d", path, a.Status)
		}
	}
}

func TestChangesAskedForByOtherSitesAreRefused(t *testing.T) {
	c := newConsole(t)
	changing := 0
	for _, route := range c.engine.Routes() {
		if route.Method == http.MethodGet || route.Method == http.MethodHead || isAPI(route.Path) {
			continue
		}
		changing++
		for _, origin := range []map[string]string{
			{"Sec-Fetch-Site": "cross-site"},
			{"Sec-Fetch-Site": "same-site", "Origin": "https://other.example.com"},
			{"Origin": "https://evil.example"},
		} {
			req := c.request(route.Method, pathOf(route), strings.NewReader(""))
			for name, value := range origin {
				req.Header.Set(name, value)
			}
			if a := c.do(req); a.Status != http.StatusForbidden {
				t.Errorf("%s %s with %v: %d, want 403", route.Method, route.Path, origin, a.Status)
			}
		}
	}
	if changing < 10 {
		t.Errorf("only %d changing routes", changing)
	}
	req := c.request(http.MethodPost, "/theme", strings.NewReader("theme=dark"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "http://console.example.com") // the base URL's, behind a proxy that changes Host
	c.do(req).want(http.StatusSeeOther)
}

func TestViewerChangesNothing(t *testing.T) {
	c := newConsole(t)
	w := c.addWebhook(nil)
	c.logIn(c.addViewer())
	for _, route := range c.engine.Routes() {
		if open[route.Path] || own[route.Path] || route.Method != http.MethodPost {
			continue
		}
		if a := c.post(pathOf(route), url.Values{}); a.Status != http.StatusForbidden {
			t.Errorf("POST %s: %d, want 403", route.Path, a.Status)
		}
	}
	for _, path := range []string{"/admin/webhooks/new?type=generic", "/admin/webhooks/1/edit", "/admin/webhooks/1/delete", "/admin/webhooks/1/duplicate"} {
		c.get(path).want(http.StatusForbidden)
	}
	list := c.get("/admin/webhooks").want(http.StatusOK)
	if links := list.Find("main a[href$=edit], main a[href$=delete], main a[href*=new]"); links.Length() > 0 {
		t.Errorf("the list offers %d changes to a viewer", links.Length())
	}
	one := c.get(webhookPath(w.ID)).want(http.StatusOK)
	if one.Find("main form").Length() > 0 {
		t.Error("the webhook's page has a form for a viewer")
	}
	setting := c.get("/developer/site-settings/edit?name=" + models.DispatchDelay).want(http.StatusOK)
	if setting.Find("main form").Length() > 0 {
		t.Error("the setting's page has a form for a viewer")
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	c := newConsole(t)
	for _, path := range []string{"/login", "/admin/webhooks", "/admin/nothing", "/static/app.css", "/healthz", "/api/nothing"} {
		a := c.get(path)
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "same-origin", "Strict-Transport-Security": "",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	for _, page := range []string{"/login", "/admin/webhooks", "/admin/webhooks/new?type=generic"} {
		a := c.get(page)
		if a.Find("[style], script:not([src]), style, [onclick]").Length() > 0 {
			t.Errorf("%s has inline style or script", page)
		}
	}
	secure := newConsole(t, func(d *Deps) { d.BaseURL = &url.URL{Scheme: "https", Host: "console.example.com"} })
	if got := secure.get("/login").Header.Get("Strict-Transport-Security"); got == "" {
		t.Error("no HSTS over https")
	}
}

func TestErrorsArePagesAndProblems(t *testing.T) {
	c := newConsole(t)
	if a := c.get("/admin/nothing").want(http.StatusNotFound); a.text("h1") != "Not Found" {
		t.Errorf("the 404 page says %q", a.text("h1"))
	}
	c.get("/admin/webhooks/99").want(http.StatusNotFound)
	c.get("/admin/webhooks/99/edit").want(http.StatusNotFound)
	c.get("/admin/webhooks/x").want(http.StatusNotFound)
	c.get("/admin/webhooks/new?type=carrier-pigeon").want(http.StatusNotFound)
	if a := c.post("/admin/webhooks", nil).want(http.StatusMethodNotAllowed); !strings.Contains(a.Header.Get("Allow"), "GET") {
		t.Errorf("Allow is %q", a.Header.Get("Allow"))
	}
	c.get("/admin/webhooks?q=%00").want(http.StatusBadRequest)
	c.get("/admin/webhooks?q=%ff").want(http.StatusBadRequest)
	c.post("/admin/webhooks/new?type=generic", url.Values{"name": {strings.Repeat("x", formLimit)}}).want(http.StatusRequestEntityTooLarge)

	a := c.get("/api/v1/nothing").want(http.StatusNotFound)
	if kind := a.Header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("an unknown API address answers %s", kind)
	}
	c.cookie = ""
	c.get("/api/v1/events").want(http.StatusMethodNotAllowed)
	req := c.request(http.MethodPost, "/api/v1/events", nil)
	req.Header.Set("Sec-Fetch-Site", "cross-site") // tokens, not cookies, open the API
	c.do(req).want(http.StatusAccepted)
}

func TestFaultIsThePageRenderedAtStart(t *testing.T) {
	c := newConsole(t)
	broken := *c.store
	broken.Locations = nil // the handler will panic
	c.site.Store = &broken
	a := c.get("/admin/webhooks").want(http.StatusInternalServerError)
	if !strings.Contains(a.text("main"), "Something went wrong") || strings.Contains(a.Body, "nil pointer") {
		t.Errorf("the 500 page says %q", a.text("main"))
	}
	c.store.Close()
	c.get("/admin/webhooks").want(http.StatusInternalServerError)
}

func TestReadiness(t *testing.T) {
	ready := errors.New("database is away at postgres://user:word@host")
	c := newConsole(t, func(d *Deps) { d.Ready = nil })
	c.get("/readyz").want(http.StatusOK)
	h := Health(func(context.Context) error { return ready }, nil, c.site.Log)
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable, "/metrics": http.StatusNotFound} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if w.Code != want || strings.Contains(w.Body.String(), "postgres") {
			t.Errorf("%s: %d %q, want %d", path, w.Code, w.Body, want)
		}
	}
}

func TestThemeIsRemembered(t *testing.T) {
	c := newConsole(t)
	c.post("/theme", url.Values{"theme": {"neon"}}).want(http.StatusUnprocessableEntity)
	a := c.post("/theme", url.Values{"theme": {"dark"}, "next": {"/admin/deliveries?state=failed"}})
	a.goesTo("/admin/deliveries?state=failed")
	resp := http.Response{Header: a.Header}
	c.extra = resp.Cookies()
	if class, _ := c.get("/admin/webhooks").Find("body").Attr("class"); class != "theme-dark" {
		t.Errorf("body has the class %q", class)
	}
	c.post("/theme", url.Values{"theme": {"light"}, "next": {"//evil.example"}}).goesTo("/admin/webhooks")
}

func TestForwardedAddressIsBelievedOfTrustedProxiesOnly(t *testing.T) {
	failuresOf := func(adjust func(*Deps)) (n int) {
		c := newConsole(t, adjust)
		c.cookie = ""
		req := c.request(http.MethodPost, "/login", strings.NewReader("email=a@example.com&password=wrong"))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("X-Forwarded-For", "203.0.113.7")
		c.do(req).want(http.StatusUnauthorized)
		failures, _, err := c.store.Users.LoginFailures(t.Context(), models.LoginFrom{AddressGroup: "203.0.113.7"})
		ok(t, err)
		return len(failures)
	}
	if n := failuresOf(func(*Deps) {}); n != 0 {
		t.Error("anybody may say which address they have")
	}
	trusting := func(d *Deps) { d.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }
	if n := failuresOf(trusting); n != 1 {
		t.Error("a trusted proxy is not believed")
	}
}
