package db_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
	"github.com/sitehooks/sitehooks/models/migrations"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestABrokenConnectionIsTheFaultOfTheDatabase, at whichever statement of a transaction
// it breaks or falls silent: those who ask are told to come again, and the next
// transaction has another connection.
func TestABrokenConnectionIsTheFaultOfTheDatabase(t *testing.T) {
	for _, at := range []string{"begin", "insert into t", "commit"} {
		for _, fault := range []string{"breaks", "is silent"} {
			t.Run(fault+" at "+at, func(t *testing.T) {
				t.Parallel()
				direct := modelstest.Options(t, "postgres").DatabaseURL
				run(t, direct, "create table t (id bigint)")
				proxy := modelstest.NewProxy(t, direct)
				d, err := start(t, with(proxy.Through(direct), "statement_timeout=1000"))
				ok(t, err)
				insert := func(tx *gorm.DB) error { return tx.Exec("insert into t (id) values (?)", 7).Error }
				stored := func() (n int64) {
					ok(t, d.Tx(t.Context(), func(tx *gorm.DB) error { return tx.Raw("select count(*) from t").Scan(&n).Error }))
					return n
				}
				hit := proxy.HangAt(at)
				if fault == "breaks" {
					go func() {
						<-hit
						proxy.Cut()
					}()
				}
				err = d.Tx(t.Context(), insert)
				if why := db.Unable(err); why != "the database cannot be reached" && (why != "the database does not answer" || fault == "breaks") {
					t.Errorf("%q, of %v", why, err)
				}
				select {
				case <-d.Doubt():
				default:
					t.Error("nobody looks whether anything can be stored")
				}
				equal(t, "able", d.Able(), nil) // one connection says nothing about the others
				equal(t, "stored", stored(), 0)
				ok(t, d.Tx(t.Context(), insert))
				equal(t, "stored at last", stored(), 1)
			})
		}
	}
}

// TestWhetherAnythingCanBeStored is what the newest probe found out. After a full disk it
// takes data that needs space; and a probe that is stopped says nothing.
func TestWhetherAnythingCanBeStored(t *testing.T) {
	o := modelstest.Options(t, "sqlite")
	d, err := db.Open(t.Context(), db.Options{Dir: o.DataDir, Migrations: migrations.FS})
	ok(t, err)
	t.Cleanup(d.Close)
	full, filled := &db.UnableError{Why: "disk full"}, 0
	works := func(context.Context) error { return nil }
	fails := func(err error) func(context.Context) error {
		return func(context.Context) error { return err }
	}
	fill := func(err error) func(context.Context) error {
		return func(context.Context) error {
			filled++
			return err
		}
	}
	for _, c := range []struct {
		what        string
		store, fill func(context.Context) error
		says        string // empty: it can
		filled      int
	}{
		{"at first", works, fill(nil), "", 0},
		{"a full disk", fails(full), fill(nil), "disk full", 0},
		{"a little fits", works, fill(full), "disk full", 1},
		{"more fits too", works, fill(nil), "", 2},
		{"another fault", fails(errors.New("constraint failed")), fill(nil), "the database refuses writes", 2},
		{"a slow one", fails(context.DeadlineExceeded), fill(nil), "the database does not answer", 2},
		{"an address that is gone", fails(&net.OpError{Op: "dial", Err: errors.New("refused")}), fill(nil), "the database cannot be reached", 2},
		{"a server that starts", fails(&pgconn.PgError{Code: "57P03"}), fill(nil), "the database server is starting or stopping", 2},
		{"a standby", fails(&pgconn.PgError{Code: "25006"}), fill(nil), "the database server is read-only", 2},
		{"it works", works, fill(nil), "", 2},
	} {
		err := d.Probe(t.Context(), c.store, c.fill)
		able := d.Able()
		for _, err := range []error{err, able} {
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.HasPrefix(err.Error(), c.says) || db.Unable(err) != c.says) {
				t.Errorf("%s: it says %v", c.what, err)
			}
		}
		equal(t, c.what+": filled", filled, c.filled)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	err = d.Probe(stopped, fails(full), fill(nil))
	if !errors.Is(err, full) || d.Able() != nil {
		t.Errorf("a probe that is stopped: %v, then %v", err, d.Able())
	}
}

// TestASQLiteFileThatIsLostIsNoticed before anybody relies on what is stored, and the next
// start does not begin an empty one in its place.
func TestASQLiteFileThatIsLostIsNoticed(t *testing.T) {
	o := modelstest.Options(t, "sqlite")
	open := func(dir string) (*db.DB, error) {
		return db.Open(t.Context(), db.Options{Dir: dir, Migrations: migrations.FS})
	}
	d, err := open(o.DataDir)
	ok(t, err)
	work := func(tx *gorm.DB) error { return tx.Exec("create table t (id bigint)").Error }
	file := filepath.Join(o.DataDir, db.SQLiteFile)
	ok(t, os.Rename(file, file+".away"))
	const lost = "database file lost: sitehooks.db was removed or replaced while it was in use"
	err = d.Tx(t.Context(), work)
	if err == nil || err.Error() != lost || db.Unable(d.Able()) != lost {
		t.Errorf("it says %v, then %v", err, d.Able())
	}
	tx, err := d.Begin(t.Context())
	ok(t, err)
	if err := tx.Commit(); err == nil || err.Error() != lost {
		t.Errorf("a commit says %v", err)
	}
	d.Close() // leaves the log
	if _, err = open(o.DataDir); err == nil || !strings.HasPrefix(err.Error(), "SITEHOOKS_DATA_DIR: "+file+" is missing, but its log "+file+"-wal is there: put the file back") {
		t.Errorf("the next start says %v", err)
	}
}

// TestAStartThatSQLiteRefusesSaysWhy, and leaves what is there as it is.
func TestAStartThatSQLiteRefusesSaysWhy(t *testing.T) {
	newer := modelstest.Options(t, "sqlite").DataDir
	d, err := db.Open(t.Context(), db.Options{Dir: newer, Migrations: migrations.FS})
	ok(t, err)
	ok(t, d.WithContext(t.Context()).Exec("insert into goose_db_version (version_id, is_applied) values (99999, 1)").Error)
	d.Close()
	foreign, folder := t.TempDir(), t.TempDir()
	ok(t, os.WriteFile(filepath.Join(foreign, db.SQLiteFile), []byte(strings.Repeat("no database ", 100)), 0o600))
	ok(t, os.Mkdir(filepath.Join(folder, db.SQLiteFile), 0o700))
	for name, c := range map[string]struct {
		dir, says string
		files     fs.FS
	}{
		"no folder":                 {filepath.Join(folder, "none"), "SITEHOOKS_DATA_DIR: ", migrations.FS},
		"a folder in place of it":   {folder, "SITEHOOKS_DATA_DIR: ", migrations.FS},
		"no database":               {foreign, "open " + filepath.Join(foreign, db.SQLiteFile) + ": file is not a database", migrations.FS},
		"a later release":           {newer, "bring the schema up to date: a later release has changed it (it is at 99999, and this release knows ", migrations.FS},
		"a migration that is wrong": {t.TempDir(), "bring the schema up to date: ", fstest.MapFS{"sqlite/00001_x.sql": {Data: []byte("-- +goose Up\ncreate tabel x;\n")}}},
		"no migrations":             {t.TempDir(), "bring the schema up to date: ", fstest.MapFS{}},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := db.Open(t.Context(), db.Options{Dir: c.dir, Migrations: c.files})
			if err == nil {
				d.Close()
				t.Fatal("it starts")
			}
			if !strings.HasPrefix(err.Error(), c.says) {
				t.Errorf("it says %v", err)
			}
		})
	}
	text, err := os.ReadFile(filepath.Join(foreign, db.SQLiteFile))
	ok(t, err)
	equal(t, "the foreign file", strings.HasPrefix(string(text), "no database no"), true)
}
