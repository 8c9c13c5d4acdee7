package models

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Claim makes a member the owner of a webhook that has none. It goes on as it
// was. Errors: ErrNotFound, also when the member was removed; *ConflictError
// when another member owns it.
func (x *Webhooks) Claim(ctx context.Context, by Actor, id int64) (err error) {
	defer wrap(&err, "claim webhook %d", id)
	return x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		owner, err := x.s.ownerFor(tx, by)
		if err != nil {
			return err
		}
		if owner == 0 {
			return ErrNotFound
		}
		w, now, err := x.lockedNow(tx, id)
		if err != nil || w.OwnerID == by.UserID {
			return err
		}
		if w.OwnerID != 0 {
			return &ConflictError{By: w.OwnerName}
		}
		err = tx.Model(&Webhook{}).Where("id = ?", id).Updates(map[string]any{"owner_id": by.UserID, "owner_name": by.Name}).Error
		if err != nil {
			return err
		}
		if _, err = nextVersion(tx); err != nil {
			return err
		}
		return auditAt(tx, by, now, w.Location, "webhook.claimed", label(w), orWords(w.OwnerName, "no owner")+" → "+by.Name)
	})
}

// ownerFor is the owner of a webhook that an author makes: none, 0, when the
// member was removed meanwhile. A removal waits until the transaction has
// ended, and then leaves the webhook without an owner.
func (s *Store) ownerFor(tx *gorm.DB, by Actor) (owner int64, err error) {
	return owner, tx.Model(&User{}).Clauses(clause.Locking{Strength: "KEY SHARE"}).Where("id = ?", by.UserID).Pluck("id", &owner).Error
}

func orWords(words, none string) string {
	if words == "" {
		return none
	}
	return words
}

// disown leaves the webhooks of a removed member without an owner; the
// creator's name stays.
func (s *Store) disown(tx *gorm.DB, user int64) error {
	var ids []int64 // locked in the order of all transactions
	if err := tx.Model(&Webhook{}).Clauses(forUpdate).Where("owner_id = ?", user).Order("id").Pluck("id", &ids).Error; err != nil {
		return err
	}
	if len(ids) == 0 {
		return nil
	}
	if err := tx.Model(&Webhook{}).Where("owner_id = ?", user).Update("owner_id", 0).Error; err != nil {
		return err
	}
	_, err := nextVersion(tx)
	return err
}
