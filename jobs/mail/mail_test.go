package mail_test

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/sitehooks/sitehooks/jobs/letters"
	"github.com/sitehooks/sitehooks/jobs/mail"
	"github.com/sitehooks/sitehooks/models"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mailbox is an SMTP server that takes mail for all but nobody@example.com.
type mailbox struct {
	mu       sync.Mutex
	messages []string
}

type session struct{ box *mailbox }

func (b *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return session{b}, nil }

func (session) Mail(string, *smtp.MailOptions) error { return nil }
func (session) Reset()                               {}
func (session) Logout() error                        { return nil }

func (session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if to == "nobody@example.com" {
		return &smtp.SMTPError{Code: 550, Message: "No such mailbox"}
	}
	return nil
}

func (s session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.messages = append(s.box.messages, string(text))
	return err
}

// only is the header of the only message that arrived, and its parts by type.
func (b *mailbox) only(t *testing.T) (netmail.Header, map[string]string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.messages) != 1 {
		t.Fatalf("%d messages arrived, want 1", len(b.messages))
	}
	m, err := netmail.ReadMessage(strings.NewReader(b.messages[0]))
	ok(t, err)
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	ok(t, err)
	parts := map[string]string{}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		alternative, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m.Header, parts
		}
		ok(t, err)
		kind, _, err := mime.ParseMediaType(alternative.Header.Get("Content-Type"))
		ok(t, err)
		text, err := io.ReadAll(quotedprintable.NewReader(alternative))
		ok(t, err)
		parts[kind] = strings.Join(strings.Fields(string(text)), " ")
	}
}

func newSender(t *testing.T) (*mailbox, *mail.Sender, *smtp.Server) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	box := &mailbox{}
	server := smtp.NewServer(box)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); _ = l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	ok(t, err)
	number, err := strconv.Atoi(port)
	ok(t, err)
	return box, &mail.Sender{Config: mail.Config{
		Host: "127.0.0.1", Port: number, From: &netmail.Address{Name: "Sitehooks", Address: "hooks@example.com"}, Base: "https://hooks.example.com",
	}}, server
}

// TestLetters: each kind of letter arrives once, and says the same as plain text
// and as HTML.
func TestLetters(t *testing.T) {
	since := time.Date(2026, 3, 4, 5, 6, 0, 0, time.UTC)
	hook := models.MailWebhook{ID: 7, Name: "Orders", LocationName: "Bergen", Reason: "The receiver is gone.", Since: since, Held: 1, ExpiresAt: since.AddDate(0, 0, 1)}
	other := models.MailWebhook{ID: 8, Name: "Leads", LocationName: "Oslo", Since: since, Held: 3}
	for _, c := range []struct {
		kind    string
		user    int64
		hooks   []models.MailWebhook
		subject string
		says    []string
	}{
		{models.MailInvitation, 1, nil, "You can log in to Sitehooks", []string{"An administrator added you", "https://hooks.example.com/login/link/abc", "/login/forgot"}},
		{models.MailPassword, 1, nil, "Choose a new password for Sitehooks", []string{"Somebody asked for a new password", "https://hooks.example.com/login/link/abc", "Your password stays as it is."}},
		{models.MailBroken, 1, []models.MailWebhook{hook}, "Webhook Orders is broken", []string{"Orders (Bergen)", "Since March 4, 2026 at 05:06 UTC: The receiver is gone. 1 notification waits.", "/admin/webhooks/7", "you own the webhook"}},
		{models.MailHeld, 0, []models.MailWebhook{hook}, "Notifications of webhook Orders expire soon", []string{"The first is dropped on March 5, 2026 at 05:06 UTC.", "your address is in the webhook"}},
		{models.MailFailing, 1, []models.MailWebhook{hook}, "Webhook Orders is failing", []string{"three or more in a row", "Orders (Bergen)"}},
		{models.MailFailing, 1, []models.MailWebhook{hook, other}, "2 webhooks are failing", []string{"Leads (Oslo)", "Since March 4, 2026 at 05:06 UTC. 3 notifications wait.", "/admin/webhooks/8"}},
	} {
		t.Run(c.subject, func(t *testing.T) {
			box, sender, _ := newSender(t)
			letter := letters.Webhooks(models.Mail{Kind: c.kind, UserID: c.user, Webhooks: c.hooks}, sender.Base, sender.WebhookURL)
			if c.hooks == nil {
				letter = letters.Password(c.kind, sender.Base, sender.Base+"/login/link/abc")
			}
			ok(t, sender.Send(t.Context(), mail.Message{To: "ann@example.com", ID: "one", Letter: letter}))
			header, parts := box.only(t)
			for name, want := range map[string]string{
				"Subject": c.subject, "To": "<ann@example.com>", "From": `"Sitehooks" <hooks@example.com>`, "Message-Id": "<one@example.com>", "Auto-Submitted": "auto-generated",
			} {
				if got := header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			for _, kind := range []string{"text/plain", "text/html"} {
				for _, want := range c.says {
					if !strings.Contains(parts[kind], want) {
						t.Errorf("%s lacks %q: %s", kind, want, parts[kind])
					}
				}
			}
		})
	}
}

// TestNotSent: an error says which server refused, and why.
func TestNotSent(t *testing.T) {
	box, sender, server := newSender(t)
	send := func(to, want string) {
		t.Helper()
		err := sender.Send(t.Context(), mail.Message{To: to, ID: "one", Letter: letters.Password(models.MailPassword, sender.Base, "x")})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("to %q: %v, want %q", to, err, want)
		}
	}
	send("nobody@example.com", "No such mailbox")
	send("not an address", "address")
	sender.User, sender.Password = "sitehooks", "letmein"
	send("ann@example.com", "send e-mail through 127.0.0.1: ")
	sender.User, sender.TLS = "", true
	send("ann@example.com", "tls: ")
	sender.TLS = false
	ok(t, server.Close())
	send("ann@example.com", "connection refused")
	if len(box.messages) != 0 {
		t.Errorf("%d messages arrived, want none", len(box.messages))
	}
}
