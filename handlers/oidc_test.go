package handlers

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// provider is a provider of single sign-on that says what a test wants.
type provider struct {
	*httptest.Server
	t      *testing.T
	key    *rsa.PrivateKey
	away   bool
	asked  url.Values     // of the newest authorization request
	claims map[string]any // over the right ones
	alter  func(claims string) string
	hang   chan struct{} // what the provider says about itself waits until it is closed; nil: it does not
	times  atomic.Int64  // that it was asked about itself
	token  func(form url.Values)
	sign   func(text string) []byte
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	ok(t, err)
	p := &provider{t: t, key: key, claims: map[string]any{}, token: func(url.Values) {}}
	p.sign = func(text string) []byte {
		sum := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, sum[:])
		ok(t, err)
		return signature
	}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if p.away {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.times.Add(1)
		if p.hang != nil {
			<-p.hang
		}
		answer(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "one", "n": base64url(key.N.Bytes()),
			"e": base64url(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		ok(t, r.ParseForm())
		p.token(r.PostForm)
		answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": p.idToken()})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (p *provider) idToken() string {
	claims := map[string]any{
		"iss": p.URL, "aud": "console", "sub": "7", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
		"nonce": p.asked.Get("nonce"), "email": "Mary@Example.com", "email_verified": true,
	}
	maps.Copy(claims, p.claims)
	head, err := json.Marshal(map[string]string{"alg": "RS256", "kid": "one"})
	ok(p.t, err)
	body, err := json.Marshal(claims)
	ok(p.t, err)
	if p.alter != nil {
		body = []byte(p.alter(string(body)))
	}
	text := base64url(head) + "." + base64url(body)
	return text + "." + base64url(p.sign(text))
}

// begin asks the console to log in, and keeps what it asks the provider.
func (p *provider) begin(c *console, path string) {
	p.t.Helper()
	c.extra = nil
	a := c.get(path).want(http.StatusSeeOther)
	to, err := url.Parse(a.Header.Get("Location"))
	ok(p.t, err)
	if !strings.HasPrefix(to.String(), p.URL+"/auth?") {
		p.t.Fatalf("goes to %s", to)
	}
	p.asked = to.Query()
	resp := http.Response{Header: a.Header}
	for _, cookie := range resp.Cookies() {
		if cookie.Name == oidcCookie {
			if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge > 600 {
				p.t.Errorf("cookie: %+v", cookie)
			}
			c.extra = []*http.Cookie{{Name: cookie.Name, Value: cookie.Value}}
		}
	}
}

func (p *provider) back() string { return oidcPath + "?code=c&state=" + p.asked.Get("state") }

func newSignOnConsole(t *testing.T) (*console, *provider) {
	t.Helper()
	p := newProvider(t)
	c := newConsole(t, func(d *Deps) { d.OIDC = OIDC{p.URL, "console", "secret of the client"} })
	c.cookie = ""
	return c, p
}

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
	c.areas.Account.signOn.discovery.again = time.Now() // some seconds later
	p.begin(c, oidcPath+"?next=//evil.example")         // asked anew
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
