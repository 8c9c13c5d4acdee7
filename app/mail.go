package app

import (
	"strconv"

	"github.com/sitehooks/sitehooks/config"
	"github.com/sitehooks/sitehooks/jobs/mail"
)

// mailSender sends e-mail as the configuration says; nil: none is sent.
func mailSender(c config.Config) *mail.Sender {
	m := c.Mail
	if m == nil {
		return nil
	}
	port, _ := strconv.Atoi(m.Port) // config checked it
	return &mail.Sender{Config: mail.Config{
		Host: m.Host, Port: port, TLS: m.TLS, User: m.User, Password: m.Password, From: m.From, Base: c.BaseURL.String(),
	}}
}
