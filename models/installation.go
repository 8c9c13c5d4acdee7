package models

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/sitehooks/sitehooks/models/secret"
)

const (
	keyCheckText    = "sitehooks"
	keyCheckContext = "installation"
)

// installation is the one row about the whole database. Changes of members lock
// it, so that they follow each other.
type installation struct {
	ID                int64
	KeyCheck          secret.Sealed
	PublicID          string // names it in Sitehooks-Via
	CreatedAt         time.Time
	IngestTokenUsedAt *time.Time
}

// versionRow is the one row with the version of all webhooks' filters.
type versionRow struct{ ID, Version int64 }

func (versionRow) TableName() string { return "match_versions" }

// forUpdate locks the rows that a query reads until the transaction ends.
// SQLite needs no locks and leaves it out.
var forUpdate = clause.Locking{Strength: clause.LockingStrengthUpdate}

func newPublicID() string { return strings.ToLower(rand.Text()[:16]) } // 80 bits

// RenewPublicID gives an installation whose database is a copy another id, so
// that it and the original may send to each other. Instances read the id when
// they start.
func (s *Store) RenewPublicID(ctx context.Context) (id string, err error) {
	defer wrap(&err, "renew the installation's id")
	id = newPublicID()
	return id, s.db.WithContext(ctx).Model(&installation{}).Where("id = 1").Update("public_id", id).Error
}

func lockInstallation(tx *gorm.DB) error {
	return tx.Clauses(forUpdate).Select("id").Take(&installation{}, 1).Error
}

// checkKey proves that the given key is the one this database was sealed
// with, and makes the single rows that a new database needs.
func (s *Store) checkKey(ctx context.Context) error {
	return s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := s.db.Now(tx)
		if err != nil {
			return err
		}
		for _, row := range []any{
			&installation{ID: 1, KeyCheck: s.box.Seal(keyCheckText, keyCheckContext), PublicID: newPublicID(), CreatedAt: now},
			&dispatchRun{ID: 1, NextAt: now},
			&versionRow{ID: 1, Version: 1},
			&Location{Slug: MainLocation, Name: "Main site", CreatedAt: now},
		} {
			if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(row).Error; err != nil {
				return err
			}
		}
		var made installation
		if err := tx.Take(&made, 1).Error; err != nil {
			return err
		}
		s.publicID = made.PublicID
		_, err = s.box.Open(made.KeyCheck, keyCheckContext)
		if errors.Is(err, secret.ErrWrongKey) {
			return fmt.Errorf("this database was %w", err)
		}
		return err
	})
}
