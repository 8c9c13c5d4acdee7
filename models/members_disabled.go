package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// Disable keeps a member from logging in until they are enabled again, ends
// their sessions and revokes those tokens of theirs; their other tokens and
// webhooks are unchanged. Errors: ErrNotFound, ErrLastAdministrator.
func (u *Users) Disable(ctx context.Context, by Actor, id int64, revoke ...int64) (_ User, err error) {
	defer wrap(&err, "disable member %d", id)
	return u.setDisabled(ctx, by, id, true, revoke)
}

// Enable lets a disabled member log in again. Error: ErrNotFound.
func (u *Users) Enable(ctx context.Context, by Actor, id int64) (_ User, err error) {
	defer wrap(&err, "enable member %d", id)
	return u.setDisabled(ctx, by, id, false, nil)
}

func (u *Users) setDisabled(ctx context.Context, by Actor, id int64, disabled bool, revoke []int64) (User, error) {
	var user User
	err := u.alone(ctx, func(tx *gorm.DB, now time.Time) error {
		user = User{}
		if err := found(tx.Take(&user, id)); err != nil || (user.DisabledAt != nil) == disabled {
			return err
		}
		action := "member.enabled"
		var at *time.Time
		if disabled {
			action, at = "member.disabled", &now
			if err := u.notTheLast(tx, user); err != nil {
				return err
			}
			if err := logOut(tx, id); err != nil {
				return err
			}
			if err := revokeOf(tx, by, now, id, revoke); err != nil {
				return err
			}
		}
		user.DisabledAt = at
		if err := tx.Model(&User{}).Where("id = ?", id).Update("disabled_at", at).Error; err != nil {
			return err
		}
		return audit(tx, by, now, action, user.Email, user.Role)
	})
	return user, err
}
