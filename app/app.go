// Package app puts the parts together, one file a command, and starts and
// stops them. It promises one clear line for whatever keeps a command from
// its work. Only main knows it.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/sitehooks/sitehooks/config"
	"github.com/sitehooks/sitehooks/jobs/wire"
)

// Process is what a command has from the operating system.
type Process struct {
	Environ        []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

const usage = `Sitehooks: an admin console and dispatcher for a site's webhooks.

  sitehooks [serve]                  console and jobs; SQLite in ./data unless DATABASE_URL is set
  sitehooks demo [--data DIR] [--addr A]
                                     the quick start: samples, a receiver and a simulated site
  sitehooks migrate                  bring the schema up to date
  sitehooks admin add EMAIL          add an administrator; the password is read from standard input
  sitehooks token create --name N --scope ingest|superoffice [--location SLUG]
                                     print a new API token, which is never shown again
  sitehooks replay stackexchange FILE [--url U] [--token T] [--location SLUG] [--site URL] [--speed N|max] [--tags a,b]
                                     post a Stack Exchange data dump's activity to a running instance
  sitehooks receive [--addr A] [--secret S]
                                     a receiver to try with: prints what arrives and whether it verifies
  sitehooks rekey                    seal all secrets anew with the first key of SITEHOOKS_SECRET_KEY
  sitehooks healthcheck              exit 0 when this instance is ready
  sitehooks version

The variables that set it up are in README.md.
`

// Run does what the arguments ask for, until it is done or ctx ends.
func Run(ctx context.Context, args []string, p Process) error {
	wire.Version = Version()
	command, rest := "serve", args
	if len(args) > 0 {
		command, rest = args[0], args[1:]
	}
	switch command {
	case "serve":
		return withConfig(p, rest, func(c config.Config) error { return serve(ctx, c, p) })
	case "demo":
		return demo(ctx, rest, p)
	case "migrate":
		return withConfig(p, rest, func(c config.Config) error { return migrate(ctx, c, p) })
	case "admin":
		return adminAdd(ctx, rest, p)
	case "token":
		return tokenCreate(ctx, rest, p)
	case "replay":
		return Replay(ctx, rest, p.getenv, p.Stdout, p.Stderr)
	case "receive":
		return receive(ctx, rest, p)
	case "rekey":
		return withConfig(p, rest, func(c config.Config) error { return rekey(ctx, c, p) })
	case "healthcheck":
		return withConfig(p, rest, func(c config.Config) error { return healthcheck(ctx, c) })
	case "version", "--version", "-v":
		_, err := fmt.Fprintln(p.Stdout, Version())
		return err
	case "help", "--help", "-h":
		_, err := io.WriteString(p.Stdout, usage)
		return err
	}
	return fmt.Errorf("unknown command %q; sitehooks help lists them", command)
}

// withConfig reads the environment for a command that takes no arguments.
func withConfig(p Process, rest []string, command func(config.Config) error) error {
	if len(rest) > 0 {
		return fmt.Errorf("unexpected argument %q; sitehooks help lists the commands", rest[0])
	}
	c, err := config.Load(p.Environ)
	if err != nil {
		return err
	}
	return command(c)
}

func (p Process) getenv(name string) string {
	for _, entry := range p.Environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// version is set at release with -ldflags "-X …/app.version=1.2.3".
var version string

// Version is the release, or what the build says of itself.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return strings.TrimPrefix(info.Main.Version, "v")
	}
	return "1.0.0-dev"
}

func newLog(c config.Config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// oneLine makes of an error what fits in one line for the operator.
func oneLine(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}
