package db

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/libtnb/sqlite"
	"gorm.io/gorm"
	driver "modernc.org/sqlite"
)

// SQLiteFile is the name of the database file in the data folder.
const SQLiteFile = "sitehooks.db"

// openSQLite opens the file with FULL because in WAL mode NORMAL can lose
// committed transactions at a power loss, and with immediate transactions
// because one that reads first and writes later fails when another wrote
// meanwhile. Times are microseconds since 1970. The connection that writes keeps
// its statements' journals in memory, where they cost less; the others sort in
// files, since an index of a large table is sorted there.
func openSQLite(ctx context.Context, dir string) (*sqliteDB, error) {
	path := filepath.Join(dir, SQLiteFile)
	if err := refuseOrphan(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("SITEHOOKS_DATA_DIR: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	l := &sqliteDB{path: path, busy: make(chan struct{}, 1)}
	q := url.Values{
		"_txlock":              {"immediate"},
		"_pragma":              {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "wal_autocheckpoint(4000)"},
		"_inttotime":           {"1"},
		"_time_integer_format": {"unix_micro"},
	}
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}
	if l.sqlDB, l.gorm, err = openSQLiteWith(ctx, dsn.String(), sqliteReaders); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	q.Add("_pragma", "temp_store(MEMORY)")
	dsn.RawQuery = q.Encode()
	if l.writerDB, l.writer, err = openSQLiteWith(ctx, dsn.String(), 1); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return l, nil
}

func openSQLiteWith(ctx context.Context, dsn string, connections int) (*sql.DB, *gorm.DB, error) {
	connector, err := driver.NewConnector(dsn)
	if err != nil {
		return nil, nil, err
	}
	db := sql.OpenDB(stmtCache{connector})
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	if err := db.PingContext(ctx); err != nil {
		return db, nil, err
	}
	g, err := gorm.Open(sqlite.New(sqlite.Config{Conn: db}), gormConfig())
	return db, g, err
}
