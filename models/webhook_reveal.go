package models

import (
	"context"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/secret"
)

// Parts of a webhook that Reveal shows.
const (
	PartSecret1 = "secret1"
	PartSecret2 = "secret2"
	PartURL     = "url"
)

// Reveal returns a sealed part of a webhook in clear, and writes the author and
// the name of the part to the audit log. Errors: ErrNotFound when there is no
// such webhook or it lacks the part, ErrWrongKey.
func (x *Webhooks) Reveal(ctx context.Context, by Actor, id int64, field, name string) (plain string, err error) {
	defer wrap(&err, "reveal %s of webhook %d", field, id)
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		w, now, err := x.lockedNow(tx, id)
		if err != nil {
			return err
		}
		sealed := map[string]secret.Sealed{PartSecret1: w.Secret1, PartSecret2: w.Secret2, PartURL: w.URL}[field]
		if sealed == "" {
			return ErrNotFound
		}
		if plain, err = x.s.box.Open(sealed, sealFor(id, field)); err != nil {
			return err
		}
		return auditAt(tx, by, now, w.Location, "webhook.revealed", label(w), name)
	})
	if err != nil {
		return "", err
	}
	return plain, nil
}
