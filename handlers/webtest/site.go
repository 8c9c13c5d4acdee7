package webtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/api/inbound"
	"github.com/sitehooks/sitehooks/handlers/api/ingest"
	"github.com/sitehooks/sitehooks/handlers/api/superoffice"
	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// Open are the routes that need no session.
var Open = map[string]bool{
	"/healthz": true, "/readyz": true, "/metrics": true, "/login": true, "/login/oidc": true, "/login/forgot": true, "/login/link/:token": true, "/logout": true, "/static/*file": true, "/api/v1/events": true, "/api/v1/openapi.json": true,
}

// Own are changes that every member may make, because they are the member's own.
var Own = map[string]bool{"/theme": true, "/attention": true, "/account": true, "/account/password": true, "/account/sessions": true}

// PathOf is a route's path with a value for each parameter.
func PathOf(route gin.RouteInfo) string {
	return strings.NewReplacer(":id", "1", ":event", "e", "*file", "app.css").Replace(route.Path)
}

// Through sends a request by way of a proxy that tells the client's address.
func (c *Console) Through(client, method, path, kind, body string, header ...string) *Answer {
	c.t.Helper()
	req := c.Request(method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", kind)
	req.Header.Set("X-Forwarded-For", client)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return c.Do(req)
}

// Issue makes a token as a member does.
func (c *Console) Issue(by models.User, name string) (plain string, id int64) {
	c.t.Helper()
	plain, err := c.Store.Tokens.Issue(c.t.Context(), by.Actor(), models.Token{Name: name, Scope: models.ScopeIngest, Location: models.MainLocation})
	OK(c.t, err)
	tok, err := c.Store.Tokens.Authenticate(c.t.Context(), plain)
	OK(c.t, err)
	return plain, tok.ID
}

// Small fails if a page is larger than pages with a few rows are.
func (a *Answer) Small() *Answer {
	a.T.Helper()
	if n := len(a.Body); n > 128<<10 {
		a.T.Errorf("the page has %d KiB", n>>10)
	}
	return a
}

// ManyLocations adds locations named Team 1, Team 2 … with the slugs team-1 …,
// and as many communities and tags at python-wranglers.
func (c *Console) ManyLocations() {
	c.t.Helper()
	at := "1700000000000000"
	if c.Store.SQLite() == nil {
		at = "now()"
	}
	for _, into := range []string{
		"locations (slug, name, created_at) %s select 'team-' || i, 'Team ' || i, " + at,
		"communities (location, slug, created_at) %s select 'python-wranglers', 'guild-' || i, " + at,
		"tags (location, name) %s select 'python-wranglers', 'tag-' || i",
	} {
		numbers := fmt.Sprintf("with recursive g(i) as (select 1 union all select i + 1 from g where i < %d)", manyPlaces)
		c.Exec("insert into " + fmt.Sprintf(into, numbers) + " from g")
	}
}

const manyPlaces = 20_000

// OffersNothing fails if a page offers an action that only administrators have.
func (c *Console) OffersNothing(path string, a *Answer) {
	c.t.Helper()
	if a.Find("main form[method=post]").Length() > 0 || a.Find("main a[href*=revoke], main a[href*=remove], main a[href$='/edit'], main a[href$='/delete']").Length() > 0 {
		c.t.Errorf("%s offers a change to a viewer", path)
	}
	if path != "/admin/search" && a.Find("nav a[aria-current=page]").Length() == 0 {
		c.t.Errorf("%s is not marked in the navigation", path)
	}
}

// NoMarkup fails when content became markup on the page.
func NoMarkup(t *testing.T, a *Answer) {
	t.Helper()
	if n := a.Find("main script, main img").Length(); n > 0 {
		t.Errorf("%d elements came with the content", n)
	}
}

// Exported reads an export to its end.
func (c *Console) Exported() []deliveries.Exported {
	c.t.Helper()
	var rows []deliveries.Exported
	OK(c.t, json.Unmarshal([]byte(c.Get("/admin/deliveries.json").Want(http.StatusOK).Body), &rows))
	return rows
}

// Unread asks for an export and reads no further than the status.
func (c *Console) Unread(path string) (status string, conn net.Conn) {
	c.t.Helper()
	small := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error { return raw.Control(receiveLittle) }}
	conn, err := small.DialContext(c.t.Context(), "tcp", c.Server.Listener.Addr().String())
	OK(c.t, err)
	c.t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: console.example.com\r\nCookie: %s=%s\r\n\r\n", path, web.SessionCookie, c.Cookie)
	OK(c.t, err)
	line := make([]byte, len("HTTP/1.1 200"))
	_, err = io.ReadFull(conn, line)
	OK(c.t, err)
	return string(line[len("HTTP/1.1 "):]), conn
}

// Send asks without a network in between, so that an answer to a body that is
// too large is never lost.
func (c *Console) Send(method, path, form string) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(c.t.Context(), method, path, strings.NewReader(form))
	req.Host = "console.example.com"
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.AddCookie(&http.Cookie{Name: web.SessionCookie, Value: c.Cookie})
	w := httptest.NewRecorder()
	c.Engine.ServeHTTP(w, req)
	return w
}

// FormWith is the page's form that has the fields.
func (a *Answer) FormWith(fields url.Values) url.Values {
	for _, one := range a.Find("main form[method=post]").EachIter() {
		has := true
		for name := range fields {
			has = has && (name == "do" || one.Find("[name='"+name+"']").Length() > 0)
		}
		if has {
			return (&Answer{Document: goquery.NewDocumentFromNode(one.WrapAllHtml("<main></main>").Parent().Get(0)), T: a.T}).Form()
		}
	}
	return nil
}

// Anew drops the session and the browser's other cookies.
func (c *Console) Anew() { c.Cookie, c.Extra = "", nil }

// Fail puts wrong passwords on record, as another instance would.
func (c *Console) Fail(n int, from func(i int) models.LoginFrom) {
	c.t.Helper()
	for i := range n {
		OK(c.t, c.Store.Users.RecordLoginFailure(c.t.Context(), from(i)))
	}
}

// TryFrom offers a password from an address.
func (c *Console) TryFrom(address, email, password string) *Answer {
	c.t.Helper()
	form := url.Values{"email": {email}, "password": {password}}
	req := c.Request(http.MethodPost, "/login", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Forwarded-For", address)
	return c.Do(req)
}

// Unfinished opens a connection that sends the beginning of a log-in form, and
// returns the status of the answer once there is one.
func (c *Console) Unfinished(from string, length int) (status <-chan string, hangUp func()) {
	c.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(c.t.Context(), "tcp", c.Server.Listener.Addr().String())
	OK(c.t, err)
	_, err = fmt.Fprintf(conn, "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: %s\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\nemail=", from, length)
	OK(c.t, err)
	answers := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(conn).ReadString('\n')
		answers <- strings.TrimSpace(line)
	}()
	return answers, func() { _ = conn.Close() }
}

// Credentials are the login form of the administrator with a password.
func Credentials(password string) url.Values {
	return url.Values{"email": {"Mary@Example.com"}, "password": {password}, "next": {"/admin/deliveries"}}
}

// SessionOf is the session cookie that an answer sets.
func SessionOf(t *testing.T, a *Answer) *http.Cookie {
	t.Helper()
	resp := http.Response{Header: a.Header}
	for _, cookie := range resp.Cookies() {
		if cookie.Name == web.SessionCookie {
			return cookie
		}
	}
	t.Fatal("no session cookie")
	return nil
}

// AtHost asks under a name that leads here.
func (c *Console) AtHost(host, method, path string, headers ...string) *Answer {
	c.t.Helper()
	body := strings.NewReader(Credentials(AdminPassword).Encode())
	req := c.Request(method, path, body)
	req.Host = host
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	return c.Do(req)
}

// Stored is all that is stored, but for last-seen times.
func (c *Console) Stored() string {
	c.t.Helper()
	var lines []string
	for line := range strings.Lines(modelstest.Dump(c.t, c.Store)) {
		if table, _, _ := strings.Cut(line, " |"); table == "sessions" || table == "tokens" {
			line = table + "\n" // only how many there are
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}

// Difference is the lines that only one of two dumps has.
func Difference(before, after string) string {
	var only []string
	for _, sides := range [][2]string{{before, after}, {after, before}} {
		for line := range strings.Lines(sides[0]) {
			if !strings.Contains(sides[1], line) {
				only = append(only, line)
			}
		}
	}
	return strings.Join(only, "")
}

// OnBoth runs a test with the console over each kind of database.
func OnBoth(t *testing.T, test func(t *testing.T, c *Console), adjust ...func(*handlers.Deps)) {
	t.Helper()
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) { test(t, NewConsoleOn(t, kind, adjust...)) })
	}
}

// WithAPIs gives the console its real APIs.
func WithAPIs(d *handlers.Deps) {
	log := slog.New(slog.DiscardHandler)
	access := api.NewAccess(api.AccessDeps{Tokens: d.Store.Tokens, Log: log})
	d.Access = access
	d.Ingest = ingest.New(ingest.Deps{Events: d.Store.Events, Access: access, Log: log}).Post
	d.Cursors = inbound.NewCursors(inbound.CursorDeps{Sources: d.Store.Sources, Access: access})
	d.SuperOffice = superoffice.New(superoffice.Deps{Store: d.Store, Sender: d.Sender, Access: access, Log: log}).Handle
}

// SettingPath is the address of a site setting's page.
func SettingPath(name string) string { return "/developer/site-settings/edit?name=" + name }
