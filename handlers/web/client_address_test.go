package web_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestAddressBehindProxies: the address for which a wrong password is counted.
func TestAddressBehindProxies(t *testing.T) {
	trusted := webtest.NewConsole(t, func(d *handlers.Deps) {
		d.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	})
	direct := webtest.NewConsole(t)
	for i, test := range []struct {
		console *webtest.Console
		headers []string
		want    string
	}{
		{trusted, nil, "127.0.0.1"},
		{trusted, []string{"X-Forwarded-For: 203.0.113.7"}, "203.0.113.7"},
		{trusted, []string{"X-Forwarded-For: 203.0.113.7:4711"}, "203.0.113.7"},
		{trusted, []string{"X-Forwarded-For: [2001:db8:1:2::3]:4711"}, "2001:db8:1:2::/64"},
		{trusted, []string{"X-Forwarded-For: [2001:db8:1:2::3]"}, "2001:db8:1:2::/64"},
		{trusted, []string{"X-Forwarded-For: 2001:db8:1:2::3"}, "2001:db8:1:2::/64"},
		{trusted, []string{"X-Forwarded-For: ::ffff:203.0.113.7"}, "203.0.113.7"},
		{trusted, []string{"X-Forwarded-For: 198.51.100.1, 203.0.113.7, 10.1.2.3"}, "203.0.113.7"},
		{trusted, []string{"X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 203.0.113.7"}, "203.0.113.7"},
		{trusted, []string{"X-Forwarded-For: 10.1.2.3"}, "10.1.2.3"},
		{trusted, []string{"X-Forwarded-For: made up, 203.0.113.7"}, "203.0.113.7"},
		{trusted, []string{"X-Forwarded-For: made up"}, "127.0.0.1"},
		{trusted, []string{"X-Forwarded-For: 203.0.113.7, unknown, 10.1.2.3"}, "127.0.0.1"},
		{trusted, []string{"X-Forwarded-For: 203.0.113.7,"}, "127.0.0.1"},
		{trusted, []string{"X-Real-IP: 203.0.113.7"}, "127.0.0.1"},
		{trusted, []string{"X-Forwarded-For: made up", "X-Real-Ip: 203.0.113.7"}, "127.0.0.1"},
		{trusted, []string{"Forwarded: for=203.0.113.7", "True-Client-IP: 203.0.113.7"}, "127.0.0.1"},
		{direct, []string{"X-Forwarded-For: 203.0.113.7", "X-Real-IP: 203.0.113.7"}, "127.0.0.1"},
	} {
		c := test.console
		c.Anew()
		account := fmt.Sprintf("a%d@example.com", i)
		req := c.Request(http.MethodPost, "/login", strings.NewReader(url.Values{"email": {account}, "password": {"wrong"}}.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, h := range test.headers {
			name, value, _ := strings.Cut(h, ": ")
			req.Header.Add(name, value)
		}
		c.Do(req)
		failures, _, err := c.Store.Users.LoginFailures(t.Context(), models.LoginFrom{Account: account})
		webtest.OK(t, err)
		if len(failures) != 1 || failures[0].AddressGroup != test.want {
			t.Errorf("%q: counted for %+v, want %s", test.headers, failures, test.want)
		}
		c.Exec("delete from login_failures")
	}
}

// TestOnlyOwnHostsAreAnswered: a foreign name that resolves to this address
// opens no page; programs are answered by any name.
func TestOnlyOwnHostsAreAnswered(t *testing.T) {
	c := webtest.NewConsole(t)
	c.Anew()
	for _, host := range []string{"evil.example", "evil.example:8080", "console.example.com.evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "1.2.3.4.5"} {
		for _, path := range []string{"/login", "/", "/admin/webhooks", "/login/oidc", "/nothing"} {
			a := c.AtHost(host, http.MethodGet, path).Want(http.StatusMisdirectedRequest)
			if text := a.Text("main"); !strings.Contains(text, "SITEHOOKS_BASE_URL") || !strings.Contains(text, `"`+host+`"`) ||
				a.Find("main a").AttrOr("href", "") != "http://console.example.com" {
				t.Errorf("%s at %s says %q", path, host, text)
			}
		}
		// A page at that name passes for our own origin, and must not log in.
		a := c.AtHost(host, http.MethodPost, "/login", "Origin: http://"+host, "Sec-Fetch-Site: same-origin").Want(http.StatusMisdirectedRequest)
		if len(a.Header.Values("Set-Cookie")) > 0 {
			t.Errorf("at %s there is a cookie", host)
		}
		for path, want := range map[string]int{
			"/healthz": http.StatusOK, "/readyz": http.StatusOK, "/metrics": http.StatusOK, "/static/app.css": http.StatusOK,
			"/api/v1/nothing": http.StatusNotFound,
		} {
			c.AtHost(host, http.MethodGet, path).Want(want)
		}
		c.AtHost(host, http.MethodPost, "/api/v1/events").Want(http.StatusAccepted)
	}
	for _, host := range []string{"console.example.com", "Console.Example.com:8080", "console.example.com.", "localhost", "localhost:8080", "127.0.0.1:9", "10.20.30.40", "[::1]:8080", "[2001:db8::7]"} {
		c.AtHost(host, http.MethodPost, "/login", "Origin: http://"+host).Want(http.StatusSeeOther)
	}
	c.AtHost("127.0.0.1", http.MethodPost, "/login", "Origin: http://evil.example").Want(http.StatusForbidden)
	c.AtHost("127.0.0.1", http.MethodPost, "/login", "Origin: http://console.example.com").Want(http.StatusSeeOther) // behind a proxy
}
