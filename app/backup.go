package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/sitehooks/sitehooks/config"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/secret"
)

type backupCommand struct {
	File string `arg:"" help:"The file to write, which must not exist yet."`
}

// Run copies the SQLite database, also while an instance works with it, and
// says which key belongs to the copy.
func (b backupCommand) Run(ctx context.Context, c config.Config, p Process) error {
	if c.DatabaseURL != "" {
		return errors.New(`backup copies an SQLite database, and DATABASE_URL names PostgreSQL: use pg_dump --format=custom --file=FILE "$DATABASE_URL", and keep SITEHOOKS_SECRET_KEY apart from the file`)
	}
	made, err := models.BackUp(ctx, c.DataDir, b.File)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("<file>: %s exists already; choose another name", b.File)
	}
	if err != nil {
		return oneLine(err)
	}
	_, err = fmt.Fprintf(p.Stdout, "Copied the database to %s (%s).\nIts secrets are sealed with the %s. Keep a copy of the key apart from this file: without it the secrets cannot be read.\n",
		b.File, humanize.IBytes(uint64(made.Bytes)), whereKeys(c, made.Keys)) //nolint:gosec // a size
	return err
}

// whereKeys names keys by their ids, each with the place where it is.
func whereKeys(c config.Config, ids []string) string {
	keys, where := c.SecretKeys, "SITEHOOKS_SECRET_KEY"
	if len(keys) == 0 {
		where = filepath.Join(c.DataDir, keyFile)
		if key, err := readKey(where); err == nil {
			keys = [][]byte{key}
		}
	}
	var known []string
	if box, err := secret.NewBox(keys...); err == nil {
		known = box.IDs()
	}
	named := make([]string, len(ids))
	for i, id := range ids {
		named[i] = "key " + id + " (in " + where + ")"
		if !slices.Contains(known, id) {
			named[i] = "key " + id + " (which this command was not given)"
		}
	}
	return strings.Join(named, " and the ")
}
