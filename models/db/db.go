// Package db opens PostgreSQL or SQLite and runs statements and transactions
// there. It hides what differs between the two: postgres.go and sqlite.go hold
// every difference. It knows no record.
package db

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Options say where the database is.
type Options struct {
	// URL is a PostgreSQL URL; empty: SQLite in Dir.
	URL string
	// Dir is the folder of the SQLite file; it must exist.
	Dir string
	// Migrations has a folder for each database: postgres and sqlite.
	Migrations fs.FS
	Log        *slog.Logger
	// Clock replaces the database's clock in tests; nil: the real one.
	Clock func() time.Time
	// Trace is called with gorm's statements in tests; nil: it is not.
	Trace func(statement string, args []any)
}

// DB is an open database.
type DB struct {
	dialect
	clock   func() time.Time
	ability ability
	doubt   chan struct{}
}

// Open connects and brings the schema up to date. Errors are sentences for the
// operator.
func Open(ctx context.Context, o Options) (*DB, error) {
	var opened dialect
	var err error
	if o.URL != "" {
		opened, err = openPostgres(ctx, o.URL)
	} else {
		opened, err = openSQLite(ctx, o.Dir)
	}
	if err != nil {
		return nil, err
	}
	d := &DB{dialect: opened, clock: o.Clock, doubt: make(chan struct{}, 1)}
	for _, db := range d.handles() {
		if err := traced(db, o.Trace); err != nil {
			d.Close()
			return nil, err
		}
	}
	if err := d.migrate(ctx, o.Migrations, o.Log); err != nil {
		d.Close()
		return nil, fmt.Errorf("bring the schema up to date: %w", err)
	}
	return d, nil
}

// WithContext is for statements outside a transaction.
func (d *DB) WithContext(ctx context.Context) *gorm.DB { return d.reader().WithContext(ctx) }

// Tx runs work in one transaction, and again when PostgreSQL ended it for a
// deadlock; work therefore sets its results anew each time. On SQLite the
// transactions take turns in order of arrival.
func (d *DB) Tx(ctx context.Context, work func(tx *gorm.DB) error) error {
	return d.noting(d.transaction(ctx, work))
}

// TxLong is Tx for work that changes many rows in one statement.
func (d *DB) TxLong(ctx context.Context, work func(tx *gorm.DB) error) error {
	return d.noting(d.longTransaction(ctx, work))
}

// TxBatch is Tx for the calls of a Batcher. A group does not wait long for
// another transaction's locks, because other calls wait for it.
func (d *DB) TxBatch(ctx context.Context, shared bool, work func(tx *gorm.DB) error) error {
	return d.Tx(ctx, func(tx *gorm.DB) error {
		if shared {
			if err := d.lockBriefly(tx); err != nil {
				return err
			}
		}
		return work(tx)
	})
}

// AlongIndex runs a query that reads the first few of many rows in the order of
// an index. PostgreSQL, which believes that few are there, would otherwise read
// and sort all of them.
func (d *DB) AlongIndex(ctx context.Context, query func(tx *gorm.DB) error) error {
	return d.noting(d.alongIndex(ctx, query))
}

func gormConfig() *gorm.Config {
	return &gorm.Config{
		Logger:                 logger.Discard, // errors are returned and logged once, above
		SkipDefaultTransaction: true,
		NowFunc:                func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) },
	}
}
