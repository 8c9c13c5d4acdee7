package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/libtnb/sqlite"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	driver "modernc.org/sqlite"
)

// SQLiteFile is the name of the database file in the data folder.
const SQLiteFile = "sitehooks.db"

func gormConfig() *gorm.Config {
	return &gorm.Config{
		Logger:                 logger.Discard, // errors are returned and logged once, above
		SkipDefaultTransaction: true,
		NowFunc:                func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) },
	}
}

// sessionLimits let the server notice within a quarter of a minute that an
// instance is gone with its machine, and free what it had locked: no other can
// dispatch before. One that stands still in a transaction loses it. Compiling
// a statement takes longer than any of ours should run.
const sessionLimits = "set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 3; set tcp_keepalives_count = 3; " +
	"set idle_in_transaction_session_timeout = '60s'; set jit = off"

func (s *Store) openPostgres(ctx context.Context, o Options) error {
	cfg, err := pgxpool.ParseConfig(o.DatabaseURL)
	if err != nil {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	if cfg.MaxConns < 20 {
		cfg.MaxConns = 20
	}
	cfg.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		c.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID,
			Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		_, err := c.Exec(ctx, sessionLimits)
		return err
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	if err := s.pool.Ping(ctx); err != nil {
		s.pool.Close()
		at := cfg.ConnConfig.Host + ":" + strconv.Itoa(int(cfg.ConnConfig.Port))
		return fmt.Errorf("DATABASE_URL: the database at %s does not let us in: %w; for example DATABASE_URL=postgres://sitehooks:password@db.internal:5432/sitehooks", at, lastCause(err))
	}
	s.sqlDB = stdlib.OpenDBFromPool(s.pool)
	s.sqlDB.SetMaxIdleConns(0) // the pool keeps them
	s.db, err = gorm.Open(postgres.New(postgres.Config{Conn: s.sqlDB}), gormConfig())
	return err
}

// lastCause is what the server or the system said, without the addresses that
// every layer repeats.
func lastCause(err error) error {
	if said, is := errors.AsType[*pgconn.PgError](err); is {
		return errors.New(said.Message)
	}
	if system, is := errors.AsType[syscall.Errno](err); is {
		return system
	}
	return err
}

// SQLite runs with FULL because in WAL mode NORMAL can lose committed
// transactions at a power loss, and with immediate transactions because one
// that reads first and writes later fails when another wrote meanwhile. Times
// are microseconds since 1970. The connection that writes keeps its statements'
// journals in memory, where they cost less; the others sort in files, since an
// index of a large table is sorted there.
func (s *Store) openSQLite(ctx context.Context, o Options) error {
	path := filepath.Join(o.DataDir, SQLiteFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("SITEHOOKS_DATA_DIR: %w", err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	q := url.Values{
		"_txlock":              {"immediate"},
		"_pragma":              {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "wal_autocheckpoint(4000)"},
		"_inttotime":           {"1"},
		"_time_integer_format": {"unix_micro"},
	}
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}
	if s.sqlDB, s.db, err = openSQLiteWith(ctx, dsn.String(), sqliteReaders); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	s.writing = make(chan struct{}, 1)
	q.Add("_pragma", "temp_store(MEMORY)")
	dsn.RawQuery = q.Encode()
	if s.writerDB, s.writer, err = openSQLiteWith(ctx, dsn.String(), 1); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return nil
}

const sqliteReaders = 4

func openSQLiteWith(ctx context.Context, dsn string, connections int) (*sql.DB, *gorm.DB, error) {
	connector, err := driver.NewConnector(dsn)
	if err != nil {
		return nil, nil, err
	}
	db := sql.OpenDB(statements{connector})
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	if err := db.PingContext(ctx); err != nil {
		return db, nil, err
	}
	g, err := gorm.Open(sqlite.New(sqlite.Config{Conn: db}), gormConfig())
	return db, g, err
}

// Target is a host and port of the database server.
type Target struct {
	Host string
	Port uint16
}

// PostgresTargets returns the hosts that a DATABASE_URL names; sockets are
// left out.
func PostgresTargets(databaseURL string) []Target {
	cfg, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return nil
	}
	var targets []Target
	add := func(host string, port uint16) {
		t := Target{host, port}
		if !filepath.IsAbs(host) && !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	add(cfg.Host, cfg.Port)
	for _, f := range cfg.Fallbacks {
		add(f.Host, f.Port)
	}
	return targets
}
