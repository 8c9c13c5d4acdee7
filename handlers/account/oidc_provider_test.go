package account_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/oauth2-proxy/mockoidc"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/account"
	"github.com/sitehooks/sitehooks/handlers/webtest"
)

// atProvider is a console whose single sign-on is a provider that others wrote
// (oidc_test.go has one of ours, which can also lie), and a browser.
func atProvider(t *testing.T) (*webtest.Console, *mockoidc.MockOIDC, *http.Client) {
	t.Helper()
	p, err := mockoidc.Run()
	webtest.OK(t, err)
	t.Cleanup(func() { webtest.OK(t, p.Shutdown()) })
	c := webtest.NewConsole(t, func(d *handlers.Deps) {
		d.OIDC = account.OIDC{Issuer: p.Issuer(), ClientID: p.ClientID, ClientSecret: p.ClientSecret}
	})
	jar, err := cookiejar.New(nil)
	webtest.OK(t, err)
	// The browser finds the console under the name that the provider sends it to.
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasPrefix(address, c.Site.BaseURL.Host+":") {
			address = c.Server.Listener.Addr().String()
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	transport := &http.Transport{DialContext: dial}
	t.Cleanup(transport.CloseIdleConnections)
	return c, p, &http.Client{Jar: jar, Transport: transport}
}

// visit opens a page as a browser does, wherever it leads.
func visit(t *testing.T, browser *http.Client, address string) *webtest.Answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	webtest.OK(t, err)
	resp, err := browser.Do(req)
	webtest.OK(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	webtest.OK(t, err)
	page, err := goquery.NewDocumentFromReader(strings.NewReader(string(body)))
	webtest.OK(t, err)
	return &webtest.Answer{Document: page, T: t, Status: resp.StatusCode, Header: http.Header{"Location": {resp.Request.URL.String()}}, Body: string(body)}
}

// TestSingleSignOnAtAProvider goes the whole way: the button, the provider, its
// check of client, secret, code and proof, the keys, and back.
func TestSingleSignOnAtAProvider(t *testing.T) {
	c, p, browser := atProvider(t)
	base := c.Site.BaseURL.String()
	logIn := func(user *mockoidc.MockUser) *webtest.Answer {
		t.Helper()
		p.QueueUser(user)
		button := visit(t, browser, base+"/login?next=%2Fadmin%2Faudit").Want(http.StatusOK).Find("main a").AttrOr("href", "")
		return visit(t, browser, base+button)
	}
	for says, user := range map[string]*mockoidc.MockUser{
		"has not verified": {Subject: "1", Email: webtest.AdminEmail},
		"eve@example.com is not on the list of member": {Subject: "2", Email: "eve@example.com", EmailVerified: true},
	} {
		a := logIn(user).Want(http.StatusForbidden)
		if got := a.Text("[role=alert]"); !strings.Contains(got, says) {
			t.Errorf("%+v is told %q", user, got)
		}
		if at := visit(t, browser, base+"/admin/audit").Header.Get("Location"); !strings.HasPrefix(at, base+"/login?") {
			t.Fatalf("%+v got to %s", user, at)
		}
	}
	a := logIn(&mockoidc.MockUser{Subject: "3", Email: strings.ToUpper(webtest.AdminEmail), EmailVerified: true}).Want(http.StatusOK)
	if at := a.Header.Get("Location"); at != base+"/admin/audit" {
		t.Errorf("it leads to %s", at)
	}
	if got := a.Text(".who-name") + a.Text("tbody tr:first-child"); !strings.HasPrefix(got, "Mary Wilkins") || !strings.Contains(got, "Logged in by single sign-on") {
		t.Errorf("the page says %q", got)
	}
	for code, session := range p.SessionStore.Store {
		if !session.Granted || session.CodeChallengeMethod != "S256" || session.OIDCNonce == "" {
			t.Errorf("the provider was asked without proof: %+v", session)
		}
		visit(t, browser, base+account.OidcPath+"?code="+code+"&state=x").Want(http.StatusBadRequest)
	}
}

// TestSingleSignOnWithAnotherSecret shows that the provider tells clients apart
// and that nobody gets in by one it does not know.
func TestSingleSignOnWithAnotherSecret(t *testing.T) {
	c, p, browser := atProvider(t)
	p.ClientSecret = "another"
	p.QueueUser(&mockoidc.MockUser{Subject: "3", Email: webtest.AdminEmail, EmailVerified: true})
	a := visit(t, browser, c.Site.BaseURL.String()+account.OidcPath).Want(http.StatusBadGateway)
	if got := a.Text("[role=alert]"); !strings.Contains(got, "did not confirm") {
		t.Errorf("it says %q", got)
	}
}
