package models

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/migrations"
	"github.com/sitehooks/sitehooks/models/secret"
)

// migrationLock is the advisory lock under which River's tables are made;
// goose has its own.
const migrationLock = 7_236_113_902

// migrate brings our tables and River's up to date, safe with several
// instances starting at once.
func (s *Store) migrate(ctx context.Context) error {
	dialect, folder, db := goose.DialectSQLite3, "sqlite", s.sqlDB
	var opts []goose.ProviderOption
	if s.pool != nil {
		dialect, folder, db = goose.DialectPostgres, "postgres", s.patientDB
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	files, err := fs.Sub(migrations.FS, folder)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, files, append(opts, goose.WithLogger(goose.NopLogger()))...)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return err
	}
	return s.migrateRiver(ctx)
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
	conn, err := s.patient.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return err
	}
	defer func() {
		_, _ = conn.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock($1)", int64(migrationLock))
	}()
	m, err := rivermigrate.New[pgx.Tx](riverpgxv5.New(s.patient), nil)
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
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
