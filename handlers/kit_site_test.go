package handlers

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
	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// open are the routes that need no session.
var open = map[string]bool{
	"/healthz": true, "/readyz": true, "/metrics": true, "/login": true, "/login/oidc": true, "/logout": true, "/static/*file": true, "/api/v1/events": true,
}

// own are changes that every member may make, because they are the member's own.
var own = map[string]bool{"/theme": true, "/attention": true, "/account/password": true, "/account/sessions": true}

func pathOf(route gin.RouteInfo) string {
	return strings.NewReplacer(":id", "1", ":event", "e", "*file", "app.css").Replace(route.Path)
}

// through sends a request by way of a proxy that tells the client's address.
func (c *console) through(client, method, path, kind, body string, header ...string) *answer {
	c.t.Helper()
	req := c.request(method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", kind)
	req.Header.Set("X-Forwarded-For", client)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return c.do(req)
}

// issue makes a token as a member does.
func (c *console) issue(by models.User, name string) (plain string, id int64) {
	c.t.Helper()
	plain, err := c.store.Tokens.Issue(c.t.Context(), by.Actor(), models.Token{Name: name, Scope: models.ScopeIngest, Location: models.MainLocation})
	ok(c.t, err)
	tok, err := c.store.Tokens.Authenticate(c.t.Context(), plain)
	ok(c.t, err)
	return plain, tok.ID
}

// small fails if a page is larger than pages with a few rows are.
func (a *answer) small() *answer {
	a.t.Helper()
	if n := len(a.Body); n > 128<<10 {
		a.t.Errorf("the page has %d KiB", n>>10)
	}
	return a
}

// manyLocations adds locations named Team 1, Team 2 … with the slugs team-1 …,
// and as many communities and tags at python-wranglers.
func (c *console) manyLocations() {
	c.t.Helper()
	at := "1700000000000000"
	if c.store.SQLite() == nil {
		at = "now()"
	}
	for _, into := range []string{
		"locations (slug, name, created_at) %s select 'team-' || i, 'Team ' || i, " + at,
		"communities (location, slug, created_at) %s select 'python-wranglers', 'guild-' || i, " + at,
		"tags (location, name) %s select 'python-wranglers', 'tag-' || i",
	} {
		numbers := fmt.Sprintf("with recursive g(i) as (select 1 union all select i + 1 from g where i < %d)", manyPlaces)
		c.exec("insert into " + fmt.Sprintf(into, numbers) + " from g")
	}
}

const manyPlaces = 20_000

// offersNothing looks for what only an administrator can do.
func (c *console) offersNothing(path string, a *answer) {
	c.t.Helper()
	if a.Find("main form[method=post]").Length() > 0 || a.Find("main a[href*=revoke], main a[href*=remove], main a[href$='/edit'], main a[href$='/delete']").Length() > 0 {
		c.t.Errorf("%s offers a change to a viewer", path)
	}
	if a.Find("nav a[aria-current=page]").Length() == 0 {
		c.t.Errorf("%s is not marked in the navigation", path)
	}
}

// noMarkup fails when content became markup on the page.
func noMarkup(t *testing.T, a *answer) {
	t.Helper()
	if n := a.Find("main script, main img").Length(); n > 0 {
		t.Errorf("%d elements came with the content", n)
	}
}

// exported reads an export to its end.
func (c *console) exported() []exported {
	c.t.Helper()
	var rows []exported
	ok(c.t, json.Unmarshal([]byte(c.get("/admin/deliveries.json").want(http.StatusOK).Body), &rows))
	return rows
}

// unread asks for an export and reads no further than the status.
func (c *console) unread(path string) (status string, conn net.Conn) {
	c.t.Helper()
	small := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10)
		})
	}}
	conn, err := small.DialContext(c.t.Context(), "tcp", c.server.Listener.Addr().String())
	ok(c.t, err)
	c.t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: console.example.com\r\nCookie: %s=%s\r\n\r\n", path, sessionCookie, c.cookie)
	ok(c.t, err)
	line := make([]byte, len("HTTP/1.1 200"))
	_, err = io.ReadFull(conn, line)
	ok(c.t, err)
	return string(line[len("HTTP/1.1 "):]), conn
}

// send asks without a network in between, so that an answer to a body that is
// too large is never lost.
func (c *console) send(method, path, form string) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(c.t.Context(), method, path, strings.NewReader(form))
	req.Host = "console.example.com"
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.AddCookie(&http.Cookie{Name: sessionCookie, Value: c.cookie})
	w := httptest.NewRecorder()
	c.engine.ServeHTTP(w, req)
	return w
}

// formWith is the page's form that has the fields.
func (a *answer) formWith(fields url.Values) url.Values {
	for _, one := range a.Find("main form[method=post]").EachIter() {
		has := true
		for name := range fields {
			has = has && (name == "do" || one.Find("[name='"+name+"']").Length() > 0)
		}
		if has {
			return (&answer{Document: goquery.NewDocumentFromNode(one.WrapAllHtml("<main></main>").Parent().Get(0)), t: a.t}).form()
		}
	}
	return nil
}

// anew forgets who is logged in, and the browser's cookies.
func (c *console) anew() { c.cookie, c.extra = "", nil }

// fail puts wrong passwords on record, as another instance would.
func (c *console) fail(n int, from func(i int) models.LoginFrom) {
	c.t.Helper()
	for i := range n {
		ok(c.t, c.store.Users.RecordLoginFailure(c.t.Context(), from(i)))
	}
}

// tryFrom offers a password from an address.
func (c *console) tryFrom(address, email, password string) *answer {
	c.t.Helper()
	form := url.Values{"email": {email}, "password": {password}}
	req := c.request(http.MethodPost, "/login", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Forwarded-For", address)
	return c.do(req)
}

// unfinished opens a connection that sends the beginning of a log-in form, and
// returns the status of the answer once there is one.
func (c *console) unfinished(from string, length int) (status <-chan string, hangUp func()) {
	c.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(c.t.Context(), "tcp", c.server.Listener.Addr().String())
	ok(c.t, err)
	_, err = fmt.Fprintf(conn, "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: %s\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\nemail=", from, length)
	ok(c.t, err)
	answers := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(conn).ReadString('\n')
		answers <- strings.TrimSpace(line)
	}()
	return answers, func() { _ = conn.Close() }
}

func credentials(password string) url.Values {
	return url.Values{"email": {"Mary@Example.com"}, "password": {password}, "next": {"/admin/deliveries"}}
}

// sessionOf is the session cookie that an answer sets.
func sessionOf(t *testing.T, a *answer) *http.Cookie {
	t.Helper()
	resp := http.Response{Header: a.Header}
	for _, cookie := range resp.Cookies() {
		if cookie.Name == sessionCookie {
			return cookie
		}
	}
	t.Fatal("no session cookie")
	return nil
}

// atHost asks under a name that leads here.
func (c *console) atHost(host, method, path string, headers ...string) *answer {
	c.t.Helper()
	body := strings.NewReader(credentials(adminPassword).Encode())
	req := c.request(method, path, body)
	req.Host = host
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	return c.do(req)
}

// stored is all that is stored, but for last-seen times.
func (c *console) stored() string {
	c.t.Helper()
	var lines []string
	for line := range strings.Lines(modelstest.Dump(c.t, c.store)) {
		if table, _, _ := strings.Cut(line, " |"); table == "sessions" || table == "tokens" {
			line = table + "\n" // only how many there are
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}

// difference is the lines that only one of two dumps has.
func difference(before, after string) string {
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

// onBoth runs a test with the console over each kind of database.
func onBoth(t *testing.T, test func(t *testing.T, c *console), adjust ...func(*Deps)) {
	t.Helper()
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) { test(t, newConsoleOn(t, kind, adjust...)) })
	}
}

// withAPIs gives the console its real APIs.
func withAPIs(d *Deps) {
	log := slog.New(slog.DiscardHandler)
	access := api.NewAccess(api.AccessDeps{Tokens: d.Store.Tokens, Log: log})
	d.Ingest = api.NewEvents(api.EventsDeps{Events: d.Store.Events, Access: access, Log: log})
	d.SuperOffice = api.NewSuperOffice(api.SuperOfficeDeps{Store: d.Store, Sender: d.Sender, Access: access, Log: log})
}

func settingPath(name string) string { return "/developer/site-settings/edit?name=" + name }
