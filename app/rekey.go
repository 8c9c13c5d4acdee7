package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/sitehooks/sitehooks/config"
)

type rekeyCommand struct{}

// Run seals all secrets anew with the first key.
func (rekeyCommand) Run(ctx context.Context, c config.Config, p Process) error {
	if len(c.SecretKeys) < 2 {
		return errors.New("there is only one key; set SITEHOOKS_SECRET_KEY=new,old")
	}
	store, _, err := openStore(ctx, c, newLog(c, p.Stderr), 1)
	if err != nil {
		return err
	}
	defer store.Close()
	n, err := store.Rekey(ctx)
	if err != nil {
		return err
	}
	next := "Once every instance runs with this key, you can remove the others."
	if c.DatabaseURL == "" {
		replaced, err := replaceKey(c.DataDir, c.SecretKeys[0])
		if err != nil {
			return err
		}
		if replaced {
			next = "It is in " + keyFile + " now, so SITEHOOKS_SECRET_KEY need not be set."
		}
	}
	webhooks := "webhooks"
	if n == 1 {
		webhooks = "webhook"
	}
	_, err = fmt.Fprintf(p.Stdout, "Resealed %d %s with the first key. %s\n", n, webhooks, next)
	if err == nil {
		_, err = fmt.Fprintln(p.Stdout, "Instances running without the first key can no longer send. Start every instance with both keys before you run this command.")
	}
	return err
}
