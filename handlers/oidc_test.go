package handlers

import (
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

func TestSingleSignOn(t *testing.T) {
	c, p := newSignOnConsole(t)
	button := c.get("/login?next=%2Fadmin%2Fdeliveries").Find("main a")
	if button.Text() != "Log in with single sign-on" {
		t.Fatalf("the button says %q", button.Text())
	}
	p.begin(c, button.AttrOr("href", ""))
	for name, want := range map[string]string{
		"client_id": "console", "response_type": "code", "redirect_uri": "http://console.example.com/login/oidc",
		"scope": "openid email profile", "code_challenge_method": "S256",
	} {
		if got := p.asked.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	p.token = func(form url.Values) {
		sum := sha256.Sum256([]byte(form.Get("code_verifier")))
		if base64url(sum[:]) != p.asked.Get("code_challenge") || form.Get("code") != "c" {
			t.Errorf("the token was asked for with %v", form)
		}
	}
	c.cookie = "before"
	a := c.get(p.back()).goesTo("/admin/deliveries")
	cookie := sessionOf(t, a)
	if cookie.Value == "before" || cookie.Value == "" {
		t.Error("the session id is not new")
	}
	c.cookie, c.extra = cookie.Value, nil
	if got := c.get("/admin/deliveries").want(http.StatusOK).text(".who-name"); !strings.HasPrefix(got, "Mary Wilkins") {
		t.Errorf("logged in is %q", got)
	}
	c.cookie = ""
	c.get(p.back()).want(http.StatusBadRequest) // the cookie is gone
}

func TestSingleSignOnRefuses(t *testing.T) {
	c, p := newSignOnConsole(t)
	right := p.sign
	for name, test := range map[string]struct {
		claims map[string]any
		sign   func(string) []byte
		path   func() string
		status int
		says   string
	}{
		"not a member":   {claims: map[string]any{"email": "<b>eve</b>@example.com"}, status: 403, says: "<b>eve</b>@example.com is not on the list"},
		"not verified":   {claims: map[string]any{"email_verified": false}, status: 403, says: "does not vouch"},
		"says nothing":   {claims: map[string]any{"email_verified": nil}, status: 403, says: "does not vouch"},
		"no e-mail":      {claims: map[string]any{"email": ""}, status: 403, says: "does not vouch"},
		"another nonce":  {claims: map[string]any{"nonce": "x"}, status: 403, says: "cannot be trusted"},
		"another client": {claims: map[string]any{"aud": "other"}, status: 403, says: "cannot be trusted"},
		"another issuer": {claims: map[string]any{"iss": "https://evil.example"}, status: 403, says: "cannot be trusted"},
		"too old":        {claims: map[string]any{"exp": 1}, status: 403, says: "cannot be trusted"},
		"bad signature":  {sign: func(string) []byte { return []byte("no") }, status: 403, says: "cannot be trusted"},
		"another state":  {path: func() string { return oidcPath + "?code=c&state=x" }, status: 400, says: "another browser"},
		"said no": {
			path:   func() string { return oidcPath + "?error=access_denied&state=" + p.asked.Get("state") },
			status: 403, says: "The provider refused: access_denied",
		},
	} {
		p.begin(c, oidcPath+"?next=/admin/audit")
		p.claims, p.sign = test.claims, right
		if test.sign != nil {
			p.sign = test.sign
		}
		path := p.back()
		if test.path != nil {
			path = test.path()
		}
		a := c.get(path)
		if got := a.text("[role=alert]"); a.Status != test.status || !strings.Contains(got, test.says) {
			t.Errorf("%s: %d %q", name, a.Status, got)
		}
		if strings.Contains(strings.Join(a.Header.Values("Set-Cookie"), ";"), sessionCookie) {
			t.Errorf("%s: there is a session", name)
		}
	}
	p.claims, p.sign = nil, right
	p.begin(c, oidcPath)
	c.extra[0].Value += "x"
	c.get(p.back()).want(http.StatusBadRequest)
}

func TestSingleSignOnWithoutItsProvider(t *testing.T) {
	c, p := newSignOnConsole(t)
	p.away = true
	if a := c.get(oidcPath).want(http.StatusBadGateway); !strings.Contains(a.text("[role=alert]"), "does not answer") {
		t.Errorf("it says %q", a.text("[role=alert]"))
	}
	c.post("/login", credentials(adminPassword)).want(http.StatusSeeOther)
	p.away = false
	AskProviderAnew(c.areas.Account)            // some seconds later
	p.begin(c, oidcPath+"?next=//evil.example") // asked anew
	c.get(p.back()).goesTo("/admin/webhooks")

	without := newConsole(t)
	without.cookie = ""
	without.get(oidcPath).want(http.StatusNotFound)
	if without.get("/login").Find("main a").Length() > 0 {
		t.Error("there is a button without a provider")
	}
}

func TestSingleSignOnReplacesTheOneTimePassword(t *testing.T) {
	c, p := newSignOnConsole(t)
	u := c.addUser(models.User{Email: "new@example.com", PasswordHash: adminHash(), Role: models.RoleViewer, MustChangePassword: true})
	p.begin(c, oidcPath)
	p.claims = map[string]any{"email": u.Email, "email_verified": "true"}
	a := c.get(p.back()).goesTo("/admin/webhooks")
	c.cookie, c.extra = sessionOf(t, a).Value, nil
	c.get("/admin/webhooks").want(http.StatusOK)
	c.cookie = ""
	c.post("/login", url.Values{"email": {u.Email}, "password": {adminPassword}}).want(http.StatusUnauthorized)
}
