// Package webtest runs the whole console for tests of its areas: over a real
// database, with browsers that are logged in, receivers and a provider of single
// sign-on.
package webtest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/alexedwards/argon2id"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/securecookie"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
	"github.com/sitehooks/sitehooks/models/secret"
	"github.com/sitehooks/sitehooks/static"
	"github.com/sitehooks/sitehooks/templates"
)

// Console is the whole program's handler over a real store, with a browser
// that is logged in as an administrator.
type Console struct {
	t      testing.TB
	Store  *models.Store
	Box    *secret.Box // of the store
	Areas  *handlers.Areas
	Site   *web.Site
	Engine *gin.Engine
	Server *httptest.Server
	Admin  models.User
	Cookie string // of the session; empty: no session
	Extra  []*http.Cookie
	Change int // times that OnChange was called
	// ClockAhead is how far the clock of this process is ahead of the database's.
	ClockAhead time.Duration

	queries *queryLog
}

// AdminEmail and AdminPassword are the credentials of the administrator that
// NewConsole adds.
const (
	AdminEmail    = "mary@example.com"
	AdminPassword = "correct horse battery"
)

// AdminHash is cheap to make and to compare with: each test that logs in does
// so. TestHashesCostWhatTheyShould looks at those of the product.
var AdminHash = sync.OnceValue(func() string {
	hash, err := argon2id.CreateHash(AdminPassword, &argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		panic(err)
	}
	return hash
})

// parsed is every page, parsed once for all tests.
var parsed = sync.OnceValue(func() *templates.Set {
	set, err := templates.New(web.Funcs(static.Path))
	if err != nil {
		panic(err)
	}
	return set
})

// NewConsole is the console over SQLite; adjust changes its dependencies before
// it is built.
func NewConsole(t testing.TB, adjust ...func(*handlers.Deps)) *Console {
	t.Helper()
	return NewConsoleOn(t, "sqlite", adjust...)
}

// NewConsoleOn is the console over a database of either kind.
func NewConsoleOn(t testing.TB, kind string, adjust ...func(*handlers.Deps)) *Console {
	t.Helper()
	c := &Console{t: t, queries: &queryLog{}}
	o := modelstest.Options(t, kind)
	o.Trace = c.queries.add
	o.OwnClock = func() time.Time { return time.Now().Add(c.ClockAhead) }
	c.Store, c.Box = modelstest.Open(t, o), o.Box
	d := handlers.Deps{
		Store: c.Store, Templates: parsed(), Log: slog.New(slog.DiscardHandler),
		Sender:     send.New(send.Config{AllowCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
		BaseURL:    &url.URL{Scheme: "http", Host: "console.example.com"},
		CookieKeys: [][]byte{[]byte(strings.Repeat("k", 32))}, Static: static.Handler(),
		Ready:    func(context.Context) error { return nil },
		Ingest:   func(c *gin.Context) { c.Status(http.StatusAccepted) },
		Metrics:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metrics") }),
		OnChange: func() { c.Change++ },
	}
	for _, f := range adjust {
		f(&d)
	}
	var err error
	c.Areas, err = handlers.Build(d)
	OK(t, err)
	c.Site = c.Areas.Site
	c.Engine, err = c.Areas.Routes()
	OK(t, err)
	c.Server = httptest.NewServer(c.Engine)
	t.Cleanup(c.Server.Close)
	c.Admin = c.AddUser(models.User{Email: AdminEmail, Name: "Mary Wilkins", PasswordHash: AdminHash(), Role: models.RoleAdministrator})
	OK(t, c.Store.Locations.Ensure(t.Context(), models.MainLocation, "Main site"))
	OK(t, c.Store.Locations.Ensure(t.Context(), "python-wranglers", "Python wranglers"))
	c.SetFeature("True")
	c.LogIn(c.Admin)
	return c
}

// OK ends the test if there is an error.
func OK(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// AddUser stores a user as given.
func (c *Console) AddUser(u models.User) models.User {
	c.t.Helper()
	user, err := c.Store.Users.Create(c.t.Context(), u)
	OK(c.t, err)
	return user
}

// AddViewer adds a member with the role viewer.
func (c *Console) AddViewer() models.User {
	c.t.Helper()
	return c.AddUser(models.User{Email: "viewer@example.com", Name: "Vic Viewer", PasswordHash: AdminHash(), Role: models.RoleViewer})
}

// LogIn makes a session without the log-in page.
func (c *Console) LogIn(u models.User) {
	c.t.Helper()
	id := "session-of-" + u.Email
	OK(c.t, c.Store.Sessions.Save(c.t.Context(), models.Session{Key: web.SessionKey(id), UserID: u.ID, Data: []byte{}}))
	signed, err := securecookie.EncodeMulti(web.SessionCookie, id, c.Site.Sessions.Codecs...)
	OK(c.t, err)
	c.Cookie = signed
}

// SetFeature sets Webhooks.EnableGenericWebhooks to "True" or "False".
func (c *Console) SetFeature(value string) {
	c.t.Helper()
	OK(c.t, c.Store.Settings.Change(c.t.Context(), c.Admin.Actor(), models.EnableGenericWebhooks, value, "test"))
}

// Answer is a response, with the page when it is one.
type Answer struct {
	*goquery.Document
	T      testing.TB
	Status int
	Header http.Header
	Body   string
}

// Do sends a request with the session's cookie and the extra ones. It follows
// no redirect.
func (c *Console) Do(req *http.Request) *Answer {
	c.t.Helper()
	if c.Cookie != "" {
		req.AddCookie(&http.Cookie{Name: web.SessionCookie, Value: c.Cookie})
	}
	for _, cookie := range c.Extra {
		req.AddCookie(cookie)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	OK(c.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	OK(c.t, err)
	a := &Answer{T: c.t, Status: resp.StatusCode, Header: resp.Header, Body: string(body)}
	a.Document, err = goquery.NewDocumentFromReader(strings.NewReader(a.Body))
	OK(c.t, err)
	return a
}

// Request builds a request to the console, without cookies.
func (c *Console) Request(method, path string, body io.Reader) *http.Request {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.Server.URL+path, body)
	OK(c.t, err)
	return req
}

// Get asks for a page as the browser that is logged in.
func (c *Console) Get(path string) *Answer {
	c.t.Helper()
	return c.Do(c.Request(http.MethodGet, path, nil))
}

// Post sends a form as the browser that is logged in.
func (c *Console) Post(path string, form url.Values) *Answer {
	c.t.Helper()
	req := c.Request(http.MethodPost, path, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.Do(req)
}

// Want checks the status and shows the page's words when it is another.
func (a *Answer) Want(status int) *Answer {
	a.T.Helper()
	if a.Status != status {
		a.T.Fatalf("status %d, want %d: %s", a.Status, status, strings.Join(strings.Fields(a.Find("main, body").Last().Text()), " "))
	}
	return a
}

// GoesTo checks a redirect.
func (a *Answer) GoesTo(path string) *Answer {
	a.T.Helper()
	a.Want(http.StatusSeeOther)
	if to := a.Header.Get("Location"); to != path {
		a.T.Fatalf("goes to %s, want %s", to, path)
	}
	return a
}

// Text is the text of the elements that a selector finds, with single spaces.
func (a *Answer) Text(selector string) string {
	return strings.Join(strings.Fields(a.Find(selector).Text()), " ")
}

// Form reads the fields of the page's main form, as a browser would send them
// without a button pressed.
func (a *Answer) Form() url.Values {
	form := url.Values{}
	main := a.Find("main form[method=post]").First()
	main.Find("input, textarea, select").Each(func(_ int, field *goquery.Selection) {
		name, _ := field.Attr("name")
		kind := field.AttrOr("type", "")
		_, checked := field.Attr("checked")
		if name == "" || (kind == "checkbox" || kind == "radio") && !checked {
			return
		}
		switch goquery.NodeName(field) {
		case "textarea":
			form.Add(name, field.Text())
		case "select":
			chosen := field.Find("option[selected]")
			if chosen.Length() == 0 {
				chosen = field.Find("option")
			}
			form.Add(name, chosen.First().AttrOr("value", ""))
		default:
			form.Add(name, field.AttrOr("value", ""))
		}
	})
	return form
}

// Flash is the message on the next page after a change.
func (c *Console) Flash(a *Answer) string {
	c.t.Helper()
	return c.Next(a).Text("main > .s-notice")
}

// Next is the page after a change.
func (c *Console) Next(a *Answer) *Answer {
	c.t.Helper()
	resp := http.Response{Header: a.Header}
	for _, cookie := range resp.Cookies() {
		if cookie.Name != web.FlashCookie {
			continue
		}
		c.Extra = []*http.Cookie{{Name: cookie.Name, Value: cookie.Value}}
		defer func() { c.Extra = nil }()
		return c.Get(a.Header.Get("Location"))
	}
	c.t.Fatal("there is no flash")
	return nil
}

// Receiver is a webhook's receiver that keeps its requests.
type Receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []Received
}

// Received is one request as it came.
type Received struct {
	Header http.Header
	Body   string
}

// NewReceiver starts a receiver that answers 200 until Answers says otherwise.
func NewReceiver(t testing.TB) *Receiver {
	t.Helper()
	r := &Receiver{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, Received{req.Header, string(body)})
		w.Header().Set("X-Receiver", "test")
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, "thank you")
	}))
	t.Cleanup(r.Close)
	return r
}

// Answers sets the status of the answers from now on.
func (r *Receiver) Answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// Requests are those received so far, oldest first.
func (r *Receiver) Requests() []Received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Received(nil), r.got...)
}

// Await asks again until it is true: for effects that happen after an answer.
func (c *Console) Await(what string, is func() bool) {
	c.t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline:
			c.t.Fatalf("not within a minute: %s", what)
		case <-tick.C:
		}
	}
}

// LogLines keeps the lines of a log.
type LogLines struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *LogLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is all that was logged so far.
func (l *LogLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
