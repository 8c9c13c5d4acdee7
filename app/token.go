package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/config"
	"github.com/sitehooks/sitehooks/models"
)

type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Print a new API token, which is never shown again."`
}

type tokenCreateCommand struct {
	Name     string `required:"" placeholder:"NAME" help:"The token's name, at most 100 characters, such as community-site."`
	Scope    string `required:"" enum:"ingest,read,manage,superoffice" placeholder:"SCOPE" help:"The token's scope: ingest, read, manage or superoffice."`
	Location slug   `placeholder:"SLUG" help:"The only location where the token is valid. Default: all locations."`
}

// slug is the name of a location as links have it.
type slug string

var slugs = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// UnmarshalText takes an argument of the command line.
func (s *slug) UnmarshalText(text []byte) error {
	if !slugs.Match(text) {
		return fmt.Errorf("%q is not a slug of 1 to 64 lower-case letters, digits and hyphens, such as python-wranglers", text)
	}
	*s = slug(text)
	return nil
}

// operator is the author of changes from the command line.
var operator = models.Actor{Name: "command line"}

// withStore opens the database for a short command.
func withStore(ctx context.Context, p Process, work func(*models.Store) error) error {
	c, err := config.Load(p.Environ)
	if err != nil {
		return err
	}
	store, _, err := openStore(ctx, c, slog.New(slog.DiscardHandler), 1)
	if err != nil {
		return err
	}
	defer store.Close()
	return work(store)
}

// Run prints a new token.
func (c tokenCreateCommand) Run(ctx context.Context, p Process) error {
	if strings.TrimSpace(c.Name) == "" || utf8.RuneCountInString(c.Name) > 100 || strings.ContainsFunc(c.Name, unicode.IsControl) {
		return errors.New("--name: give the token a name of at most 100 characters, such as --name community-site")
	}
	return withStore(ctx, p, func(s *models.Store) error {
		plain, err := s.Tokens.Create(ctx, models.Token{Name: c.Name, Scope: c.Scope, Location: string(c.Location), CreatedBy: operator.Name})
		if err == nil {
			_, err = fmt.Fprintln(p.Stdout, plain)
		}
		if err == nil && c.Location != "" {
			err = sayIfUnknown(ctx, s, string(c.Location), p.Stderr)
		}
		return err
	})
}

// sayIfUnknown warns of a location that may be misspelt: it is registered with
// its first event.
func sayIfUnknown(ctx context.Context, s *models.Store, location string, to io.Writer) error {
	_, err := s.Locations.Get(ctx, models.AllLocations(), location)
	if errors.Is(err, models.ErrNotFound) {
		_, err = fmt.Fprintf(to, "sitehooks: the location %s does not exist yet; its first event creates it\n", location)
	}
	return err
}
