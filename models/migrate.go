package models

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
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/migrations"
	"github.com/sitehooks/sitehooks/models/secret"
)

// migrate brings our tables and River's up to date. Of several instances that
// start at once, one does and the others wait for it.
func (s *Store) migrate(ctx context.Context, log *slog.Logger) error {
	if s.pool == nil {
		return s.migrateIn(ctx, goose.DialectSQLite3, "sqlite", s.sqlDB)
	}
	locked, unlock, err := s.lockMigrations(ctx, log)
	if err != nil {
		return err
	}
	defer unlock()
	err = s.migrateIn(locked, goose.DialectPostgres, "postgres", s.patientDB)
	if lost := context.Cause(locked); err != nil && lost != nil {
		return lost
	}
	return err
}

func (s *Store) migrateIn(ctx context.Context, dialect goose.Dialect, folder string, db *sql.DB) error {
	files, err := fs.Sub(migrations.FS, folder)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, files, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	if err := s.notNewer(ctx, p); err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return err
	}
	return s.migrateRiver(ctx)
}

// notNewer refuses the schema of a later release: this one might write wrong
// data there.
func (s *Store) notNewer(ctx context.Context, p *goose.Provider) error {
	var current, known int64
	err := s.answered(ctx, func(ctx context.Context) (err error) {
		current, known, err = p.GetVersions(ctx)
		return err
	})
	if err == nil && current > known {
		err = fmt.Errorf("a later release has changed it (it is at %d, and this release knows %d): "+
			"start that release, or restore the backup that was made before the upgrade", current, known)
	}
	return err
}

func (s *Store) migrateRiver(ctx context.Context) error {
	if s.pool == nil {
		m, err := rivermigrate.New(riversqlite.New(s.sqlDB), nil)
		if err != nil {
			return err
		}
		_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	}
	m, err := rivermigrate.New[pgx.Tx](riverpgxv5.New(s.patient), nil)
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
	// lockKept is how often the transaction that holds it shows that it is
	// alive, and finds out whether the server is: a pooler, or the server, may
	// end those that are idle.
	lockKept = 2 * time.Second
)

// lockMigrations waits until no other instance changes the schema. The lock is
// that of a transaction which stays open meanwhile, because that holds through
// a pooler in transaction mode too. The context that it returns ends when the
// lock is lost.
func (s *Store) lockMigrations(ctx context.Context, log *slog.Logger) (locked context.Context, unlock func(), err error) {
	for told := false; ; told = true {
		var tx pgx.Tx
		err := s.answered(ctx, func(ctx context.Context) (err error) {
			tx, err = s.tryLock(ctx)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		if tx != nil {
			locked, unlock = s.keepOpen(ctx, tx)
			return locked, unlock, nil
		}
		if !told {
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
func (s *Store) tryLock(ctx context.Context) (tx pgx.Tx, err error) {
	if tx, err = s.patient.Begin(ctx); err != nil {
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
func (s *Store) keepOpen(ctx context.Context, tx pgx.Tx) (open context.Context, end func()) {
	open, lost := context.WithCancelCause(ctx)
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ctx := context.WithoutCancel(ctx)
		// It changed nothing.
		defer func() { _ = s.answered(ctx, tx.Rollback) }()
		tick := time.NewTicker(lockKept)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			err := s.answered(ctx, func(ctx context.Context) error {
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

const (
	keyCheckText    = "sitehooks"
	keyCheckContext = "installation"
)

// checkKey proves that the given key is the one this database was sealed
// with, and makes the single rows that a new database needs.
func (s *Store) checkKey(ctx context.Context) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		now, err := s.now(tx)
		if err != nil {
			return err
		}
		for _, stmt := range []struct {
			sql  string
			args []any
		}{
			{
				"insert into installations (id, key_check, created_at) values (1, ?, ?) on conflict do nothing",
				[]any{s.box.Seal(keyCheckText, keyCheckContext), now},
			},
			{"insert into dispatch_runs (id, next_at) values (1, ?) on conflict do nothing", []any{now}},
			{"insert into match_versions (id, version) values (1, 1) on conflict do nothing", nil},
			{"insert into locations (slug, name, created_at) values ('main', 'Main site', ?) on conflict do nothing", []any{now}},
		} {
			if err := tx.Exec(stmt.sql, stmt.args...).Error; err != nil {
				return err
			}
		}
		var sealed secret.Sealed
		if err := tx.Raw("select key_check from installations where id = 1").Scan(&sealed).Error; err != nil {
			return err
		}
		_, err = s.box.Open(sealed, keyCheckContext)
		if errors.Is(err, secret.ErrWrongKey) {
			return fmt.Errorf("this database was %w", err)
		}
		return err
	})
}
