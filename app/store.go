package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"github.com/sitehooks/sitehooks/config"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/secret"
)

// keyFile is where a generated key stands in the data folder.
const keyFile = "secret.key"

// openStore opens the database that the configuration names. The caller
// closes the store. memory is as in models.Options.MemoryShare.
func openStore(ctx context.Context, c config.Config, log *slog.Logger, memory float64) (*models.Store, *secret.Box, error) {
	if c.DatabaseURL == "" {
		if err := prepareDataDir(c.DataDir); err != nil {
			return nil, nil, err
		}
	}
	keys, where := c.SecretKeys, "SITEHOOKS_SECRET_KEY"
	if len(keys) == 0 {
		where = filepath.Join(c.DataDir, keyFile)
		key, err := generatedKey(c.DataDir)
		if err != nil {
			return nil, nil, err
		}
		keys = [][]byte{key}
	}
	box, err := secret.NewBox(keys...)
	if err != nil {
		return nil, nil, err
	}
	store, err := models.Open(ctx, models.Options{
		DatabaseURL: c.DatabaseURL, DataDir: c.DataDir, Box: box, Log: log, NeedsFeature: needsFeature, MemoryShare: memory,
	})
	if errors.Is(err, secret.ErrWrongKey) {
		err = fmt.Errorf("%s: %w; use the key that it was sealed with, or both as SITEHOOKS_SECRET_KEY=new,old", where, err)
	}
	if err != nil && ctx.Err() != nil {
		err = errStopped
	}
	return store, box, oneLine(err)
}

// errStopped is the error of a start that was told to end. Failures after that
// are not reported.
var errStopped = errors.New(stoppedEarly)

const stoppedEarly = "stopped before it was ready"

func needsFeature(webhookType string) bool {
	f, ok := wire.Lookup(webhookType)
	return !ok || f.NeedsFeature
}

// prepareDataDir makes the folder and proves that it can be written to.
func prepareDataDir(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".write-test-*"); err == nil {
			_ = f.Close()
			err = os.Remove(f.Name())
		}
	}
	if err != nil {
		return fmt.Errorf("SITEHOOKS_DATA_DIR: the folder %s cannot be written to: %w; for example SITEHOOKS_DATA_DIR=/var/lib/sitehooks", dir, bare(err))
	}
	return nil
}

// bare leaves out the path that a PathError repeats.
func bare(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return path.Err
	}
	return err
}

// generatedKey reads the key of the data folder, and makes it the first time.
func generatedKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, keyFile)
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if _, err := os.Stat(filepath.Join(dir, models.SQLiteFile)); err == nil {
		return nil, fmt.Errorf("%s is missing, the key that %s was sealed with: restore it from a backup, or set SITEHOOKS_SECRET_KEY to it", path, models.SQLiteFile)
	}
	return makeKey(path)
}

// readKey reads a key's file; the error is fs.ErrNotExist if there is none.
func readKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the key in %s cannot be read: %w", path, bare(err))
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != secret.KeySize {
		return nil, fmt.Errorf("the key in %s is damaged: it must be %d bytes in base64; restore it from a backup", path, secret.KeySize)
	}
	return key, nil
}

func makeKey(path string) ([]byte, error) {
	key := make([]byte, secret.KeySize)
	_, _ = rand.Read(key) // never fails
	return storeKey(path, key)
}

// storeKey writes the new key beside its place and links it there, so that it
// is there whole or not at all, also when two start at once.
func storeKey(path string, key []byte) ([]byte, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, models.GiveToFolder(f), f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(f.Name(), path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return generatedKey(filepath.Dir(path))
		}
		return nil, err
	}
	return key, nil
}

// replaceKey puts another key in the place of the generated one, if there is
// one.
func replaceKey(dir string, key []byte) (bool, error) {
	path := filepath.Join(dir, keyFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	fresh := path + ".new"
	_ = os.Remove(fresh)
	if _, err := storeKey(fresh, key); err != nil {
		return false, err
	}
	return true, os.Rename(fresh, path)
}

// lockDataDir refuses a second serve on the same folder: an SQLite file has
// one process that works on it. The lock ends with the process.
func lockDataDir(dir string) (unlock func(), err error) {
	path := filepath.Join(dir, "serve.lock")
	if err := models.MakeFile(path); err != nil {
		return nil, err
	}
	lock := flock.New(path, flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, bare(err))
	}
	if !locked {
		return nil, fmt.Errorf("another sitehooks process is already using the folder %s; several instances need PostgreSQL (DATABASE_URL)", dir)
	}
	return func() { _ = lock.Close() }, nil
}
