// Package mail hands e-mails to a server, as plain text and HTML in one message.
// It knows how to speak SMTP, but not what a mail says nor when it is sent.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/sitehooks/sitehooks/templates"
)

// timeout is how long the server may take for a message, in all.
const timeout = 30 * time.Second

var errSlow = fmt.Errorf("the server took longer than %s", timeout)

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
// responsible for it. The end of ctx ends the conversation at once.
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
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errSlow)
	defer cancel()
	client, err := s.client(ctx)
	if err != nil {
		return err
	}
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		if ctx.Err() != nil { // that the connection is closed is its consequence
			err = context.Cause(ctx)
		}
		return fmt.Errorf("send e-mail through %s: %w", s.Host, err)
	}
	return nil
}

func (s *Sender) client(ctx context.Context) (*gomail.Client, error) {
	port := s.Port
	switch {
	case port != 0:
	case s.TLS:
		port = 465
	default:
		port = 587
	}
	options := []gomail.Option{
		gomail.WithTimeout(timeout), gomail.WithPort(port), gomail.WithTLSPolicy(gomail.TLSOpportunistic), gomail.WithDialContextFunc(s.dialer(ctx)),
	}
	if s.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.User), gomail.WithPassword(s.Password))
	}
	return gomail.NewClient(s.Host, options...)
}

// dialer opens connections that are closed when ctx ends: go-mail itself heeds
// its context no longer once it is connected.
func (s *Sender) dialer(ctx context.Context) gomail.DialContextFunc {
	return func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(dialing, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		if !s.TLS {
			return conn, nil
		}
		encrypted := tls.Client(conn, &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12})
		return encrypted, encrypted.HandshakeContext(dialing)
	}
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
