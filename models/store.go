// Package models keeps Sitehooks' records and answers questions about them. It
// is the only place that speaks SQL, and speaks it to PostgreSQL and SQLite
// alike. It knows nothing of HTTP, of wire formats or of schedules.
package models

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/sitehooks/sitehooks/models/secret"
)

// Options say where the records are.
type Options struct {
	// DatabaseURL is a PostgreSQL URL; empty: SQLite in DataDir.
	DatabaseURL string
	// DataDir is the folder of the SQLite file; it must exist.
	DataDir string
	// NeedsFeature tells of a type whether it sends only while
	// Webhooks.EnableGenericWebhooks is on; nil: every type does.
	NeedsFeature func(webhookType string) bool
	Box          *secret.Box
	Log          *slog.Logger // nil: nothing is logged
	// MemoryShare is how much of the bytes of deliveries that are read at once
	// fits into memory, up to 1; 0: all of them.
	MemoryShare float64
	// Clock replaces the database's clock in tests; nil: the real one.
	Clock func() time.Time
	// Trace is called with gorm's statements in tests; nil: it is not.
	Trace func(statement string, args []any)
}

// Store is an open database, one field a noun.
type Store struct {
	Users      *Users
	Sessions   *Sessions
	Tokens     *Tokens
	Locations  *Locations
	Settings   *SettingsStore
	Webhooks   *Webhooks
	Events     *Events
	Deliveries *Deliveries
	Lanes      *Lanes
	Audit      *Audit
	Instances  *Instances

	// Finished is called for dropped deliveries, by type of webhook, once that
	// is stored; nil: it is not. Set it before the store is used.
	Finished func(webhookType, state string, n int64)

	db    *gorm.DB
	sqlDB *sql.DB
	pool  *pgxpool.Pool // nil with SQLite
	// pooled says that a pooler in transaction mode is in front of PostgreSQL.
	// Transactions then begin with the statement in limits.
	pooled bool
	limits string
	// patient are a few connections to PostgreSQL more, without limits of time,
	// and long is gorm's way to them.
	patient   *pgxpool.Pool
	patientDB *sql.DB
	long      *gorm.DB
	// answerWithin is how long PostgreSQL may take for a question of the start.
	answerWithin time.Duration
	box          *secret.Box
	clock        func() time.Time
	needs        func(webhookType string) bool
	// With SQLite, transactions have one connection, which therefore knows the
	// pages that it wrote last, and writing is whose turn it is; nil: with
	// PostgreSQL.
	writer   *gorm.DB
	writerDB *sql.DB
	writing  chan struct{}
	file     *sqliteFile // nil with PostgreSQL
	ability  *ability
	doubt    chan struct{}
}

// Open connects, brings the schema up to date and checks the sealing key.
// Errors are sentences for the operator.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{ability: &ability{}, doubt: make(chan struct{}, 1), box: o.Box, clock: o.Clock, needs: o.NeedsFeature}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var err error
	if o.DatabaseURL != "" {
		err = s.openPostgres(ctx, o)
	} else {
		err = s.openSQLite(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	for _, db := range []*gorm.DB{s.db, s.writer, s.long} {
		if err := traced(db, o.Trace); err != nil {
			return nil, err
		}
	}
	s.Users, s.Sessions, s.Tokens = &Users{s}, &Sessions{s}, &Tokens{s}
	s.Locations, s.Settings = newLocations(s), &SettingsStore{s}
	s.Webhooks, s.Events, s.Deliveries = &Webhooks{s: s}, newEvents(s), &Deliveries{s}
	s.Lanes, s.Audit, s.Instances = newLanes(s, cmp.Or(o.MemoryShare, 1)), &Audit{s}, &Instances{s}
	if err := s.prepare(ctx, o); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context, o Options) error {
	if err := s.migrate(ctx, o.Log); err != nil {
		return fmt.Errorf("bring the schema up to date: %w", err)
	}
	if s.patient != nil {
		s.patient.Reset() // the role may have few connections
	}
	if err := s.checkKey(ctx); err != nil || o.DatabaseURL != "" {
		return err
	}
	var err error
	s.file, err = openedFile(filepath.Join(o.DataDir, SQLiteFile))
	return err
}

// Close closes the database. A file that was removed is left as it is: closing
// it would remove its log too, by which the next start knows.
func (s *Store) Close() {
	if s.file != nil && s.file.check() != nil {
		return
	}
	_ = s.sqlDB.Close()
	if s.writerDB != nil {
		_ = s.writerDB.Close()
	}
	if s.pool != nil {
		s.pool.Close()
		_ = s.patientDB.Close()
		s.closePatient()
	}
}

// Postgres is the pool when the database is PostgreSQL, otherwise nil.
func (s *Store) Postgres() *pgxpool.Pool { return s.pool }

// Connections is how many questions the database answers at once: its pool's
// connections, or SQLite's readers.
func (s *Store) Connections() int {
	if s.pool != nil {
		return int(s.pool.Config().MaxConns)
	}
	return sqliteReaders
}

// Pooled tells that a pooler in transaction mode stands before PostgreSQL, so
// that connections cannot listen for notifications.
func (s *Store) Pooled() bool { return s.pooled }

// SQLite is the handle when the database is SQLite, otherwise nil.
func (s *Store) SQLite() *sql.DB {
	if s.pool != nil {
		return nil
	}
	return s.sqlDB
}

// SQLiteWriter is the handle for frequent writes, with one connection, when the
// database is SQLite, otherwise nil.
func (s *Store) SQLiteWriter() *sql.DB { return s.writerDB }

// Now is the clock that decides: the database's, and with SQLite this
// process's. Its precision is a microsecond, in UTC.
func (s *Store) Now(ctx context.Context) (time.Time, error) { return s.now(s.db.WithContext(ctx)) }

func (s *Store) now(tx *gorm.DB) (time.Time, error) {
	if s.clock != nil || s.pool == nil {
		return s.read(time.Time{}), nil
	}
	var t time.Time
	err := tx.Raw("select clock_timestamp()").Scan(&t).Error
	return t.UTC(), err
}

// clockColumn adds the clock to the columns of a statement, as now, if it is
// the database's; read then returns the time.
func (s *Store) clockColumn() string {
	if s.clock != nil || s.pool == nil {
		return ""
	}
	return ", clock_timestamp() as now"
}

// read is the time that came as clockColumn's; zero: it is told here.
func (s *Store) read(now time.Time) time.Time {
	switch {
	case !now.IsZero():
	case s.clock != nil:
		now = s.clock()
	default:
		now = time.Now()
	}
	return now.UTC().Truncate(time.Microsecond)
}

// lock is added to a select that must keep its rows until the transaction
// ends. SQLite needs none: its transactions write one after the other.
func (s *Store) lock() string {
	if s.pool == nil {
		return ""
	}
	return " for update"
}

// tx runs work in one transaction, and again when PostgreSQL ended it for a
// deadlock; work therefore sets its results anew each time. SQLite allows one
// writer at a time, and waiting ones only retry now and then, so transactions
// take turns in order of arrival.
func (s *Store) tx(ctx context.Context, work func(tx *gorm.DB) error) error {
	db := s.db
	if s.writing != nil {
		select {
		case s.writing <- struct{}{}:
			defer func() { <-s.writing }()
		case <-ctx.Done():
			return ctx.Err()
		}
		db = s.writer
	}
	err := again(db.WithContext(ctx), func(tx *gorm.DB) error {
		if s.pooled {
			if err := tx.Exec(s.limits).Error; err != nil {
				return err
			}
		}
		return work(tx)
	})
	if err == nil && s.file != nil {
		err = s.file.check() // before anything relies on the commit
	}
	return s.noting(err)
}

// again runs work in a transaction until PostgreSQL ends it for another cause
// than a deadlock, or five times.
func again(db *gorm.DB, work func(tx *gorm.DB) error) (err error) {
	for range 5 {
		if err = db.Transaction(work); !isDeadlock(err) {
			break
		}
	}
	return err
}

// txLong is tx for work that changes many rows in one statement.
func (s *Store) txLong(ctx context.Context, work func(tx *gorm.DB) error) error {
	if s.pool == nil {
		return s.tx(ctx, work)
	}
	ctx, cancel := context.WithTimeout(ctx, longWithin)
	defer cancel()
	return s.noting(again(s.long.WithContext(ctx), func(tx *gorm.DB) error {
		if err := tx.Exec("set local lock_timeout = '8s'; set local idle_in_transaction_session_timeout = '12s'").Error; err != nil {
			return err
		}
		return work(tx)
	}))
}

// readThenWrite is tx for work that reads much before it writes. On SQLite,
// where a transaction blocks all other writes, it reads before the transaction;
// write therefore checks whether the rows are unchanged. Write is not called
// when there is nothing to write.
func (s *Store) readThenWrite(ctx context.Context, read func(db *gorm.DB) (worth bool, err error), write func(tx *gorm.DB) error) error {
	if s.writing != nil {
		if worth, err := read(s.db.WithContext(ctx)); err != nil || !worth {
			return err
		}
		return s.tx(ctx, write)
	}
	return s.tx(ctx, func(tx *gorm.DB) error { return readAndWrite(tx, read, write) })
}

func readAndWrite(tx *gorm.DB, read func(db *gorm.DB) (worth bool, err error), write func(tx *gorm.DB) error) error {
	if worth, err := read(tx); err != nil || !worth {
		return err
	}
	return write(tx)
}

func (s *Store) needsFeature(webhookType string) bool { return s.needs == nil || s.needs(webhookType) }

// share is added to a select whose rows must not change until the transaction
// ends.
func (s *Store) share() string {
	if s.pool == nil {
		return ""
	}
	return " for share"
}

func found(tx *gorm.DB) error {
	if errors.Is(tx.Error, gorm.ErrRecordNotFound) {
		return ErrNotFound
	}
	return tx.Error
}

func gormConfig() *gorm.Config {
	return &gorm.Config{
		Logger:                 logger.Discard, // errors are returned and logged once, above
		SkipDefaultTransaction: true,
		NowFunc:                func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) },
	}
}
