package apptest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// Intruders keep the doors of instances busy: each attack holds a number of
// connections, all from one address that nobody else uses, and opens a new one
// when one is closed.
type Intruders struct {
	from string // address of this machine
	ctx  context.Context
	end  context.CancelFunc
	all  sync.WaitGroup
	// First is done when each connection has said its text once.
	First sync.WaitGroup
	Made  atomic.Int64 // connections
}

// NewIntruders come from an address of this machine, as 127.0.0.9.
func NewIntruders(from string) *Intruders {
	s := &Intruders{from: from}
	s.ctx, s.end = context.WithCancel(context.Background())
	return s
}

// Stop closes all connections and returns when they are closed.
func (s *Intruders) Stop() {
	s.end()
	s.all.Wait()
}

// hold keeps n connections on which text was said and the answer is awaited,
// read by read. base is asked before each; an empty one means a moment's rest.
func (s *Intruders) hold(n int, base func() string, text func() string, read func(net.Conn)) {
	s.First.Add(n)
	for range n {
		said := sync.OnceFunc(s.First.Done)
		s.all.Go(func() {
			defer said()
			for s.ctx.Err() == nil {
				s.once(base(), text(), said, read)
				Pause(s.ctx.Done(), time.Second)
			}
		})
	}
}

// once opens one connection and stays on it until the other side closes it.
func (s *Intruders) once(base, text string, said func(), read func(net.Conn)) {
	if base == "" {
		return
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(s.from)}, Timeout: 5 * time.Second}
	conn, err := d.DialContext(s.ctx, "tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(s.ctx, func() { _ = conn.Close() })()
	s.Made.Add(1)
	_, err = io.WriteString(conn, text)
	said()
	if err == nil {
		read(conn)
	}
}

// answers reads all that comes.
func answers(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// unread reads nothing until a minute has passed, and has a small receive
// buffer.
func (s *Intruders) unread(conn net.Conn) {
	if c, is := conn.(*net.TCPConn); is {
		_ = c.SetReadBuffer(4 << 10)
	}
	Pause(s.ctx.Done(), time.Minute)
}

// Door is one attack, as the requests of a connection.
type Door struct {
	Name  string
	n     int // connections
	text  func() string
	quiet bool // answers are not read
}

// Keys are the credentials that strangers have found, bought or were given.
type Keys struct {
	TeamToken, SuperOffice string // valid tokens
	Silent                 string // https address that never answers
	Viewer                 string // cookie of a viewer
}

// Doors are all attacks, each with a share of the connections that it had when
// the program fell to it.
func Doors(k Keys, share float64) []Door {
	const post = "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	n := func(connections int) int { return max(1, int(share*float64(connections))) }
	var email atomic.Int64
	login := func() string {
		form := url.Values{"email": {fmt.Sprintf("nobody%d@example.com", email.Add(1))}, "password": {"guess"}}.Encode()
		return "POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n" +
			fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(form), form)
	}
	test, _ := json.Marshal(map[string]any{ //nolint:errchkjson // texts
		"Name": "Silent", "Events": []string{"contact.created"}, "TargetUrl": k.Silent, "Type": "webhook", "Secret": "a secret of the strangers",
	})
	always := func(text string) func() string { return func() string { return text } }
	return []Door{
		{Name: "reports without a token", n: n(300), text: always(post + "Content-Length: 1000000\r\n\r\n{")},
		{Name: "slow reports of one team, in chunks", n: n(256), text: always(post + "Authorization: Bearer " + k.TeamToken + "\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n")},
		{Name: "slow reports of one team, of a length", n: n(256), text: always(post + "Authorization: Bearer " + k.TeamToken + "\r\nContent-Length: 100\r\n\r\n{")},
		{Name: "tests of a silent target", n: n(64), text: always("POST /superoffice/api/v1/Webhook/Test HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
			fmt.Sprintf("Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", k.SuperOffice, len(test), test))},
		{Name: "log-ins with made-up e-mails", n: n(100), text: login},
		{Name: "unfinished log-ins", n: n(700), text: always("POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1048576\r\n\r\nemail=" + strings.Repeat("a", 1<<20-100))},
		{Name: "unread exports", n: n(270), text: always("GET /admin/deliveries.json HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: " + k.Viewer + "\r\n\r\n"), quiet: true},
		{Name: "heavy pages of a viewer", n: n(200), text: always("GET " + HeavyPage + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nCookie: " + k.Viewer + "\r\n\r\n")},
	}
}

// Attack puts strangers at a door.
func (s *Intruders) Attack(d Door, base func() string) {
	read := answers
	if d.quiet {
		read = s.unread
	}
	s.hold(d.n, base, d.text, read)
}

// Silent takes connections and never says a word.
func Silent(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	ok(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go answers(conn)
		}
	}()
	return "https://" + l.Addr().String() + "/"
}

// Member adds a member with a role and a chosen password, and returns the
// cookie of their session.
func (b *Browser) Member(in *Instance, email, role string) (cookie string) {
	b.T.Helper()
	a := b.Post("/admin/members", url.Values{"email": {email}, "role": {role}})
	page, err := goquery.NewDocumentFromReader(strings.NewReader(a.Body))
	ok(b.T, err)
	once := strings.TrimSpace(page.Find("#given-password").Text())
	other := in.Browser()
	if a := other.Post("/login", url.Values{"email": {email}, "password": {once}}); a.Code != http.StatusSeeOther {
		b.T.Fatalf("log in with the one-time password: %d", a.Code)
	}
	const chosen = "battery staple horse"
	if a := other.Post("/account/password", url.Values{"password": {once}, "new_password": {chosen}, "new_password_again": {chosen}}); a.Code != http.StatusSeeOther {
		b.T.Fatalf("choose a password: %d %s", a.Code, a.Body)
	}
	return other.Cookie()
}

// Pause waits, and says false when the run is over.
func Pause(stop <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-stop:
		return false
	case <-timer.C:
		return true
	}
}

// HeavyPage searches for a word that no title has, so that the database looks
// at all the rows that one page may look at.
const HeavyPage = "/admin/trigger-history?q=zyxwvut"
