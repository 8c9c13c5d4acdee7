package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// migrate brings our tables and River's up to date. Of several instances that
// start at once, one does and the others wait for it.
func (p *postgresDB) migrate(ctx context.Context, migrations fs.FS, log *slog.Logger) error {
	locked, unlock, err := p.lockMigrations(ctx, log)
	if err != nil {
		return err
	}
	defer unlock()
	err = migrateOurs(locked, goose.DialectPostgres, p.patientDB, migrations, p.answered)
	if err == nil {
		err = migrateRiver(locked, riverpgxv5.New(p.patient))
	}
	if lost := context.Cause(locked); err != nil && lost != nil {
		return lost
	}
	p.patient.Reset() // the role may have few connections
	return err
}

func (l *sqliteDB) migrate(ctx context.Context, migrations fs.FS, _ *slog.Logger) error {
	ask := func(ctx context.Context, ask func(context.Context) error) error { return ask(ctx) }
	err := migrateOurs(ctx, goose.DialectSQLite3, l.sqlDB, migrations, ask)
	if err == nil {
		err = migrateRiver(ctx, riversqlite.New(l.sqlDB))
	}
	if err == nil {
		l.file, err = openedFile(l.path)
	}
	return err
}

// migrateOurs applies the migrations in the database's folder. The parameter
// answered bounds a question to the database.
func migrateOurs(ctx context.Context, dialect goose.Dialect, db *sql.DB, migrations fs.FS, answered func(context.Context, func(context.Context) error) error) error {
	folder := "postgres"
	if dialect == goose.DialectSQLite3 {
		folder = "sqlite"
	}
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, files, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	// The schema of a later release is refused: this one might write wrong data
	// there.
	var current, known int64
	err = answered(ctx, func(ctx context.Context) (err error) {
		current, known, err = p.GetVersions(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if current > known {
		return fmt.Errorf("a later release has changed it (it is at %d, and this release knows %d): "+
			"start that release, or restore the backup that was made before the upgrade", current, known)
	}
	_, err = p.Up(ctx)
	return err
}

func migrateRiver[TTx any](ctx context.Context, driver riverdriver.Driver[TTx]) error {
	m, err := rivermigrate.New(driver, nil)
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

const (
	// migrationLock is the advisory lock under which the schema is changed.
	migrationLock = 7_236_113_902
	// lockAgain is how often it is tried. Nobody waits inside a statement for
	// it, since some changes of a schema wait for all statements that run.
	lockAgain = 250 * time.Millisecond
	// lockProbe is how often the transaction that holds it shows that it is
	// alive, and finds out whether the server is: a pooler, or the server, may
	// end those that are idle.
	lockProbe = 2 * time.Second
)

// lockMigrations waits until no other instance changes the schema. The lock is
// that of a transaction which stays open meanwhile, because that holds through
// a pooler in transaction mode too. The context that it returns ends when the
// lock is lost.
func (p *postgresDB) lockMigrations(ctx context.Context, log *slog.Logger) (locked context.Context, unlock func(), err error) {
	for logged := false; ; logged = true {
		var tx pgx.Tx
		err := p.answered(ctx, func(ctx context.Context) (err error) {
			tx, err = p.tryLock(ctx)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		if tx != nil {
			locked, unlock = p.keepOpen(ctx, tx)
			return locked, unlock, nil
		}
		if !logged {
			log.InfoContext(ctx, "waiting for another instance to bring the schema up to date")
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(lockAgain):
		}
	}
}

// tryLock returns the transaction that has the lock, nil while another has it.
func (p *postgresDB) tryLock(ctx context.Context) (tx pgx.Tx, err error) {
	if tx, err = p.patient.Begin(ctx); err != nil {
		return nil, err
	}
	var locked bool
	err = tx.QueryRow(ctx, "select pg_try_advisory_xact_lock($1)", int64(migrationLock)).Scan(&locked)
	if err == nil && locked {
		return tx, nil
	}
	return nil, errors.Join(err, tx.Rollback(ctx))
}

// keepOpen keeps a transaction open until it is stopped. The context that it
// returns ends with it, or with the fault of its connection.
func (p *postgresDB) keepOpen(ctx context.Context, tx pgx.Tx) (open context.Context, end func()) {
	open, lost := context.WithCancelCause(ctx)
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ctx := context.WithoutCancel(ctx)
		// It changed nothing.
		defer func() { _ = p.answered(ctx, tx.Rollback) }()
		tick := time.NewTicker(lockProbe)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			err := p.answered(ctx, func(ctx context.Context) error {
				_, err := tx.Exec(ctx, "select 1")
				return err
			})
			if err != nil { // the end of a connection ends the lock
				lost(fmt.Errorf("the connection that has the lock was lost: %w", err))
				return
			}
		}
	}()
	return open, func() {
		close(over)
		<-ended
		lost(nil)
	}
}
