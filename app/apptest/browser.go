package apptest

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// Browser is an administrator at the console, without JavaScript.
type Browser struct {
	T      testing.TB
	client *http.Client
	base   string
}

// Browser is a browser without a session.
func (in *Instance) Browser() *Browser {
	in.T.Helper()
	jar, err := cookiejar.New(nil)
	ok(in.T, err)
	return &Browser{in.T, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, in.Base}
}

// Login is a browser in which the first administrator is logged in.
func (in *Instance) Login() *Browser {
	in.T.Helper()
	return in.LoginAs(AdminEmail)
}

// LoginAs is a browser in which a member is logged in who has the password of
// the first administrator.
func (in *Instance) LoginAs(email string) *Browser {
	in.T.Helper()
	b := in.Browser()
	if a := b.Post("/login", url.Values{"email": {email}, "password": {AdminPassword}}); a.Code != http.StatusSeeOther {
		in.T.Fatalf("login: %d", a.Code)
	}
	return b
}

// Get reads a page. It does not follow redirections.
func (b *Browser) Get(path string) Answer {
	b.T.Helper()
	a, err := Get(b.T, b.client, b.base+path)
	ok(b.T, err)
	return a
}

// Event is the page of the event with a sender's id.
func (b *Browser) Event(id string) Answer {
	b.T.Helper()
	a := b.Get("/admin/trigger-history?id=" + url.QueryEscape(id))
	if a.Code != http.StatusSeeOther {
		return a
	}
	return b.Get(a.Header.Get("Location"))
}

// Post sends a form as a page of the console does.
func (b *Browser) Post(path string, form url.Values) Answer {
	b.T.Helper()
	req, err := http.NewRequestWithContext(b.T.Context(), http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	ok(b.T, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", b.base)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	a, err := Do(b.T, b.client, req)
	ok(b.T, err)
	return a
}

// Set changes a site setting.
func (b *Browser) Set(name, value string) {
	b.T.Helper()
	a := b.Post("/developer/site-settings/edit?name="+name, url.Values{"value": {value}, "reason": {"for the test"}})
	if a.Code != http.StatusSeeOther {
		b.T.Fatalf("set %s: %d %s", name, a.Code, a.Body)
	}
}

// Quick lets events through as they arrive.
func (b *Browser) Quick() {
	b.T.Helper()
	b.Set("Webhooks.EnableGenericWebhooks", "True")
	b.Set("Webhooks.DispatchDelay", "0")
	b.Set("Webhooks.DispatchInterval", "0")
}

// WebhookForm has the form values of a generic webhook for all events.
func WebhookForm(target string) url.Values {
	return url.Values{
		"name": {"Everything"}, "location": {"main"}, "tag_mode": {"all"}, "url": {target}, "do": {"save"},
		"events": {"question.created", "question.edited", "answer.created", "answer.edited", "answer.accepted", "comment.created"},
	}
}

// CreateWebhook saves a new generic webhook.
func (b *Browser) CreateWebhook(form url.Values) {
	b.T.Helper()
	if a := b.Post("/admin/webhooks/new?type=generic", form); a.Code != http.StatusSeeOther {
		b.T.Fatalf("create: %d %s", a.Code, a.Body)
	}
}

// Cookie is the session of a browser that logged in.
func (b *Browser) Cookie() string {
	b.T.Helper()
	at, err := url.Parse(b.base)
	ok(b.T, err)
	var pairs []string
	for _, c := range b.client.Jar.Cookies(at) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

// CreateType saves a new webhook of a type.
func (b *Browser) CreateType(name string, form url.Values) {
	b.T.Helper()
	if a := b.Post("/admin/webhooks/new?type="+name, form); a.Code != http.StatusSeeOther {
		b.T.Fatalf("create %s: %d %s", name, a.Code, a.Body)
	}
}
