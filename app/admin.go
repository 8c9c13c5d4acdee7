package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/passwords"
	"github.com/sitehooks/sitehooks/models"
)

type adminCommand struct {
	Add adminAddCommand `cmd:"" help:"Add an administrator; the password is read from standard input."`
}

type adminAddCommand struct {
	Email emailAddress `arg:"" help:"The administrator's e-mail address, such as mary@example.com."`
}

// emailAddress is one address, without a name.
type emailAddress string

// UnmarshalText takes an argument of the command line.
func (a *emailAddress) UnmarshalText(text []byte) error {
	address, err := mail.ParseAddress(string(text))
	if err != nil || address.Address != string(text) {
		return fmt.Errorf("%q is not an e-mail address; for example mary@example.com", text)
	}
	*a = emailAddress(text)
	return nil
}

// Run adds an administrator with the password on standard input.
func (c adminAddCommand) Run(ctx context.Context, p Process) error {
	line, err := bufio.NewReader(io.LimitReader(p.Stdin, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	hash, err := passwords.Hash(strings.TrimRight(line, "\r\n"))
	if err != nil {
		return fmt.Errorf("the password on standard input: %w", err)
	}
	return withStore(ctx, p, func(s *models.Store) error {
		_, err := s.Users.Create(ctx, models.User{Email: string(c.Email), PasswordHash: hash, Role: models.RoleAdministrator})
		if errors.Is(err, models.ErrExists) {
			return fmt.Errorf("<email>: %s is a member already", c.Email)
		}
		if err == nil {
			_, err = fmt.Fprintf(p.Stdout, "Added the administrator %s.\n", c.Email)
		}
		return err
	})
}
