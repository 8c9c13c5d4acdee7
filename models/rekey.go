package models

import (
	"context"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/secret"
)

// Rekey seals everything that is not sealed with the first key anew, in one
// transaction, and returns how many webhooks that were.
func (s *Store) Rekey(ctx context.Context) (n int, err error) {
	defer wrap(&err, "seal webhooks anew")
	err = s.db.Tx(ctx, func(tx *gorm.DB) error {
		n = 0
		var ids []int64
		if err := tx.Model(&Webhook{}).Order("id").Pluck("id", &ids).Error; err != nil {
			return err
		}
		for _, id := range ids {
			var w Webhook
			if err := tx.Clauses(forUpdate).Take(&w, id).Error; err != nil {
				return err
			}
			changed, err := s.reseal(&w)
			if err != nil {
				return err
			}
			if !changed {
				continue
			}
			n++
			if err := tx.Select("url", "secret_1", "secret_2", "headers").Updates(&w).Error; err != nil {
				return err
			}
		}
		check := s.box.Seal(keyCheckText, keyCheckContext)
		return tx.Model(&installation{ID: 1}).Update("key_check", check).Error
	})
	return n, err
}

func (s *Store) reseal(w *Webhook) (bool, error) {
	changed := false
	for what, sealed := range map[string]*secret.Sealed{
		PartURL: &w.URL, PartSecret1: &w.Secret1, PartSecret2: &w.Secret2, "headers": &w.Headers,
	} {
		if s.box.Current(*sealed) {
			continue
		}
		plain, err := s.box.Open(*sealed, sealFor(w.ID, what))
		if err != nil {
			return false, err
		}
		*sealed, changed = s.box.Seal(plain, sealFor(w.ID, what)), true
	}
	return changed, nil
}
