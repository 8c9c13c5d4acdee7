package modelstest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

// migrated holds the SQLite file that every test of this process starts from,
// and why there is none.
var migrated struct {
	once sync.Once
	file []byte
	err  error
}

// copySQLite puts a file with the newest schema into the test's folder, since
// the migrations take far longer than copying their result.
func copySQLite(t testing.TB, o models.Options) {
	t.Helper()
	migrated.once.Do(func() { migrated.file, migrated.err = migrateSQLite(o) })
	if migrated.err != nil {
		t.Fatalf("prepare the SQLite file: %v", migrated.err)
	}
	if err := os.WriteFile(filepath.Join(o.DataDir, models.SQLiteFile), migrated.file, 0o600); err != nil {
		t.Fatal(err)
	}
}

// migrateSQLite returns a file that has the schema and no rows: those that a
// new database needs are made by the first Open, with the test's own clock and
// key.
func migrateSQLite(o models.Options) ([]byte, error) {
	dir, err := os.MkdirTemp("", "sitehooks-sqlite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	o.DataDir = dir
	s, err := models.Open(context.Background(), o)
	if err != nil {
		return nil, err
	}
	_, err = s.SQLite().ExecContext(context.Background(),
		"delete from installations; delete from dispatch_runs; delete from match_versions; delete from locations")
	s.Close() // moves the log into the file
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, models.SQLiteFile))
}
