package jobs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	netmail "net/mail"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/sitehooks/sitehooks/jobs/mail"
	"github.com/sitehooks/sitehooks/models"
)

// mailbox is an SMTP server that keeps what it takes.
type mailbox struct {
	mu      sync.Mutex
	letters []string // "to" and the text as it came, without its encoding
	fault   error    // of the recipients; nil: all are taken
	arrived chan struct{}
	asked   chan struct{} // a message begins; nil: nobody waits for it
	hold    chan struct{} // the answer waits until it is closed; nil: it does not
}

type mailSession struct {
	box *mailbox
	to  string
}

func (b *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &mailSession{box: b}, nil }

func (*mailSession) Mail(string, *smtp.MailOptions) error { return nil }
func (*mailSession) Reset()                               {}
func (*mailSession) Logout() error                        { return nil }

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.to = to
	return s.box.fault
}

func (s *mailSession) Data(r io.Reader) error {
	s.box.mu.Lock()
	asked, hold := s.box.asked, s.box.hold
	s.box.mu.Unlock()
	if asked != nil {
		asked <- struct{}{}
		<-hold
	}
	text, err := io.ReadAll(r)
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.letters = append(s.box.letters, "to "+s.to+"\n"+unfolded.Replace(string(text)))
	s.box.arrived <- struct{}{}
	return err
}

// unfolded joins the lines of quoted-printable text.
var unfolded = strings.NewReplacer("=\r\n", "", "=3D", "=")

func (b *mailbox) refuses(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = err
}

// drain returns the letters that arrived since the last call.
func (b *mailbox) drain() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	letters := b.letters
	b.letters = nil
	return letters
}

// post is a mailer of the bench, with its server and its log.
type post struct {
	*mailer
	b    *bench
	box  *mailbox
	out  *logLines
	woke chan struct{}
}

// logLines keeps the lines of a log, and tells of each.
type logLines struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan struct{}
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer poke(l.wrote)
	return l.text.Write(p)
}

func (l *logLines) drain() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.text.Reset()
	return l.text.String()
}

func newPost(b *bench) *post {
	b.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(b.t, err)
	box := &mailbox{arrived: make(chan struct{}, 100)}
	server := smtp.NewServer(box)
	server.ErrorLog = log.New(io.Discard, "", 0) // a connection that is broken off is meant
	go func() { _ = server.Serve(l) }()
	b.t.Cleanup(func() { _ = server.Close(); _ = l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	ok(b.t, err)
	number, err := strconv.Atoi(port)
	ok(b.t, err)
	out, woke := &logLines{wrote: make(chan struct{}, 1)}, make(chan struct{}, 1)
	return &post{b: b, box: box, out: out, woke: woke, mailer: &mailer{
		store: b.store, log: slog.New(slog.NewTextHandler(out, nil)), changed: woke,
		sender: &mail.Sender{Config: mail.Config{
			Host: "127.0.0.1", Port: number, From: &netmail.Address{Name: "Sitehooks", Address: "hooks@example.com"}, Base: "https://hooks.example.com",
		}},
	}}
}

// member adds a member with an e-mail address.
func (p *post) member(email, role string) models.User {
	p.b.t.Helper()
	u, err := p.b.store.Users.Create(p.b.t.Context(), models.User{Email: email, Name: email, Role: role})
	ok(p.b.t, err)
	return u
}

// backlog is what the system page says about e-mails.
func (p *post) backlog() models.MailBacklog {
	p.b.t.Helper()
	backlog, err := p.b.store.Mails.Backlog(p.b.t.Context())
	ok(p.b.t, err)
	return backlog
}

// sends sends what is due, and returns the letters that arrived.
func (p *post) sends() []string {
	p.b.t.Helper()
	ok(p.b.t, p.once(p.b.t.Context()))
	return p.box.drain()
}

// linkIn is the link by which a letter lets its reader choose a password.
func (p *post) linkIn(letter string) string {
	p.b.t.Helper()
	found := regexp.MustCompile(`https://hooks\.example\.com/login/link/(\S+)`).FindStringSubmatch(letter)
	if found == nil {
		p.b.t.Fatalf("there is no link in %s", letter)
	}
	return found[1]
}

// TestMailsAboutABrokenWebhookAreSentOnce: to its owner and the address of its
// settings, and to nobody again.
func TestMailsAboutABrokenWebhookAreSentOnce(t *testing.T) {
	onBoth(t, func(b *bench) {
		p := newPost(b)
		p.member("mary@example.com", models.RoleAdministrator)
		w := b.webhook(func(in *models.WebhookInput) {
			in.Name, in.Options = "Orders", map[string]string{models.OptionErrorsEmail: "ops@example.com"}
		})
		if got := p.sends(); len(got) != 0 {
			b.t.Fatalf("while all is well: %q", got)
		}
		ok(b.t, b.store.Webhooks.Break(b.t.Context(), w.ID, "The receiver answered 410 Gone."))
		if got := p.sends(); len(got) != 0 {
			b.t.Errorf("webhooks are looked at every %s, and not at once again: %q", collectEvery, got)
		}
		p.collected = time.Time{} // 20 s ago
		got := strings.Join(p.sends(), "\n\n")
		for _, want := range []string{
			"to mary@example.com", "to ops@example.com", "Subject: Webhook Orders is broken", "The receiver answered 410 Gone.", "https://hooks.example.com/admin/webhooks/" + strconv.FormatInt(w.ID, 10),
		} {
			if !strings.Contains(got, want) {
				b.t.Errorf("the letters lack %q:\n%s", want, got)
			}
		}
		p.collected = time.Time{}
		if got := p.sends(); len(got) != 0 {
			b.t.Errorf("told again: %q", got)
		}
		if backlog := p.backlog(); backlog != (models.MailBacklog{}) || p.out.drain() != "" {
			b.t.Errorf("left over: %+v", backlog)
		}
	})
}

// TestRefusedMailsAreSentLater: a link to choose a password that the server refuses is
// made anew for each try, and given up after an hour.
func TestRefusedMailsAreSentLater(t *testing.T) {
	onBoth(t, func(b *bench) {
		p := newPost(b)
		jane := p.member("jane@example.com", models.RoleViewer)
		full := &smtp.SMTPError{Code: 452, Message: "The disk of the mailbox is full"}
		refused := func(givenUp string, waiting int64) {
			b.t.Helper()
			if got := p.sends(); len(got) != 0 {
				b.t.Errorf("refused, and yet there is %q", got)
			}
			line := p.out.drain()
			for _, want := range []string{"level=WARN", `msg="e-mail not sent"`, "kind=invitation", "given_up=" + givenUp, full.Message} {
				if !strings.Contains(line, want) {
					b.t.Errorf("the log lacks %s: %s", want, line)
				}
			}
			backlog := p.backlog()
			if backlog.Waiting != waiting || waiting > 0 && !strings.Contains(backlog.Error, full.Message) {
				b.t.Errorf("waiting: %+v", backlog)
			}
		}
		p.box.refuses(full)
		ok(b.t, b.store.Mails.Link(b.t.Context(), models.MailInvitation, jane))
		refused("false", 1)
		p.box.refuses(nil)
		if got := p.sends(); len(got) != 0 {
			b.t.Errorf("tried again at once: %q", got)
		}
		b.clock.Add(2 * time.Minute)
		got := p.sends()
		if len(got) != 1 || !strings.Contains(got[0], "to jane@example.com") || !strings.Contains(got[0], "Subject: You can log in to Sitehooks") {
			b.t.Fatalf("tried again: %q", got)
		}
		user, err := b.store.Users.ByLink(b.t.Context(), p.linkIn(got[0]))
		if err != nil || user.ID != jane.ID {
			b.t.Errorf("the link is that of member %d, %v", user.ID, err)
		}
		if p.backlog() != (models.MailBacklog{}) {
			b.t.Errorf("left over: %+v", p.backlog())
		}

		p.box.refuses(full)
		ok(b.t, b.store.Mails.Link(b.t.Context(), models.MailInvitation, jane))
		b.clock.Add(59*time.Minute + 50*time.Second)
		refused("true", 0)
		p.box.refuses(nil)
		b.clock.Add(time.Hour)
		if got := p.sends(); len(got) != 0 {
			b.t.Errorf("given up, and yet there is %q", got)
		}
	})
}

// TestNoMailToARemovedMember: a link that waits to be sent ends with the member.
func TestNoMailToARemovedMember(t *testing.T) {
	onBoth(t, func(b *bench) {
		p := newPost(b)
		p.member("mary@example.com", models.RoleAdministrator)
		jane := p.member("jane@example.com", models.RoleViewer)
		ok(b.t, b.store.Mails.Link(b.t.Context(), models.MailPassword, jane))
		_, err := b.store.Users.Remove(b.t.Context(), admin, jane.ID)
		ok(b.t, err)
		if got := p.sends(); len(got) != 0 || p.out.drain() != "" || p.backlog().Waiting != 0 {
			b.t.Errorf("sent: %q, waiting: %+v", got, p.backlog())
		}
	})
}

// TestAStopInterruptsAMail: what the stop of the instance interrupts is no failure, and
// is sent by the next one.
func TestAStopInterruptsAMail(t *testing.T) {
	onBoth(t, func(b *bench) {
		p := newPost(b)
		jane := p.member("jane@example.com", models.RoleViewer)
		ok(b.t, b.store.Mails.Link(b.t.Context(), models.MailPassword, jane))
		p.box.asked, p.box.hold = make(chan struct{}), make(chan struct{})
		ctx, stop := context.WithCancel(b.t.Context())
		ended := make(chan error)
		go func() { ended <- p.once(ctx) }()
		<-p.box.asked
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			b.t.Errorf("it ended with %v", err)
		}
		if backlog := p.backlog(); backlog.Waiting != 1 || backlog.Error != "" || p.out.drain() != "" {
			b.t.Errorf("interrupted: %+v", backlog)
		}
		if err := p.once(ctx); err == nil && len(p.box.drain()) > 0 {
			b.t.Error("it sends although it was stopped")
		}
		close(p.box.hold)
		p.box.mu.Lock()
		p.box.asked = nil
		p.box.mu.Unlock()
		b.clock.Add(mailWait)
		if got := strings.Join(p.sends(), "\n"); !strings.Contains(got, "Subject: Choose a new password for Sitehooks") {
			b.t.Errorf("sent later: %q", got)
		}
	})
}

// mailWait is longer than one try has.
const mailWait = 3 * time.Minute

// TestMailsWaitForTheDatabase: while the database fails the log says so, nothing is
// lost, and a stop is not held up.
func TestMailsWaitForTheDatabase(t *testing.T) {
	onBoth(t, func(b *bench) {
		p := newPost(b)
		jane := p.member("jane@example.com", models.RoleViewer)
		ok(b.t, b.store.Mails.Link(b.t.Context(), models.MailPassword, jane))
		run := func() (stop func()) {
			ctx, cancel := context.WithCancel(b.t.Context())
			ended := make(chan struct{})
			go func() {
				p.run(ctx)
				close(ended)
			}()
			return func() { cancel(); <-ended }
		}
		for _, lost := range []string{"mails", "match_versions", "login_links"} {
			b.exec("alter table " + lost + " rename to lost_table")
			p.collected = time.Time{}
			stop := run()
			<-p.out.wrote
			stop()
			line := p.out.drain()
			if !strings.Contains(line, `level=ERROR msg="e-mails could not be read; retrying"`) || strings.Count(line, "\n") != 1 {
				b.t.Errorf("without %s the log says %q", lost, line)
			}
			b.exec("alter table lost_table rename to " + lost)
			b.clock.Add(mailWait)
		}
		stop := run()
		<-p.box.arrived
		ok(b.t, b.store.Mails.Link(b.t.Context(), models.MailInvitation, jane))
		poke(p.woke)
		<-p.box.arrived
		stop()
		if got := p.box.drain(); len(got) != 2 || p.out.drain() != "" {
			b.t.Errorf("sent: %q", got)
		}
	})
}

// TestNoEMailIsMadeUp: when the e-mails cannot be read, the error says so, and
// none is sent instead.
func TestNoEMailIsMadeUp(t *testing.T) {
	onBoth(t, func(b *bench) {
		p := newPost(b)
		p.collected = time.Now()
		b.exec("alter table mails rename to mails_away")
		if err := p.once(b.t.Context()); err == nil || !strings.HasPrefix(err.Error(), "take e-mail: ") {
			b.t.Error(err)
		}
		if log := p.out.drain(); log != "" {
			b.t.Errorf("the log says %s", log)
		}
	})
}
