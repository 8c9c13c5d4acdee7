package account_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/account"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func TestSingleSignOn(t *testing.T) {
	c, p := webtest.NewSignOnConsole(t)
	button := c.Get("/login?next=%2Fadmin%2Fdeliveries").Find("main a")
	if button.Text() != "Log in with single sign-on" {
		t.Fatalf("the button says %q", button.Text())
	}
	p.Begin(c, button.AttrOr("href", ""))
	for name, want := range map[string]string{
		"client_id": "console", "response_type": "code", "redirect_uri": "http://console.example.com/login/oidc",
		"scope": "openid email profile", "code_challenge_method": "S256",
	} {
		if got := p.Requested.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	p.Token = func(form url.Values) {
		sum := sha256.Sum256([]byte(form.Get("code_verifier")))
		if base64.RawURLEncoding.EncodeToString(sum[:]) != p.Requested.Get("code_challenge") || form.Get("code") != "c" {
			t.Errorf("the token was asked for with %v", form)
		}
	}
	c.Cookie = "before"
	a := c.Get(p.Back()).GoesTo("/admin/deliveries")
	cookie := webtest.SessionOf(t, a)
	if cookie.Value == "before" || cookie.Value == "" {
		t.Error("the session id is not new")
	}
	c.Cookie, c.Extra = cookie.Value, nil
	if got := c.Get("/admin/deliveries").Want(http.StatusOK).Text(".who-name"); !strings.HasPrefix(got, "Mary Wilkins") {
		t.Errorf("logged in is %q", got)
	}
	c.Cookie = ""
	c.Get(p.Back()).Want(http.StatusBadRequest) // the cookie is gone
}

func TestSingleSignOnRefuses(t *testing.T) {
	c, p := webtest.NewSignOnConsole(t)
	right := p.Sign
	for name, test := range map[string]struct {
		claims map[string]any
		sign   func(string) []byte
		path   func() string
		status int
		says   string
	}{
		"not a member":   {claims: map[string]any{"email": "<b>eve</b>@example.com"}, status: 403, says: "<b>eve</b>@example.com is not on the list"},
		"not verified":   {claims: map[string]any{"email_verified": false}, status: 403, says: "has not verified"},
		"says nothing":   {claims: map[string]any{"email_verified": nil}, status: 403, says: "has not verified"},
		"no e-mail":      {claims: map[string]any{"email": ""}, status: 403, says: "has not verified"},
		"another nonce":  {claims: map[string]any{"nonce": "x"}, status: 403, says: "could not be verified"},
		"another client": {claims: map[string]any{"aud": "other"}, status: 403, says: "could not be verified"},
		"another issuer": {claims: map[string]any{"iss": "https://evil.example"}, status: 403, says: "could not be verified"},
		"too old":        {claims: map[string]any{"exp": 1}, status: 403, says: "could not be verified"},
		"bad signature":  {sign: func(string) []byte { return []byte("no") }, status: 403, says: "could not be verified"},
		"another state":  {path: func() string { return account.OidcPath + "?code=c&state=x" }, status: 400, says: "another browser"},
		"said no": {
			path:   func() string { return account.OidcPath + "?error=access_denied&state=" + p.Requested.Get("state") },
			status: 403, says: "The provider refused: access_denied",
		},
	} {
		p.Begin(c, account.OidcPath+"?next=/admin/audit")
		p.Claims, p.Sign = test.claims, right
		if test.sign != nil {
			p.Sign = test.sign
		}
		path := p.Back()
		if test.path != nil {
			path = test.path()
		}
		a := c.Get(path)
		if got := a.Text("[role=alert]"); a.Status != test.status || !strings.Contains(got, test.says) {
			t.Errorf("%s: %d %q", name, a.Status, got)
		}
		if strings.Contains(strings.Join(a.Header.Values("Set-Cookie"), ";"), web.SessionCookie) {
			t.Errorf("%s: there is a session", name)
		}
	}
	p.Claims, p.Sign = nil, right
	p.Begin(c, account.OidcPath)
	c.Extra[0].Value += "x"
	c.Get(p.Back()).Want(http.StatusBadRequest)
}

func TestSingleSignOnWithoutItsProvider(t *testing.T) {
	c, p := webtest.NewSignOnConsole(t)
	p.Away = true
	if a := c.Get(account.OidcPath).Want(http.StatusBadGateway); !strings.Contains(a.Text("[role=alert]"), "does not answer") {
		t.Errorf("it says %q", a.Text("[role=alert]"))
	}
	c.Post("/login", webtest.Credentials(webtest.AdminPassword)).Want(http.StatusSeeOther)
	p.Away = false
	account.AskProviderAnew(c.Areas.Account)            // some seconds later
	p.Begin(c, account.OidcPath+"?next=//evil.example") // asked anew
	c.Get(p.Back()).GoesTo("/admin")

	without := webtest.NewConsole(t)
	without.Cookie = ""
	without.Get(account.OidcPath).Want(http.StatusNotFound)
	if without.Get("/login").Find("main a").Length() > 0 {
		t.Error("there is a button without a provider")
	}
}

func TestSingleSignOnReplacesTheOneTimePassword(t *testing.T) {
	c, p := webtest.NewSignOnConsole(t)
	u := c.AddUser(models.User{Email: "new@example.com", PasswordHash: webtest.AdminHash(), Role: models.RoleViewer, MustChangePassword: true})
	p.Begin(c, account.OidcPath)
	p.Claims = map[string]any{"email": u.Email, "email_verified": "true"}
	a := c.Get(p.Back()).GoesTo("/admin")
	c.Cookie, c.Extra = webtest.SessionOf(t, a).Value, nil
	c.Get("/admin/webhooks").Want(http.StatusOK)
	c.Cookie = ""
	c.Post("/login", url.Values{"email": {u.Email}, "password": {webtest.AdminPassword}}).Want(http.StatusUnauthorized)
}
