package account_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/account"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// signsOn logs in at the provider with its current claims, and returns the name
// of the logged-in member on the page, empty when there is none.
func signsOn(c *webtest.Console, p *webtest.Provider) (name string, a *webtest.Answer) {
	p.T.Helper()
	c.Cookie = ""
	p.Begin(c, account.OidcPath)
	a = c.Get(p.Back())
	c.Extra = nil
	if a.Status != http.StatusSeeOther {
		return "", a
	}
	c.Cookie = webtest.SessionOf(p.T, a).Value
	return strings.TrimSpace(strings.TrimSuffix(c.Get("/admin/audit").Text(".who-name"), "administrator")), a
}

// TestAddressesThatOnlyLookEqualAreOthers: Unicode lower-casing makes ASCII
// letters of the Kelvin sign and the dotted capital I (CVE-2019-19844), and a
// space is a part of an address.
func TestAddressesThatOnlyLookEqualAreOthers(t *testing.T) {
	c, p := webtest.NewSignOnConsole(t)
	c.AddUser(models.User{Email: "Mike@Example.com", Name: "Mike", PasswordHash: webtest.AdminHash(), Role: models.RoleAdministrator})
	for _, email := range []string{
		"mi\u212ae@example.com", "MI\u212aE@EXAMPLE.COM", "m\u0130ke@example.com", "m\u0131ke@example.com",
		"\u00a0mike@example.com", "mike@example.com\u00a0", " mike@example.com", "mike@example.com ", "mike@example.com\n", "\ufeffmike@example.com",
	} {
		p.Claims = map[string]any{"email": email}
		if name, a := signsOn(c, p); name != "" || a.Status != http.StatusForbidden {
			t.Errorf("%q is let in as %q: %d", email, name, a.Status)
		}
		c.Cookie = ""
		c.Post("/login", map[string][]string{"email": {email}, "password": {webtest.AdminPassword}}).Want(http.StatusUnauthorized)
	}
	p.Claims = map[string]any{"email": "MIKE@example.COM"}
	if name, a := signsOn(c, p); name != "Mike" {
		t.Errorf("%q is logged in: %d", name, a.Status)
	}
	if log := c.Get("/admin/audit?about=login").Text("tbody tr:first-child"); !strings.Contains(log, "mike@example.com") || !strings.Contains(log, "as MIKE@example.COM") {
		t.Errorf("the audit log says %q", log)
	}
	c.Post("/admin/members", map[string][]string{"email": {"mi\u212ae@example.com"}, "role": {"viewer"}}).Want(http.StatusOK) // is another
}

// TestClaimsHaveExactNamesOnce: a second claim, or one that differs in its case,
// does not stand for another.
func TestClaimsHaveExactNamesOnce(t *testing.T) {
	c, p := webtest.NewSignOnConsole(t)
	c.AddUser(models.User{Email: "viewer@example.com", Name: "Vic", Role: models.RoleAdministrator})
	for name, test := range map[string]struct {
		claims map[string]any
		more   string // at the end of the claims
		who    string // is logged in
	}{
		"as it should be":         {nil, ``, "Mary Wilkins"},
		"another e-mail in case":  {nil, `,"Email":"viewer@example.com"`, "Mary Wilkins"},
		"e-mail twice":            {nil, `,"email":"viewer@example.com"`, ""},
		"only in another case":    {map[string]any{"email": nil}, `,"EMAIL":"mary@example.com"`, ""},
		"verified in case":        {map[string]any{"email_verified": false}, `,"Email_Verified":true`, ""},
		"verified twice":          {map[string]any{"email_verified": false}, `,"email_verified":true`, ""},
		"audience in case":        {map[string]any{"aud": "other"}, `,"AUD":"console"`, ""},
		"issuer in case":          {map[string]any{"iss": "https://evil.example"}, `,"Iss":"{issuer}"`, ""},
		"nonce in case":           {map[string]any{"nonce": "x"}, `,"Nonce":"{nonce}"`, ""},
		"expiry in case":          {map[string]any{"exp": 1}, fmt.Sprintf(`,"Exp":%d`, time.Now().Add(time.Hour).Unix()), ""},
		"a list of one audience":  {map[string]any{"aud": []string{"console"}}, ``, "Mary Wilkins"},
		"audiences, no azp":       {map[string]any{"aud": []string{"console", "other"}}, ``, ""},
		"audiences, azp is other": {map[string]any{"aud": []string{"console", "other"}, "azp": "other"}, ``, ""},
		"audiences, azp in case":  {map[string]any{"aud": []string{"console", "other"}, "azp": "other"}, `,"AZP":"console"`, ""},
		"audiences, azp is ours":  {map[string]any{"aud": []string{"other", "console"}, "azp": "console"}, ``, "Mary Wilkins"},
		"one audience, azp other": {map[string]any{"azp": "other"}, ``, ""},
		"one audience, azp ours":  {map[string]any{"azp": "console"}, ``, "Mary Wilkins"},
	} {
		p.Claims = test.claims
		p.Alter = func(claims string) string {
			more := strings.NewReplacer("{issuer}", p.URL, "{nonce}", p.Requested.Get("nonce")).Replace(test.more)
			return strings.TrimSuffix(claims, "}") + more + "}"
		}
		who, a := signsOn(c, p)
		if who != test.who || who == "" && a.Status != http.StatusForbidden {
			t.Errorf("%s: %q is logged in, want %q: %d %s", name, who, test.who, a.Status, a.Text("[role=alert]"))
		}
	}
}

// TestProviderThatHangsIsAskedOnceForAll: nobody queues up behind another, and
// after a failure it is left alone for some seconds.
func TestProviderThatHangsIsAskedOnceForAll(t *testing.T) {
	c, p := webtest.NewSignOnConsole(t)
	p.Hang, p.Away = make(chan struct{}), true
	free := sync.OnceFunc(func() { close(p.Hang) })
	defer free()
	account.WaitForProvider(c.Areas.Account, 20*time.Millisecond)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { c.Get(account.OidcPath).Want(http.StatusBadGateway) }) // before the provider has answered
	}
	all.Wait()
	account.WaitForProvider(c.Areas.Account, time.Minute)
	for range 10 {
		all.Go(func() { c.Get(account.OidcPath).Want(http.StatusBadGateway) })
	}
	free()
	all.Wait()
	c.Get(account.OidcPath).Want(http.StatusBadGateway) // it is remembered
	if n := p.Times.Load(); n != 1 {
		t.Errorf("the provider was asked %d times", n)
	}
	p.Away = false
	account.AskProviderAnew(c.Areas.Account)
	p.Begin(c, account.OidcPath)
	if n := p.Times.Load(); n != 2 {
		t.Errorf("later the provider was asked %d times", n)
	}
}
