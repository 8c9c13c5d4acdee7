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
)

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

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

func newSignOnConsole(t *testing.T) (*console, *provider) {
	t.Helper()
	p := newProvider(t)
	c := newConsole(t, func(d *Deps) { d.OIDC = OIDC{p.URL, "console", "secret of the client"} })
	c.cookie = ""
	return c, p
}

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

func (p *provider) back() string { return oidcPath + "?code=c&state=" + p.asked.Get("state") }

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
