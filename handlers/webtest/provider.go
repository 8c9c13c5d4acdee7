package webtest

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

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/account"
)

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func newProvider(t *testing.T) *Provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	OK(t, err)
	p := &Provider{T: t, key: key, Claims: map[string]any{}, Token: func(url.Values) {}}
	p.Sign = func(text string) []byte {
		sum := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, sum[:])
		OK(t, err)
		return signature
	}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if p.Away {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.Times.Add(1)
		if p.Hang != nil {
			<-p.Hang
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
		OK(t, r.ParseForm())
		p.Token(r.PostForm)
		answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": p.idToken()})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// NewSignOnConsole is a console with a provider of single sign-on, where nobody
// is logged in.
func NewSignOnConsole(t *testing.T) (*Console, *Provider) {
	t.Helper()
	p := newProvider(t)
	c := NewConsole(t, func(d *handlers.Deps) {
		d.OIDC = account.OIDC{Issuer: p.URL, ClientID: "console", ClientSecret: "secret of the client"}
	})
	c.Cookie = ""
	return c, p
}

// Provider is a provider of single sign-on whose answers a test chooses.
type Provider struct {
	*httptest.Server
	T         *testing.T
	key       *rsa.PrivateKey
	Away      bool
	Requested url.Values     // of the newest authorization request
	Claims    map[string]any // over the right ones
	Alter     func(claims string) string
	Hang      chan struct{} // the provider's configuration waits until it is closed; nil: it does not
	Times     atomic.Int64  // that it was asked about itself
	Token     func(form url.Values)
	Sign      func(text string) []byte
}

// Back is the path to which the provider sends the browser back after Begin.
func (p *Provider) Back() string {
	return account.OidcPath + "?code=c&state=" + p.Requested.Get("state")
}

// Begin starts a log-in at the console, and keeps its request to the provider.
func (p *Provider) Begin(c *Console, path string) {
	p.T.Helper()
	c.Extra = nil
	a := c.Get(path).Want(http.StatusSeeOther)
	to, err := url.Parse(a.Header.Get("Location"))
	OK(p.T, err)
	if !strings.HasPrefix(to.String(), p.URL+"/auth?") {
		p.T.Fatalf("goes to %s", to)
	}
	p.Requested = to.Query()
	resp := http.Response{Header: a.Header}
	for _, cookie := range resp.Cookies() {
		if cookie.Name == account.OidcCookie {
			if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge > 600 {
				p.T.Errorf("cookie: %+v", cookie)
			}
			c.Extra = []*http.Cookie{{Name: cookie.Name, Value: cookie.Value}}
		}
	}
}

func (p *Provider) idToken() string {
	claims := map[string]any{
		"iss": p.URL, "aud": "console", "sub": "7", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
		"nonce": p.Requested.Get("nonce"), "email": "Mary@Example.com", "email_verified": true,
	}
	maps.Copy(claims, p.Claims)
	head, err := json.Marshal(map[string]string{"alg": "RS256", "kid": "one"})
	OK(p.T, err)
	body, err := json.Marshal(claims)
	OK(p.T, err)
	if p.Alter != nil {
		body = []byte(p.Alter(string(body)))
	}
	text := base64url(head) + "." + base64url(body)
	return text + "." + base64url(p.Sign(text))
}
