// Package mail hands e-mails to a server, as plain text and HTML in one message.
// It knows how to speak SMTP, but not what a mail says nor when it is sent.
package mail

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/sitehooks/sitehooks/templates"
)

// timeout is how long the server may take for a message, in all.
const timeout = 30 * time.Second

// Config names the server, and what all messages say.
type Config struct {
	Host string
	Port int // 0: 465 with TLS, otherwise 587
	// TLS: the connection begins with it. Otherwise STARTTLS is used when the
	// server offers it.
	TLS      bool
	User     string // empty: no authentication
	Password string
	From     *mail.Address
	Base     string // address of the console, without a slash at its end
}

// Sender sends e-mails. It opens a connection for each.
type Sender struct{ Config }

// Message is a letter to one recipient.
type Message struct {
	To string
	// ID is the same each time that a message is sent, so that a mailbox can tell
	// a repeat.
	ID     string
	Letter templates.Letter
}

// Send hands a message to the server. Once it has returned nil the server is
// responsible for it.
func (s *Sender) Send(ctx context.Context, m Message) error {
	m.Letter.Base = s.Base
	plain, html, err := m.Letter.Render()
	if err != nil {
		return err
	}
	msg := gomail.NewMsg()
	if err := errors.Join(msg.FromFormat(s.From.Name, s.From.Address), msg.To(m.To)); err != nil {
		return err
	}
	msg.Subject(strings.Join(strings.Fields(m.Letter.Subject), " "))
	msg.SetMessageIDWithValue(m.ID + "@" + s.domain())
	msg.SetDate()
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, plain)
	msg.AddAlternativeString(gomail.TypeTextHTML, html)
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("send e-mail through %s: %w", s.Host, err)
	}
	return nil
}

func (s *Sender) client() (*gomail.Client, error) {
	options := []gomail.Option{gomail.WithTimeout(timeout)}
	port := s.Port
	if s.TLS {
		options = append(options, gomail.WithSSL())
		if port == 0 {
			port = 465
		}
	} else {
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
		if port == 0 {
			port = 587
		}
	}
	options = append(options, gomail.WithPort(port))
	if s.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.User), gomail.WithPassword(s.Password))
	}
	return gomail.NewClient(s.Host, options...)
}

// domain is that of the sender's address.
func (s *Sender) domain() string {
	_, domain, _ := strings.Cut(s.From.Address, "@")
	return domain
}

// WebhookURL is the page of a webhook.
func (s *Sender) WebhookURL(id int64) string {
	return s.Base + "/admin/webhooks/" + strconv.FormatInt(id, 10)
}
