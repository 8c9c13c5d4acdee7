package models

import (
	"context"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/secret"
)

// Rekey seals everything that is not sealed with the first key anew, in one
// transaction, and returns how many webhooks and sources that were.
func (s *Store) Rekey(ctx context.Context) (n int, err error) {
	defer wrap(&err, "seal secrets anew")
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
		sources, err := s.rekeySources(tx)
		if n += sources; err != nil {
			return err
		}
		check := s.box.Seal(keyCheckText, keyCheckContext)
		return tx.Model(&installation{ID: 1}).Update("key_check", check).Error
	})
	return n, err
}

func (s *Store) reseal(w *Webhook) (bool, error) {
	return s.resealParts(map[string]*secret.Sealed{
		PartURL: &w.URL, PartSecret1: &w.Secret1, PartSecret2: &w.Secret2, "headers": &w.Headers,
	}, func(what string) string { return sealFor(w.ID, what) })
}

// resealParts seals the parts of a record anew that are not sealed with the
// first key, each for its context, and tells whether there were any.
func (s *Store) resealParts(parts map[string]*secret.Sealed, context func(what string) string) (bool, error) {
	changed := false
	for what, sealed := range parts {
		if s.box.Current(*sealed) {
			continue
		}
		plain, err := s.box.Open(*sealed, context(what))
		if err != nil {
			return false, err
		}
		*sealed, changed = s.box.Seal(plain, context(what)), true
	}
	return changed, nil
}

func (s *Store) rekeySources(tx *gorm.DB) (n int, err error) {
	var names []string
	if err := tx.Model(&Source{}).Order("name").Pluck("name", &names).Error; err != nil {
		return 0, err
	}
	for _, name := range names {
		src, err := sourceLocked(tx, name)
		if err != nil {
			return n, err
		}
		changed, err := s.resealParts(map[string]*secret.Sealed{
			PartSecret1: &src.Secret1, PartSecret2: &src.Secret2, PartURL: &src.Address,
		}, func(what string) string { return sealSource(name, what) })
		if err != nil {
			return n, err
		}
		if !changed {
			continue
		}
		n++
		if err := tx.Select("secret_1", "secret_2", "address").Updates(&src).Error; err != nil {
			return n, err
		}
	}
	return n, nil
}
