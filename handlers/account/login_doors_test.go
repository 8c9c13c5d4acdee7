package account_test

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/account"
	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/handlers/passwords"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// behindLoopback trusts the test's own address as a proxy, so that a test may
// come from everywhere.
func behindLoopback(d *handlers.Deps) {
	d.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

func retriesWithin(t *testing.T, a *webtest.Answer, seconds int) {
	t.Helper()
	if n, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || n < 1 || n > seconds {
		t.Errorf("Retry-After is %q, want up to %d", a.Header.Get("Retry-After"), seconds)
	}
}

// deviceOf is the cookie that a log-in leaves with the browser.
func deviceOf(t *testing.T, a *webtest.Answer) *http.Cookie {
	t.Helper()
	resp := http.Response{Header: a.Header}
	for _, cookie := range resp.Cookies() {
		if cookie.Name == account.DeviceCookie {
			return &http.Cookie{Name: cookie.Name, Value: cookie.Value}
		}
	}
	t.Fatal("no device cookie")
	return nil
}

// TestAddressGroupIsRefusedOverAllAccounts: the 101st wrong password of an
// address group is refused on every instance, for any account, and costs no
// place; other address groups are not affected.
func TestAddressGroupIsRefusedOverAllAccounts(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		c.Anew()
		c.Fail(account.FailuresGroup-1, func(i int) models.LoginFrom {
			return models.LoginFrom{Account: fmt.Sprintf("nobody%d@example.com", i), AddressGroup: "2001:db8:1:2::/64"}
		})
		c.TryFrom("2001:db8:1:2::7", "another@example.com", "wrong").Want(http.StatusUnauthorized)
		// A request that needs a place now does not get one.
		place, err := c.Site.Passwords.Strangers.Acquire(t.Context(), "test")
		webtest.OK(t, err)
		defer place.Release()
		a := c.TryFrom("2001:db8:1:2::8", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusTooManyRequests)
		retriesWithin(t, a, 900)
		if !strings.Contains(a.Text("[role=alert]"), "Too many wrong passwords") {
			t.Errorf("the page says %q", a.Text("main"))
		}
		place.Release()
		c.TryFrom("2001:db8:1:3::7", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusSeeOther)
	}, behindLoopback)
}

// TestAnotherInstanceKnowsOfRefusals: the failures that one instance counted
// make another refuse.
func TestAnotherInstanceKnowsOfRefusals(t *testing.T) {
	c := webtest.NewConsole(t, behindLoopback)
	c.Anew()
	c.Fail(account.FailuresGroup, func(i int) models.LoginFrom {
		return models.LoginFrom{Account: fmt.Sprintf("nobody%d@example.com", i), AddressGroup: "203.0.113.7"}
	})
	retriesWithin(t, c.TryFrom("203.0.113.7", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusTooManyRequests), 900)
}

// TestAccountIsSlowedDownForStrangersOnly: guesses from many addresses slow an
// account down to one try every ten seconds, but not in a browser in which its
// owner has logged in, and which counts its own failures.
func TestAccountIsSlowedDownForStrangersOnly(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		c.Anew()
		device := deviceOf(t, c.TryFrom("192.0.2.1", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusSeeOther))
		if device.Value == "" || strings.Contains(device.Value, "mary") {
			t.Errorf("the cookie is %q", device.Value)
		}
		c.Fail(account.FailuresAnyone, func(i int) models.LoginFrom {
			return models.LoginFrom{Account: webtest.AdminEmail, AddressGroup: fmt.Sprintf("198.51.100.%d", i)}
		})
		retriesWithin(t, c.TryFrom("203.0.113.9", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusTooManyRequests), 10)
		c.TryFrom("203.0.113.9", "other@example.com", "wrong").Want(http.StatusUnauthorized)

		c.Extra = []*http.Cookie{device}
		c.TryFrom("203.0.113.9", "other@example.com", "wrong").Want(http.StatusUnauthorized)
		c.TryFrom("203.0.113.9", "Mary@Example.com", webtest.AdminPassword).Want(http.StatusSeeOther)
		for range account.FailuresHere {
			c.TryFrom("203.0.113.9", webtest.AdminEmail, "wrong").Want(http.StatusUnauthorized)
		}
		retriesWithin(t, c.TryFrom("203.0.113.9", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusTooManyRequests), 900)
		c.Extra = []*http.Cookie{{Name: account.DeviceCookie, Value: device.Value + "x"}}
		c.TryFrom("203.0.113.10", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusTooManyRequests)
	}, behindLoopback)
}

// TestTriesWithoutAnEmailKeepNobodyOut: an empty e-mail is no account: refusals
// of it do not apply to any other.
func TestTriesWithoutAnEmailKeepNobodyOut(t *testing.T) {
	webtest.OnBoth(t, func(_ *testing.T, c *webtest.Console) {
		c.Anew()
		for i := range account.FailuresAnyone {
			c.TryFrom(fmt.Sprintf("198.51.100.%d", i/(account.FailuresHere-1)), "", "wrong").Want(http.StatusUnauthorized)
		}
		c.TryFrom("203.0.113.9", "", "wrong").Want(http.StatusTooManyRequests)
		c.TryFrom("203.0.113.9", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusSeeOther)
		c.Anew()
		c.TryFrom("198.51.100.0", "", "wrong").Want(http.StatusTooManyRequests)
		c.TryFrom("198.51.100.0", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusSeeOther)
	}, behindLoopback)
}

// TestStrangersGetInOnceTheSlowDownIsOver: one try every ten seconds.
func TestStrangersGetInOnceTheSlowDownIsOver(t *testing.T) {
	c := webtest.NewConsole(t, behindLoopback)
	c.Anew()
	c.Fail(account.FailuresAnyone, func(i int) models.LoginFrom {
		return models.LoginFrom{Account: webtest.AdminEmail, AddressGroup: fmt.Sprintf("198.51.100.%d", i)}
	})
	c.Exec("update login_failures set at = at - ?", account.SlowDown.Microseconds())
	c.TryFrom("203.0.113.9", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusSeeOther)
}

// TestMemberIsNotKeptOutByTheirNeighbours: somebody at the same address uses up
// its tries; a browser that is known goes on, and so does a session.
func TestMemberIsNotKeptOutByTheirNeighbours(t *testing.T) {
	c := webtest.NewConsole(t, behindLoopback)
	session := c.Cookie
	c.Anew()
	device := deviceOf(t, c.TryFrom("203.0.113.7", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusSeeOther))
	c.Fail(account.FailuresGroup, func(int) models.LoginFrom {
		return models.LoginFrom{Account: webtest.AdminEmail, AddressGroup: "203.0.113.7"}
	})
	c.TryFrom("203.0.113.7", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusTooManyRequests)
	c.Extra = []*http.Cookie{device}
	c.TryFrom("203.0.113.7", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusSeeOther)
	c.Cookie, c.Extra = session, nil
	form := url.Values{"password": {webtest.AdminPassword}, "new_password": {"another good one"}, "new_password_again": {"another good one"}}
	c.Post(web.PasswordPath, form).Want(http.StatusSeeOther)
}

// TestCrowdAtTheLoginKeepsNobodyOut: a hundred connections of one address try
// made-up e-mails. An administrator elsewhere logs in, in a browser that is not
// known, and another adds a member, while they are at it.
func TestCrowdAtTheLoginKeepsNobodyOut(t *testing.T) {
	c := webtest.NewConsole(t, behindLoopback)
	elsewhere := *c
	elsewhere.Anew()
	var strangers sync.WaitGroup
	done, full := make(chan struct{}), make(chan struct{})
	queueIsFull := sync.OnceFunc(func() { close(full) })
	for i := range 100 {
		strangers.Go(func() {
			stranger := *c
			stranger.Anew()
			for {
				select {
				case <-done:
					return
				default:
				}
				if stranger.TryFrom("203.0.113.7", fmt.Sprintf("nobody%d@example.com", i), "guess").Status == http.StatusServiceUnavailable {
					queueIsFull()
				}
			}
		})
	}
	<-full
	for range 3 {
		elsewhere.TryFrom("192.0.2.1", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusSeeOther)
	}
	for i := range 3 {
		c.Post("/admin/members", url.Values{"email": {fmt.Sprintf("new%d@example.com", i)}, "role": {"viewer"}}).Want(http.StatusOK)
	}
	close(done)
	strangers.Wait()
}

// TestQueueOfPasswordsIsBounded: one more stranger is asked to come back, and
// it counts for nothing against the account.
func TestQueueOfPasswordsIsBounded(t *testing.T) {
	c := webtest.NewConsole(t)
	c.Anew()
	place, err := c.Site.Passwords.Strangers.Acquire(t.Context(), "test")
	webtest.OK(t, err)
	busy := make(chan struct{})
	var waiting sync.WaitGroup
	for range passwords.Waiting + 1 {
		waiting.Go(func() {
			if c.Post("/login", webtest.Credentials(webtest.AdminPassword)).Status == http.StatusServiceUnavailable {
				close(busy) // a second one would panic
			}
		})
	}
	<-busy
	place.Release()
	waiting.Wait()
	c.Post("/login", webtest.Credentials(webtest.AdminPassword)).Want(http.StatusSeeOther)
}

// TestLoginFormIsSmall: more than 16 KiB is refused, before it arrives when its
// length is told.
func TestLoginFormIsSmall(t *testing.T) {
	c := webtest.NewConsole(t)
	c.Anew()
	status, hangUp := c.Unfinished("203.0.113.7", web.OpenFormLimit+1)
	defer hangUp()
	if got := <-status; !strings.Contains(got, "413") {
		t.Errorf("a form of %d bytes is answered %q before it is sent", web.OpenFormLimit+1, got)
	}
	pad := url.Values{"email": {webtest.AdminEmail}, "password": {webtest.AdminPassword}, "pad": {strings.Repeat("x", web.OpenFormLimit)}}.Encode()
	req := c.Request(http.MethodPost, "/login", struct{ *strings.Reader }{strings.NewReader(pad)}) // of a length that is not told
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	c.Do(req).Want(http.StatusRequestEntityTooLarge)
	form := webtest.Credentials(webtest.AdminPassword)
	form.Set("pad", strings.Repeat("x", web.OpenFormLimit-200))
	c.Post("/login", form).Want(http.StatusSeeOther)
}

// TestUnfinishedLoginsKeepNobodyOut: no more log-in forms are read at once than
// there are places, and one address does not keep them all.
func TestUnfinishedLoginsKeepNobodyOut(t *testing.T) {
	c := webtest.NewConsole(t, behindLoopback)
	c.Anew()
	tooMany := make(chan string, 1)
	var answered atomic.Int64
	for range 2*web.OpenForms + 1 { // read, waiting, and one that is too many
		status, hangUp := c.Unfinished("203.0.113.7", 1000)
		defer hangUp()
		go func() {
			line := <-status
			if answered.Add(1) == 1 {
				tooMany <- line
			}
		}()
	}
	if got := <-tooMany; !strings.Contains(got, "503") {
		t.Errorf("one too many is answered %q", got)
	}
	c.TryFrom("192.0.2.1", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusSeeOther)
	if n := answered.Load(); n > web.OpenForms/2 {
		t.Errorf("%d had to end before somebody else was served", n)
	}
}

// TestUnfinishedLoginsOfManyAddressesKeepNoKnownBrowserOut: somebody with an
// IPv6 /48 has more address groups than there are places. Other strangers are
// asked to come back; a browser that is known logs in.
func TestUnfinishedLoginsOfManyAddressesKeepNoKnownBrowserOut(t *testing.T) {
	c := webtest.NewConsole(t, behindLoopback)
	c.Anew()
	device := deviceOf(t, c.TryFrom("192.0.2.1", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusSeeOther))
	c.Site.OpenFormWithin = time.Minute
	tooMany := make(chan string, 2*web.OpenForms+1)
	for i := range 2*web.OpenForms + 1 { // read, waiting, and one that is too many
		status, hangUp := c.Unfinished(fmt.Sprintf("2001:db8:7:%x::1", i), 1000)
		defer hangUp()
		go func() { tooMany <- <-status }()
	}
	if got := <-tooMany; !strings.Contains(got, "503") {
		t.Errorf("one too many is answered %q", got)
	}
	c.TryFrom("192.0.2.2", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusServiceUnavailable)
	c.Extra = []*http.Cookie{device}
	c.TryFrom("192.0.2.2", webtest.AdminEmail, webtest.AdminPassword).Want(http.StatusSeeOther)
	c.Extra = nil
	// The input of a form whose session has ended is carried as well.
	form := url.Values{"name": {"The site"}, "scope": {models.ScopeIngest}}
	c.Post("/admin/tokens", form).Want(http.StatusSeeOther) // a stranger's form is not read
	c.Extra = []*http.Cookie{device}
	if page := c.Post("/admin/tokens", form).Want(http.StatusUnauthorized); !strings.Contains(page.Body, "The site") {
		t.Error("the form of a known browser was not read")
	}
}

// TestLoginFormHasToArriveSoon: one that does not is answered.
func TestLoginFormHasToArriveSoon(t *testing.T) {
	c := webtest.NewConsole(t)
	c.Site.OpenFormWithin = 50 * time.Millisecond
	status, hangUp := c.Unfinished("203.0.113.7", 1000)
	defer hangUp()
	if got := <-status; !strings.Contains(got, "408") {
		t.Errorf("an unfinished form is answered %q", got)
	}
}

// TestOneMemberCannotKeepAllPages: a member who holds all places with slow
// forms gives one back when another member asks for a page.
func TestOneMemberCannotKeepAllPages(t *testing.T) {
	c := webtest.NewConsole(t)
	r := gin.New()
	r.HTMLRender = c.Site.HTMLRender()
	places := limit.New(limit.Config{Places: 4, Share: 4, Queue: 4, Wait: web.BusyWait})
	inside := make(chan struct{}, 8)
	r.POST("/", c.Site.InPlace(places, func(c *gin.Context) string { return c.GetHeader("X-Member") }), c.Site.On(func(c *gin.Context) error {
		inside <- struct{}{}
		return web.ParseForm(c)
	}))
	c.Server.Config.Handler = r
	open := func(member string, length int) <-chan string {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", c.Server.Listener.Addr().String())
		webtest.OK(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nX-Member: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", member, length)
		webtest.OK(t, err)
		status := make(chan string, 1)
		go func() {
			line, _ := bufio.NewReader(conn).ReadString('\n')
			status <- line
		}()
		return status
	}
	first := open("slow", 10)
	<-inside
	for range 3 {
		open("slow", 10)
		<-inside
	}
	if got := <-open("other", 0); !strings.Contains(got, "200") {
		t.Fatalf("the other member is answered %q", got)
	}
	if got := <-first; !strings.Contains(got, "503") {
		t.Errorf("the slowest is answered %q", got)
	}
}

// TestBurstsOfWrongPasswordsAreSeen: repeated failures are one line in the log;
// the audit log has each burst once and stays small, the members' page shows
// it, and all refusals are counted.
func TestBurstsOfWrongPasswordsAreSeen(t *testing.T) {
	var counted atomic.Int64
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			counted.Store(0)
			log := new(webtest.LogLines)
			c := webtest.NewConsoleOn(t, kind, behindLoopback, func(d *handlers.Deps) {
				d.LoginRefused = func() { counted.Add(1) }
				d.Log = slog.New(slog.NewTextHandler(log, nil))
			})
			session := c.Cookie
			c.Anew()
			var all sync.WaitGroup
			for range 30 {
				all.Go(func() {
					for range 10 {
						c.TryFrom("203.0.113.7", webtest.AdminEmail, "wrong")
					}
				})
			}
			all.Wait()
			if n := counted.Load(); n != 300 {
				t.Errorf("%d refused log-ins are counted, want 300", n)
			}
			if text := log.String(); strings.Count(text, "log-in refused") != 2 { // wrong, and too many
				t.Errorf("the log says %q", text)
			}
			// Made-up addresses do not fill the audit log, and typed text is
			// not in it.
			for i := range 30 {
				from := models.LoginFrom{Account: fmt.Sprintf("secret %d typed here", i), AddressGroup: fmt.Sprintf("198.51.100.%d", i)}
				c.Fail(account.FailuresHere-1, func(int) models.LoginFrom { return from })
				c.TryFrom(from.AddressGroup, from.Account, "wrong")
			}
			c.Cookie = session
			audit := c.Get("/admin/audit?about=login").Text("tbody")
			if n := strings.Count(audit, "Logins refused"); n != 20 || !strings.Contains(audit, webtest.AdminEmail+" 10 wrong passwords in 15 minutes, from 203.0.113.7") ||
				!strings.Contains(audit, "198.51.100.0 10 wrong passwords in 15 minutes, for an unknown e-mail address") || strings.Contains(audit, "typed here") {
				t.Errorf("%d bursts in the audit log: %s", n, audit)
			}
			page := c.Get("/admin/members").Want(http.StatusOK)
			if got := page.Text("[aria-labelledby=bursts]"); !strings.Contains(got, "198.51.100.18: 10 wrong passwords") {
				t.Errorf("the members' page says %q", got)
			}
			c.Get(page.Find("[aria-labelledby=bursts] a").AttrOr("href", "")).Want(http.StatusOK)
		})
	}
}
