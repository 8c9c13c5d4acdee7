package models

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/secret"
)

const (
	keyCheckText    = "sitehooks"
	keyCheckContext = "installation"
)

// checkKey proves that the given key is the one this database was sealed
// with, and makes the single rows that a new database needs.
func (s *Store) checkKey(ctx context.Context) error {
	return s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := s.db.Now(tx)
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
