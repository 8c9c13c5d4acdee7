package models

import (
	"context"

	"gorm.io/gorm"
)

// Claim makes somebody the owner of a webhook that has none. It goes on as it
// was. Errors: ErrNotFound; *ConflictError when somebody else owns it.
func (x *Webhooks) Claim(ctx context.Context, by Actor, id int64) error {
	return x.s.tx(ctx, func(tx *gorm.DB) error {
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
		return audit(tx, by, now, "webhook.claimed", label(w), orWords(w.OwnerName, "no owner")+" → "+by.Name)
	})
}

func orWords(words, none string) string {
	if words == "" {
		return none
	}
	return words
}

// disown leaves the webhooks of a member who goes without an owner; the name
// says who made them.
func (s *Store) disown(tx *gorm.DB, user int64) error {
	var ids []int64 // locked in the order in which everybody does
	if err := tx.Raw("select id from webhooks where owner_id = ? order by id"+s.lock(), user).Scan(&ids).Error; err != nil {
		return err
	}
	if len(ids) == 0 {
		return nil
	}
	if err := tx.Exec("update webhooks set owner_id = 0 where owner_id = ?", user).Error; err != nil {
		return err
	}
	_, err := nextVersion(tx)
	return err
}
