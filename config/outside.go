package config

import (
	"net/mail"
	"net/url"
	"strings"
)

// proxy reads the HTTP proxy through which deliveries leave; nil: none. It may
// have a user name and password.
func (f *Faults) proxy(value string) *url.URL {
	const name, example = "SITEHOOKS_PROXY", "http://proxy.internal:3128"
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || !isHost(u.Hostname()):
		f.add(name, example, "is not a URL that starts with http:// or https:// and has a host")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || strings.Contains(value, "#"):
		f.add(name, example, "must end after the host and port")
	case !isPort(u.Port()):
		f.add(name, example, "has a port that is not a number from 1 to 65535")
	default:
		return &url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host}
	}
	return nil
}

// Mail is the server through which e-mail leaves.
type Mail struct {
	Host string
	Port string // empty: the usual one of its scheme
	// TLS is true when the connection begins with TLS; otherwise STARTTLS is
	// used when the server offers it.
	TLS      bool
	User     string // empty: no authentication
	Password string
	From     *mail.Address
}

// mail reads the two variables of e-mail, which are both set or both empty; nil:
// no e-mail is sent.
func (f *Faults) mail(server, from string) *Mail {
	const name, example = "SITEHOOKS_SMTP_URL", "smtp://user:password@mail.example.com:587" //nolint:gosec // an example
	const fromName, fromExample = "SITEHOOKS_MAIL_FROM", "Sitehooks <sitehooks@example.com>"
	switch {
	case server == "" && from == "":
		return nil
	case server == "":
		f.add(name, example, "is empty, but %s is set; set both or neither", fromName)
		return nil
	case from == "":
		f.add(fromName, fromExample, "is empty, but %s is set; set both or neither", name)
	}
	m := &Mail{}
	u, err := url.Parse(server)
	switch {
	case err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || !isHost(u.Hostname()):
		f.add(name, example, "is not a URL that starts with smtp:// or smtps:// and has a host (write special characters of a password as %%40 for @, %%2F for /)")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || strings.Contains(server, "#"):
		f.add(name, example, "must end after the host and port")
	case !isPort(u.Port()):
		f.add(name, example, "has a port that is not a number from 1 to 65535")
	default:
		m.Host, m.Port, m.TLS = u.Hostname(), u.Port(), u.Scheme == "smtps"
		m.User = u.User.Username()
		m.Password, _ = u.User.Password()
	}
	if from != "" {
		if m.From, err = mail.ParseAddress(from); err != nil || strings.ContainsAny(from, "\r\n") {
			f.add(fromName, fromExample, "is %s, which is not an e-mail address", shown(from))
		}
	}
	return m
}
