package app

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/config"
	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/models"
)

// operator is the author of what is done from the command line.
var operator = models.Actor{Name: "command line"}

// withStore opens the database for a short command.
func withStore(ctx context.Context, p Process, work func(*models.Store) error) error {
	c, err := config.Load(p.Environ)
	if err != nil {
		return err
	}
	store, _, err := openStore(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer store.Close()
	return work(store)
}

func migrate(ctx context.Context, c config.Config, p Process) error {
	store, _, err := openStore(ctx, c, newLog(c, p.Stderr))
	if err != nil {
		return err
	}
	store.Close()
	_, err = fmt.Fprintln(p.Stdout, "The schema is up to date.")
	return err
}

func rekey(ctx context.Context, c config.Config, p Process) error {
	if len(c.SecretKeys) < 2 {
		return errors.New("there is only one key; set SITEHOOKS_SECRET_KEY=new,old")
	}
	store, _, err := openStore(ctx, c, newLog(c, p.Stderr))
	if err != nil {
		return err
	}
	defer store.Close()
	n, err := store.Rekey(ctx)
	if err != nil {
		return err
	}
	next := "Once every instance runs with it, the others can go."
	if c.DatabaseURL == "" {
		replaced, err := replaceKey(c.DataDir, c.SecretKeys[0])
		if err != nil {
			return err
		}
		if replaced {
			next = "It stands in " + keyFile + " now, so SITEHOOKS_SECRET_KEY need not be set."
		}
	}
	webhooks := "webhooks"
	if n == 1 {
		webhooks = "webhook"
	}
	_, err = fmt.Fprintf(p.Stdout, "Sealed %d %s anew with the first key. %s\n", n, webhooks, next)
	if err == nil {
		_, err = fmt.Fprintln(p.Stdout, "An instance that runs without the first key cannot send any more: each must have been started with both keys before.")
	}
	return err
}

func adminAdd(ctx context.Context, args []string, p Process) error {
	const how = "usage: sitehooks admin add EMAIL, with the password on standard input"
	if len(args) != 2 || args[0] != "add" {
		return errors.New(how)
	}
	address, err := mail.ParseAddress(args[1])
	if err != nil || address.Address != args[1] {
		return fmt.Errorf("EMAIL: %q is not an e-mail address; for example mary@example.com", args[1])
	}
	line, err := bufio.NewReader(io.LimitReader(p.Stdin, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	hash, err := handlers.HashPassword(strings.TrimRight(line, "\r\n"))
	if err != nil {
		return fmt.Errorf("the password on standard input: %w", err)
	}
	return withStore(ctx, p, func(s *models.Store) error {
		_, err := s.Users.Create(ctx, models.User{Email: args[1], PasswordHash: hash, Role: models.RoleAdministrator})
		if errors.Is(err, models.ErrExists) {
			return fmt.Errorf("EMAIL: %s is a member already", args[1])
		}
		if err == nil {
			_, err = fmt.Fprintf(p.Stdout, "Added the administrator %s.\n", args[1])
		}
		return err
	})
}

var slug = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

func tokenCreate(ctx context.Context, args []string, p Process) error {
	const how = "usage: sitehooks token create --name N --scope ingest|superoffice [--location SLUG]"
	if len(args) == 0 || args[0] != "create" {
		return errors.New(how)
	}
	flags := flag.NewFlagSet("token create", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	name := flags.String("name", "", "")
	scope := flags.String("scope", "", "")
	location := flags.String("location", "", "")
	if err := flags.Parse(args[1:]); err != nil || flags.NArg() > 0 {
		return errors.New(how)
	}
	switch {
	case strings.TrimSpace(*name) == "" || len(*name) > 100:
		return errors.New("--name: give the token a name of at most 100 characters, such as --name community-site")
	case *scope != models.ScopeIngest && *scope != models.ScopeSuperOffice:
		return fmt.Errorf("--scope: %q is neither ingest nor superoffice", *scope)
	case *location != "" && !slug.MatchString(*location):
		return fmt.Errorf("--location: %q is not a slug of lower-case letters, digits and hyphens, such as python-wranglers", *location)
	}
	return withStore(ctx, p, func(s *models.Store) error {
		plain, err := s.Tokens.Create(ctx, models.Token{Name: *name, Scope: *scope, Location: *location, CreatedBy: operator.Name})
		if err == nil {
			_, err = fmt.Fprintln(p.Stdout, plain)
		}
		if err == nil && *location != "" {
			err = sayIfUnknown(ctx, s, *location, p.Stderr)
		}
		return err
	})
}

// sayIfUnknown warns of a location that may be misspelt: it is registered with
// its first event.
func sayIfUnknown(ctx context.Context, s *models.Store, location string, to io.Writer) error {
	_, err := s.Locations.Get(ctx, location)
	if errors.Is(err, models.ErrNotFound) {
		_, err = fmt.Fprintf(to, "sitehooks: the location %s is not known yet; it will be with its first event\n", location)
	}
	return err
}

// ownURL is where this machine reaches an instance that listens at addr.
func ownURL(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// healthcheck asks the instance that runs with the same environment.
func healthcheck(ctx context.Context, c config.Config) error {
	base, err := ownURL(c.Addr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	why, err := io.ReadAll(io.LimitReader(resp.Body, 1000))
	if err != nil || !bytes.HasPrefix(why, []byte("not ready")) { // another server
		return fmt.Errorf("not ready: /readyz answers %s", resp.Status)
	}
	return oneLine(errors.New(string(why)))
}
