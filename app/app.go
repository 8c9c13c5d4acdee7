// Package app puts the parts together, one file a command, and starts and stops
// them. It promises one clear line for any error that stops a command. Only
// main knows it.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/sitehooks/sitehooks/config"
	"github.com/sitehooks/sitehooks/jobs/wire"
)

// Process has the resources that a command gets from the operating system.
type Process struct {
	Environ        []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

const about = "Sitehooks: an admin console and dispatcher for a site's webhooks.\n\n" +
	"Environment variables are described in README.md."

// commands are the commands of the program, each in a file of its own.
type commands struct {
	ShowVersion kong.VersionFlag `name:"version" short:"v" hidden:""`

	Serve       serveCommand       `cmd:"" default:"1" help:"Run the console and the jobs, on SQLite in ./data unless DATABASE_URL is set. This is the default command."`
	Demo        demoCommand        `cmd:"" help:"Run the quick start: samples, a receiver and a simulated site."`
	Migrate     migrateCommand     `cmd:"" help:"Bring the schema of the database at DATABASE_URL, or in ./data, up to date. serve does this too."`
	Admin       adminCommand       `cmd:"" help:"Manage administrators."`
	Token       tokenCommand       `cmd:"" help:"Manage API tokens."`
	Replay      replayCommand      `cmd:"" help:"Post recorded activity."`
	Follow      followCommand      `cmd:"" help:"Report the activity of another system as it happens."`
	Export      exportCommand      `cmd:"" help:"Print the configuration of a running instance as YAML, without secrets."`
	Apply       applyCommand       `cmd:"" help:"Make a running instance as a file of sitehooks export says."`
	Receive     receiveCommand     `cmd:"" help:"Run a test receiver that prints each request and whether its signature verifies."`
	Backup      backupCommand      `cmd:"" help:"Copy the SQLite database to a file, also while an instance runs."`
	Rekey       rekeyCommand       `cmd:"" help:"Reseal all secrets with the first key of SITEHOOKS_SECRET_KEY."`
	ID          idCommand          `cmd:"" name:"id" help:"Print the id by which notifications name this installation in Sitehooks-Via."`
	Healthcheck healthcheckCommand `cmd:"" help:"Exit 0 when the instance with the same environment is ready."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
	JQ          jqCommand          `cmd:"" name:"jq" hidden:"" help:"Run the jq programs of a running instance, which starts this command itself."`
}

// Run runs the command that the arguments name, until it is done or ctx ends.
func Run(ctx context.Context, args []string, p Process) error {
	wire.Version = Version()
	answered := false
	parser, err := kong.New(&commands{}, kong.Name("sitehooks"), kong.Description(about),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Vars{"version": Version(), "instance": p.instanceURL()},
		// The arguments of a command's Run.
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(p),
		kong.BindToProvider(func() (config.Config, error) { return config.Load(p.Environ) }),
		// --help and --version print and then call Exit.
		kong.Writers(p.Stdout, p.Stderr), kong.Exit(func(int) { answered = true }))
	if err != nil {
		return err
	}
	request, err := parser.Parse(args)
	switch {
	case answered:
		return nil
	case err != nil:
		return usageFault(err)
	}
	return request.Run()
}

// plainer are words of the parser's, and ours in their place.
var (
	plainer = strings.NewReplacer(`expected string value`, `expected a value`, `expected value value`, `expected a value`, ` but got "EOL" (<EOL>)`, ``)
	// plainerCommand is for where a command should have come.
	plainerCommand = strings.NewReplacer("unexpected argument", "unknown command", "unknown flag", "no command before the flag")
)

// usageFault describes a fault of the arguments, and points to the help.
func usageFault(err error) error {
	var fault *kong.ParseError
	if !errors.As(err, &fault) {
		return err
	}
	text, node := plainer.Replace(fault.Error()), fault.Context.Selected()
	if node == nil {
		node = fault.Context.Model.Node
	}
	if len(node.Children) > 0 {
		text = plainerCommand.Replace(text)
	}
	return fmt.Errorf("%s (see %s --help)", text, node.FullPath())
}

func (p Process) getenv(name string) string {
	for _, entry := range p.Environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

func newLog(c config.Config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// oneLine shortens an error to one line for the operator.
func oneLine(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}
