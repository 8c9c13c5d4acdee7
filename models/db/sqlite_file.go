package db

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// sqliteFile is the database file and its log as they were opened. SQLite
// continues to use removed files, and the data that it stores in them is gone
// when the process ends.
type sqliteFile struct {
	path    string
	db, log os.FileInfo
}

func walOf(path string) string { return path + "-wal" }

// openedFile is taken when both files are there.
func openedFile(path string) (*sqliteFile, error) {
	f := &sqliteFile{path: path}
	var err error
	if f.db, err = os.Stat(path); err != nil {
		return nil, err
	}
	f.log, err = os.Stat(walOf(path))
	return f, err
}

// check fails with an *UnableError when other files, or none, are in their
// place.
func (f *sqliteFile) check() error {
	for path, opened := range map[string]os.FileInfo{f.path: f.db, walOf(f.path): f.log} {
		if now, err := os.Stat(path); err != nil || !os.SameFile(now, opened) {
			return &UnableError{whyFileLost}
		}
	}
	return nil
}

// refuseOrphan fails when there is a log without its database, which was
// removed while it was in use: a new database in its place would lose accepted
// events for good.
func refuseOrphan(path string) error {
	_, err := os.Stat(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(walOf(path)); err != nil {
		return nil //nolint:nilerr // there is no log either
	}
	return fmt.Errorf("SITEHOOKS_DATA_DIR: %s is missing, but its log %s is there: put the file back, or restore a backup into an empty folder; to begin with an empty database, remove the log",
		path, walOf(path))
}
