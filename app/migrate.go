package app

import (
	"context"
	"fmt"

	"github.com/sitehooks/sitehooks/config"
)

type migrateCommand struct{}

// Run brings the schema up to date.
func (migrateCommand) Run(ctx context.Context, c config.Config, p Process) error {
	store, _, err := openStore(ctx, c, newLog(c, p.Stderr), 1)
	if err != nil {
		return err
	}
	store.Close()
	_, err = fmt.Fprintln(p.Stdout, "The schema is up to date.")
	return err
}
