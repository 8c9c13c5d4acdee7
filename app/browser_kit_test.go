package app_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// browser is an administrator at the console, without JavaScript.
type browser struct {
	t      testing.TB
	client *http.Client
	base   string
}

// browser is one in which nobody is logged in.
func (in *instance) browser() *browser {
	in.t.Helper()
	jar, err := cookiejar.New(nil)
	ok(in.t, err)
	return &browser{in.t, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, in.base}
}

func (in *instance) login() *browser {
	in.t.Helper()
	b := in.browser()
	if a := b.post("/login", url.Values{"email": {adminEmail}, "password": {adminPassword}}); a.code != http.StatusSeeOther {
		in.t.Fatalf("login: %d", a.code)
	}
	return b
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	a, err := get(b.t, b.client, b.base+path)
	ok(b.t, err)
	return a
}

// event is the page of the event with a sender's id.
func (b *browser) event(id string) answer {
	b.t.Helper()
	a := b.get("/admin/trigger-history?id=" + url.QueryEscape(id))
	if a.code != http.StatusSeeOther {
		return a
	}
	return b.get(a.header.Get("Location"))
}

func (b *browser) post(path string, form url.Values) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	ok(b.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", b.base)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	a, err := do(b.t, b.client, req)
	ok(b.t, err)
	return a
}

func (b *browser) set(name, value string) {
	b.t.Helper()
	a := b.post("/developer/site-settings/edit?name="+name, url.Values{"value": {value}, "reason": {"for the test"}})
	if a.code != http.StatusSeeOther {
		b.t.Fatalf("set %s: %d %s", name, a.code, a.body)
	}
}

// quick lets events through as they arrive.
func (b *browser) quick() {
	b.t.Helper()
	b.set("Webhooks.EnableGenericWebhooks", "True")
	b.set("Webhooks.DispatchDelay", "0")
	b.set("Webhooks.DispatchInterval", "0")
}

func webhookForm(target string) url.Values {
	return url.Values{
		"name": {"Everything"}, "location": {"main"}, "tag_mode": {"all"}, "url": {target}, "do": {"save"},
		"events": {"question.created", "question.edited", "answer.created", "answer.edited", "answer.accepted", "comment.created"},
	}
}

func (b *browser) createWebhook(form url.Values) {
	b.t.Helper()
	if a := b.post("/admin/webhooks/new?type=generic", form); a.code != http.StatusSeeOther {
		b.t.Fatalf("create: %d %s", a.code, a.body)
	}
}

// cookie is the session of a browser that logged in.
func (b *browser) cookie() string {
	b.t.Helper()
	at, err := url.Parse(b.base)
	ok(b.t, err)
	var pairs []string
	for _, c := range b.client.Jar.Cookies(at) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

func (b *browser) createType(name string, form url.Values) {
	b.t.Helper()
	if a := b.post("/admin/webhooks/new?type="+name, form); a.code != http.StatusSeeOther {
		b.t.Fatalf("create %s: %d %s", name, a.code, a.body)
	}
}
