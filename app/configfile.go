package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/sitehooks/sitehooks/app/client"
	"github.com/sitehooks/sitehooks/app/configfile"
)

// apiFlags are those of commands that work through the management API.
type apiFlags struct {
	URL   webAddress `name:"url" default:"${instance}" placeholder:"URL" help:"The URL of the running instance. Default: the one that listens at SITEHOOKS_ADDR, ${default}."`
	Token string     `placeholder:"TOKEN" help:"A token with the scope manage, or @FILE to read it from a file."`
}

type exportCommand struct {
	apiFlags   `embed:""`
	AssignKeys bool `help:"First give every webhook without a key one that is made of its name."`
}

type applyCommand struct {
	File     string `arg:"" help:"The file, or - for the standard input."`
	apiFlags `embed:""`
	DryRun   bool   `help:"Only show what would change; exit 2 if something would."`
	Prune    bool   `help:"Also remove the webhooks with a key, and the sources, that the file lacks."`
	Reason   string `placeholder:"TEXT" help:"Why, for the history of the site settings. Required without --dry-run."`
}

// Help describes the command in detail.
func (exportCommand) Help() string {
	return "Prints settings, locations, sources and the webhooks that have a key; the others are named on the standard error. " +
		"Secrets, secret URLs and values of headers are printed as ${NAME}."
}

// Help describes the command in detail.
func (applyCommand) Help() string {
	return "Shows the differences and changes only what differs; applied again, there is nothing to do. Each ${NAME} in a URL, a secret or the value of a header is filled from the environment. " +
		"Changes made elsewhere in the meantime are not overwritten. Exit codes: 0 applied or nothing to do, 1 refused, 2 --dry-run found changes."
}

func (f apiFlags) options(p Process) (configfile.Options, error) {
	token := f.Token
	if name, isFile := strings.CutPrefix(token, "@"); isFile {
		text, err := os.ReadFile(name)
		if err != nil {
			return configfile.Options{}, fmt.Errorf("--token: %w", err)
		}
		token = strings.TrimSpace(string(text))
	}
	if token == "" {
		return configfile.Options{}, errors.New("--token: a token with the scope manage is needed; create one with sitehooks token create --name deploy --scope manage")
	}
	return configfile.Options{Client: &client.Client{Base: string(f.URL), Token: token}, Out: p.Stdout, Err: p.Stderr}, nil
}

// Run prints the configuration.
func (c exportCommand) Run(ctx context.Context, p Process) error {
	o, err := c.options(p)
	if err != nil {
		return err
	}
	return configfile.Export(ctx, o, c.AssignKeys)
}

// Run applies the file.
func (c applyCommand) Run(ctx context.Context, p Process) error {
	if strings.TrimSpace(c.Reason) == "" && !c.DryRun {
		return errors.New("--reason: give a reason, such as --reason \"Release 42\"")
	}
	o, err := c.options(p)
	if err != nil {
		return err
	}
	w := configfile.Wanted{Getenv: p.getenv, DryRun: c.DryRun, Prune: c.Prune, Reason: c.Reason}
	if w.File, err = c.read(p); err != nil {
		return err
	}
	return configfile.Apply(ctx, o, w)
}

// read reads the file.
func (c applyCommand) read(p Process) ([]byte, error) {
	if c.File == "-" {
		return configfile.Read(p.Stdin)
	}
	file, err := os.Open(c.File)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return configfile.Read(file)
}

// ExitCode is the exit code for the error of a command.
func ExitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, configfile.ErrChanges):
		return 2
	default:
		return 1
	}
}
