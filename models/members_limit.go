package models

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"
)

// Limit makes a member see only what belongs to those locations, or everything,
// from their next request on, and revokes those tokens of theirs. Errors:
// ErrNotFound, ErrLastAdministrator.
func (u *Users) Limit(ctx context.Context, by Actor, id int64, to LocationSet, revoke ...int64) (_ User, err error) {
	defer wrap(&err, "limit member %d", id)
	var user User
	err = u.alone(ctx, func(tx *gorm.DB, now time.Time) error {
		user = User{}
		if err := found(tx.Take(&user, id)); err != nil {
			return err
		}
		was := limitWords(user.Within())
		if was == limitWords(to) {
			return nil
		}
		if !to.All() {
			if err := u.notTheLast(tx, user); err != nil {
				return err
			}
		}
		user.Limited, user.Locations = !to.All(), orEmpty(to.Slugs())
		err := tx.Model(&User{}).Where("id = ?", id).Select("limited", "locations").Updates(&user).Error
		if err != nil {
			return err
		}
		if err := revokeOf(tx, by, now, id, revoke); err != nil {
			return err
		}
		return audit(tx, by, now, "member.limited", user.Email, was+" → "+limitWords(to))
	})
	return user, err
}

func limitWords(l LocationSet) string {
	switch {
	case l.All():
		return "all locations"
	case len(l.Slugs()) == 0:
		return "no location"
	}
	return strings.Join(l.Slugs(), ", ")
}
