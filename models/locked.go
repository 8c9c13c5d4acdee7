package models

import (
	"context"

	"github.com/sitehooks/sitehooks/models/secret"
)

// ErrWrongKey says that a webhook's secrets are sealed with a key that this
// instance was not given.
var ErrWrongKey = secret.ErrWrongKey

// LockedWhy says so in words.
const LockedWhy = "its secrets are sealed with a key that this instance does not have; see SITEHOOKS_SECRET_KEY"

// locked tells a webhook that none of this instance's keys opens.
func (s *Store) locked(w Webhook) bool {
	for _, sealed := range []secret.Sealed{w.URL, w.Secret1, w.Secret2, w.Headers} {
		if !s.box.Knows(sealed) {
			return true
		}
	}
	return false
}

// Locked counts the webhooks that none of this instance's keys opens.
func (x *Webhooks) Locked(ctx context.Context) (n int64, err error) {
	defer wrap(&err, "count locked webhooks")
	keys := []string{""} // nothing to open
	for _, id := range x.s.KeyIDs() {
		keys = append(keys, secret.Mark(id))
	}
	length := len(keys[1])
	return n, x.s.db.WithContext(ctx).Model(&Webhook{}).Where(`deleted_at is null and (substr(url, 1, ?) not in ?
		or substr(secret_1, 1, ?) not in ? or substr(secret_2, 1, ?) not in ? or substr(headers, 1, ?) not in ?)`,
		length, keys, length, keys, length, keys, length, keys).Count(&n).Error
}
