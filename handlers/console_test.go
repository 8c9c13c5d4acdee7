package handlers

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

	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
	"github.com/sitehooks/sitehooks/static"
	"github.com/sitehooks/sitehooks/templates"
)

// console is the whole program's handler over a real store, with a browser
// that is logged in as an administrator.
type console struct {
	t      testing.TB
	store  *models.Store
	areas  *Areas
	site   *Site
	engine *gin.Engine
	server *httptest.Server
	admin  models.User
	cookie string // of the session; empty: nobody is logged in
	extra  []*http.Cookie
	change int // times that OnChange was called
}

const (
	adminEmail    = "mary@example.com"
	adminPassword = "correct horse battery"
)

// adminHash is cheap to make and to compare with: each test that logs in does
// so. TestHashesCostWhatTheyShould looks at those of the product.
var adminHash = sync.OnceValue(func() string {
	hash, err := argon2id.CreateHash(adminPassword, &argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		panic(err)
	}
	return hash
})

// parsed is every page, parsed once for all tests.
var parsed = sync.OnceValue(func() *templates.Set {
	set, err := templates.New(Funcs(static.Path))
	if err != nil {
		panic(err)
	}
	return set
})

func newConsole(t testing.TB, adjust ...func(*Deps)) *console {
	t.Helper()
	return newConsoleOn(t, "sqlite", adjust...)
}

// newConsoleOn is the console over a database of either kind.
func newConsoleOn(t testing.TB, kind string, adjust ...func(*Deps)) *console {
	t.Helper()
	c := &console{t: t, store: modelstest.Open(t, modelstest.Options(t, kind))}
	d := Deps{
		Store: c.store, Templates: parsed(), Log: slog.New(slog.DiscardHandler),
		Sender:     send.New(send.Config{AllowCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
		BaseURL:    &url.URL{Scheme: "http", Host: "console.example.com"},
		CookieKeys: [][]byte{[]byte(strings.Repeat("k", 32))}, Static: static.Handler(),
		Ready:    func(context.Context) error { return nil },
		Ingest:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }),
		Metrics:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metrics") }),
		OnChange: func() { c.change++ },
	}
	for _, f := range adjust {
		f(&d)
	}
	var err error
	c.areas, err = Build(d)
	ok(t, err)
	c.site = c.areas.Site
	c.engine, err = c.areas.Routes()
	ok(t, err)
	c.server = httptest.NewServer(c.engine)
	t.Cleanup(c.server.Close)
	c.admin = c.addUser(models.User{Email: adminEmail, Name: "Mary Wilkins", PasswordHash: adminHash(), Role: models.RoleAdministrator})
	ok(t, c.store.Locations.Ensure(t.Context(), models.MainLocation, "Main site"))
	ok(t, c.store.Locations.Ensure(t.Context(), "python-wranglers", "Python wranglers"))
	c.setFeature("True")
	c.logIn(c.admin)
	return c
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *console) addUser(u models.User) models.User {
	c.t.Helper()
	user, err := c.store.Users.Create(c.t.Context(), u)
	ok(c.t, err)
	return user
}

// addViewer adds a member who may only read.
func (c *console) addViewer() models.User {
	c.t.Helper()
	return c.addUser(models.User{Email: "viewer@example.com", Name: "Vic Viewer", PasswordHash: adminHash(), Role: models.RoleViewer})
}

// logIn makes a session without the log-in page.
func (c *console) logIn(u models.User) {
	c.t.Helper()
	id := "session-of-" + u.Email
	ok(c.t, c.store.Sessions.Save(c.t.Context(), models.Session{Key: sessionKey(id), UserID: u.ID, Data: []byte{}}))
	signed, err := securecookie.EncodeMulti(sessionCookie, id, c.site.sessions.codecs...)
	ok(c.t, err)
	c.cookie = signed
}

func (c *console) setFeature(value string) {
	c.t.Helper()
	ok(c.t, c.store.Settings.Change(c.t.Context(), c.admin.Actor(), models.EnableGenericWebhooks, value, "test"))
}

// answer is what came back, with the page when it is one.
type answer struct {
	*goquery.Document
	t      testing.TB
	Status int
	Header http.Header
	Body   string
}

func (c *console) do(req *http.Request) *answer {
	c.t.Helper()
	if c.cookie != "" {
		req.AddCookie(&http.Cookie{Name: sessionCookie, Value: c.cookie})
	}
	for _, cookie := range c.extra {
		req.AddCookie(cookie)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	ok(c.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ok(c.t, err)
	a := &answer{t: c.t, Status: resp.StatusCode, Header: resp.Header, Body: string(body)}
	a.Document, err = goquery.NewDocumentFromReader(strings.NewReader(a.Body))
	ok(c.t, err)
	return a
}

func (c *console) request(method, path string, body io.Reader) *http.Request {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.server.URL+path, body)
	ok(c.t, err)
	return req
}

func (c *console) get(path string) *answer {
	c.t.Helper()
	return c.do(c.request(http.MethodGet, path, nil))
}

func (c *console) post(path string, form url.Values) *answer {
	c.t.Helper()
	req := c.request(http.MethodPost, path, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(req)
}

// want checks the status and shows the page's words when it is another.
func (a *answer) want(status int) *answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("status %d, want %d: %s", a.Status, status, strings.Join(strings.Fields(a.Find("main, body").Last().Text()), " "))
	}
	return a
}

// goesTo checks a redirect.
func (a *answer) goesTo(path string) *answer {
	a.t.Helper()
	a.want(http.StatusSeeOther)
	if to := a.Header.Get("Location"); to != path {
		a.t.Fatalf("goes to %s, want %s", to, path)
	}
	return a
}

// text is the words of what a selector finds, with single spaces.
func (a *answer) text(selector string) string {
	return strings.Join(strings.Fields(a.Find(selector).Text()), " ")
}

// form reads the fields of the page's main form, as a browser would send them
// without a button pressed.
func (a *answer) form() url.Values {
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

// flash is what the next page says after a change.
func (c *console) flash(a *answer) string {
	c.t.Helper()
	return c.next(a).text("main > .s-notice")
}

// next is the page after a change.
func (c *console) next(a *answer) *answer {
	c.t.Helper()
	resp := http.Response{Header: a.Header}
	for _, cookie := range resp.Cookies() {
		if cookie.Name != flashCookie {
			continue
		}
		c.extra = []*http.Cookie{{Name: cookie.Name, Value: cookie.Value}}
		defer func() { c.extra = nil }()
		return c.get(a.Header.Get("Location"))
	}
	c.t.Fatal("there is no flash")
	return nil
}

// receiver is a webhook's receiver that keeps what it got.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []received
}

type received struct {
	Header http.Header
	Body   string
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, received{req.Header, string(body)})
		w.Header().Set("X-Receiver", "test")
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, "thank you")
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *receiver) requests() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received(nil), r.got...)
}

// await asks again until it is true: for what happens on its own after an
// answer.
func (c *console) await(what string, is func() bool) {
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

// logLines keeps what was logged.
type logLines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
