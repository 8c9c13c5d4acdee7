package db

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// MakeFile creates an empty file in the data folder, readable by its owner
// alone. A file that is there already must be one that can be written to.
func MakeFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		if f, err = os.OpenFile(path, os.O_RDWR, 0); err == nil {
			err = f.Close()
		}
		return err
	}
	if err != nil {
		return err
	}
	return errors.Join(GiveToFolder(f), f.Close())
}

// GiveToFolder gives a new file to the owner of its folder. It matters for
// commands that root runs beside a service with a user of its own: the service
// could not open a file of root's. SQLite does the same with its log.
func GiveToFolder(f *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	folder, err := os.Stat(filepath.Dir(f.Name()))
	if err != nil {
		return err
	}
	if uid, gid, known := ownerOf(folder); known {
		return f.Chown(uid, gid)
	}
	return nil
}
