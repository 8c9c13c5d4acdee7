package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	driver "modernc.org/sqlite"
)

// CopySQLite writes a consistent copy of the database in a data folder to a new
// file, which only its owner may read, and calls read with the copy before it
// is complete. Other processes may work with the database meanwhile: the copy
// is as the database was at one moment. Without success no file is left. It
// changes nothing in the database, whatever the version of its schema is.
func CopySQLite(ctx context.Context, dir, to string, read func(*sql.DB) error) (err error) {
	path := filepath.Join(dir, SQLiteFile)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("there is no database in the folder %s: %w", dir, errors.Unwrap(err))
	}
	if to, err = filepath.Abs(to); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(to)
		}
	}()
	if err := onSQLite(path, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, "vacuum into ?", to)
		return err
	}); err != nil {
		return err
	}
	if err := onSQLite(to, read); err != nil {
		return err
	}
	return f.Sync()
}

// onSQLite opens a database file that is there, for a short use.
func onSQLite(path string, use func(*sql.DB) error) error {
	connector, err := driver.NewConnector(fileURI(path, url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(10000)"}}))
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	return errors.Join(use(db), db.Close())
}
