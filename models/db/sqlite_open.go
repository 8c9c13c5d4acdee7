package db

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
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
	if err := MakeFile(path); err != nil {
		return nil, fmt.Errorf("SITEHOOKS_DATA_DIR: %w", err)
	}
	l := &sqliteDB{path: path, busy: make(chan struct{}, 1)}
	q := url.Values{
		"_txlock":              {"immediate"},
		"_pragma":              {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "wal_autocheckpoint(4000)"},
		"_inttotime":           {"1"},
		"_time_integer_format": {"unix_micro"},
	}
	var err error
	if l.sqlDB, l.gorm, err = openSQLiteWith(ctx, fileURI(path, q), sqliteReaders); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	q.Add("_pragma", "temp_store(MEMORY)")
	if l.writerDB, l.writer, err = openSQLiteWith(ctx, fileURI(path, q), 1); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return l, nil
}

// fileURI names a file to SQLite. A path with the letter of a drive begins with
// a slash there.
func fileURI(path string, options url.Values) string {
	path = filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		path = "/" + path
	}
	uri := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: options.Encode()}
	return uri.String()
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
