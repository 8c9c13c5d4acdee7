package app_test

import (
	"crypto/tls"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// mailbox is an SMTP server with STARTTLS that wants a password.
type mailbox struct {
	mu      sync.Mutex
	letters []letter
	unsafe  bool // a session without TLS said more than its greeting
}

type letter struct{ To, Subject, Plain, HTML, ID string }

func newMailbox(t *testing.T) (box *mailbox, server string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	return mailboxAt(t, l), mailAddress(l)
}

// mailAddress is the setting for an instance that sends by the server there.
func mailAddress(l net.Listener) string { return "smtp://sitehooks:letmein@" + l.Addr().String() }

func mailboxAt(t *testing.T, l net.Listener) *mailbox {
	t.Helper()
	box := &mailbox{}
	s := smtp.NewServer(box)
	s.Domain, s.TLSConfig = "127.0.0.1", mailTLS()
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return box
}

// mailTLS has a certificate that NewTypesReceiver's setting trusts.
func mailTLS() *tls.Config {
	model := httptest.NewTLSServer(http.NotFoundHandler())
	defer model.Close()
	return &tls.Config{Certificates: model.TLS.Certificates, MinVersion: tls.VersionTLS12}
}

func (b *mailbox) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &mailSession{box: b, conn: c}, nil
}

func (b *mailbox) got(to string) []letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []letter
	for _, l := range b.letters {
		if l.To == to {
			all = append(all, l)
		}
	}
	return all
}

type mailSession struct {
	box  *mailbox
	conn *smtp.Conn
	to   string
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "sitehooks" || password != "letmein" {
			return errors.New("wrong password")
		}
		return nil
	}), nil
}

func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	if _, encrypted := s.conn.TLSConnectionState(); !encrypted {
		s.box.mu.Lock()
		defer s.box.mu.Unlock()
		s.box.unsafe = true
	}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	msg, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		return err
	}
	got := letter{To: s.to, Subject: subject, ID: msg.Header.Get("Message-Id")}
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	for parts := multipart.NewReader(msg.Body, params["boundary"]); ; {
		section, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		text, err := io.ReadAll(quotedprintable.NewReader(section))
		if err != nil {
			return err
		}
		if strings.HasPrefix(section.Header.Get("Content-Type"), "text/html") {
			got.HTML = string(text)
		} else {
			got.Plain = string(text)
		}
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.letters = append(s.box.letters, got)
	return nil
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }

// only waits for the first letter to somebody and returns it; it is the only one.
func (b *mailbox) only(t *testing.T, to, subject string) letter {
	t.Helper()
	var found []letter
	apptest.Eventually(t, "an e-mail to "+to+": "+subject, func() bool {
		found = nil
		for _, l := range b.got(to) {
			if strings.Contains(l.Subject, subject) {
				found = append(found, l)
			}
		}
		return len(found) > 0
	})
	if len(found) > 1 {
		t.Errorf("%d e-mails to %s: %s", len(found), to, subject)
	}
	if !strings.Contains(found[0].HTML, "<html") || strings.Contains(found[0].Plain, "<") {
		t.Errorf("not both kinds of text: %+v", found[0])
	}
	return found[0]
}

// withMail is an environment on a new database that sends e-mail.
func withMail(t *testing.T, kind, server string) []string {
	t.Helper()
	return append(apptest.Environment(t, kind), "SITEHOOKS_SMTP_URL="+server, "SITEHOOKS_MAIL_FROM=Sitehooks <sitehooks@example.com>")
}

// A new member and one who forgot their password choose one by a link that works
// once.
func TestMembersChoosePasswordsByLinks(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		box, server := newMailbox(t)
		_, trust := apptest.NewTypesReceiver(t) // it has the certificate of all such servers
		in := apptest.Serve(t, append(withMail(t, kind, server), trust))
		admin := in.Login()
		page := admin.Post("/admin/members", url.Values{"email": {"jane@example.com"}, "role": {"viewer"}})
		if !strings.Contains(page.Body, "They also get an e-mail") {
			t.Errorf("%d: the page does not tell of the e-mail", page.Code)
		}
		invitation := box.only(t, "jane@example.com", "You can log in")
		jane := in.Browser()
		first := choose(t, jane, invitation, "battery staple horse")
		if again := in.Browser().Get(first); again.Code != http.StatusNotFound {
			t.Errorf("the link works twice: %d", again.Code)
		}
		if home := jane.Get("/admin/webhooks"); home.Code != http.StatusOK {
			t.Errorf("not logged in by the link: %d", home.Code)
		}
		stranger := in.Browser()
		if forgot := stranger.Get("/login"); !strings.Contains(forgot.Body, "/login/forgot") {
			t.Error("the login page does not link to the form for a forgotten password")
		}
		for _, email := range []string{"nobody@example.com", "Jane@example.com"} {
			if answer := stranger.Post("/login/forgot", url.Values{"email": {email}}); answer.Code != http.StatusOK || !strings.Contains(answer.Body, "is on its way") {
				t.Errorf("%s: %d %s", email, answer.Code, answer.Body)
			}
		}
		choose(t, stranger, box.only(t, "jane@example.com", "new password"), "another staple horse")
		if old := jane.Get("/admin/webhooks"); old.Code != http.StatusSeeOther {
			t.Errorf("the earlier session lives: %d", old.Code)
		}
		if len(box.got("nobody@example.com")) > 0 || box.unsafe {
			t.Errorf("e-mail to a stranger, or without TLS: %v", box.unsafe)
		}
	})
}

var passwordLink = regexp.MustCompile(`http://\S+(/login/link/[0-9a-f]+)`)

// choose follows the link of a letter and chooses a password.
func choose(t *testing.T, b *apptest.Browser, l letter, password string) (path string) {
	t.Helper()
	found := passwordLink.FindStringSubmatch(l.Plain)
	if found == nil || !strings.Contains(l.HTML, found[1]) {
		t.Fatalf("no link in\n%s", l.Plain)
	}
	path = found[1]
	if page := b.Get(path); page.Code != http.StatusOK {
		t.Fatalf("%s: %d", path, page.Code)
	}
	if short := b.Post(path, url.Values{"new_password": {"short"}, "new_password_again": {"short"}}); short.Code != http.StatusUnprocessableEntity {
		t.Errorf("a short password: %d", short.Code)
	}
	saved := b.Post(path, url.Values{"new_password": {password}, "new_password_again": {password}})
	if saved.Code != http.StatusSeeOther {
		t.Fatalf("%s: %d %s", path, saved.Code, saved.Body)
	}
	return path
}

// An e-mail goes to a server that wants TLS from the start.
func TestMailWithTLSFromTheStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	box := mailboxAt(t, tls.NewListener(l, mailTLS()))
	_, trust := apptest.NewTypesReceiver(t)
	in := apptest.Serve(t, append(withMail(t, "sqlite", strings.Replace(mailAddress(l), "smtp:", "smtps:", 1)), trust))
	in.Login().Post("/admin/members", url.Values{"email": {"jane@example.com"}, "role": {"viewer"}})
	box.only(t, "jane@example.com", "You can log in")
	if box.unsafe {
		t.Error("it went without TLS")
	}
}

// A mail server that is dead delays no delivery, nor the end of the program, and
// gets the mail when it is back.
func TestADeadMailServerDelaysNothing(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	hook := apptest.NewReceiver(t)
	_, trust := apptest.NewTypesReceiver(t)
	env := append(withMail(t, "sqlite", mailAddress(silent)), trust)
	in := apptest.Serve(t, env)
	admin := in.Login()
	admin.Quick()
	admin.Post("/admin/members", url.Values{"email": {"jane@example.com"}, "role": {"viewer"}})
	conn, err := silent.Accept() // the mailer hangs from here on
	ok(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	admin.CreateWebhook(apptest.WebhookForm(hook.URL))
	in.Accept(apptest.QuestionJSON("event", 1, ""))
	apptest.Eventually(t, "the delivery", func() bool { return len(hook.Items(t)) == 1 })

	ok(t, in.Cmd.Process.Signal(syscall.SIGTERM))
	ok(t, conn.SetReadDeadline(time.Now().Add(10*time.Second))) // the server could take 30
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("the program does not leave the mail server: %v", err)
	}
	ok(t, in.Ended())

	// The server returns, and the next try is due.
	backdate(t, env, "sqlite", time.Hour, "mails.due_at")
	box := mailboxAt(t, silent)
	in = apptest.Serve(t, env)
	choose(t, in.Browser(), box.only(t, "jane@example.com", "You can log in"), "battery staple horse")
}
