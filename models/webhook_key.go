package models

import (
	"context"

	"gorm.io/gorm"
)

// ByKey returns the webhook with a key, or ErrNotFound.
func (x *Webhooks) ByKey(ctx context.Context, key string) (_ Webhook, err error) {
	defer wrap(&err, "get webhook %q", key)
	if key == "" {
		return Webhook{}, ErrNotFound // webhooks without a key have an empty one
	}
	var w Webhook
	return w, found(x.s.db.WithContext(ctx).Take(&w, "key = ? and key <> '' and deleted_at is null", key)) // as the index has it
}

// keyIsFree returns ErrExists for a key that another webhook has. The row of the match index
// is locked first, which every change of a webhook writes, so that two webhooks
// that get the same key at once follow each other.
func (s *Store) keyIsFree(tx *gorm.DB, id int64, key string) error {
	if key == "" {
		return nil
	}
	if _, err := matchVersion(tx, s.db.ForUpdate()); err != nil {
		return err
	}
	var n int64
	err := tx.Model(&Webhook{}).Where("key = ? and id <> ? and deleted_at is null", key, id).Count(&n).Error
	if err == nil && n > 0 {
		return ErrExists
	}
	return err
}
