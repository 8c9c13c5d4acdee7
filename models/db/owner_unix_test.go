//go:build unix

package db_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sitehooks/sitehooks/models/db"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestFilesThatRootMakesBelongToTheService, which is the owner of the folder and could
// not open a file of root's.
func TestFilesThatRootMakesBelongToTheService(t *testing.T) {
	modelstest.OnlyRoot(t, "a file that is given away")
	const service = 12345
	folder := t.TempDir()
	ok(t, os.Chown(folder, service, service+1))
	made := filepath.Join(folder, "made")
	ok(t, db.MakeFile(made))
	given, err := os.Create(filepath.Join(folder, "given"))
	ok(t, err)
	ok(t, db.GiveToFolder(given))
	ok(t, given.Close())
	for _, path := range []string{made, given.Name()} {
		info, err := os.Stat(path)
		ok(t, err)
		at := info.Sys().(*syscall.Stat_t)
		equal(t, "owner of "+filepath.Base(path), []any{at.Uid, at.Gid}, []any{service, service + 1})
	}
	info, err := os.Stat(made)
	ok(t, err)
	equal(t, "mode", info.Mode(), fs.FileMode(0o600))
}
