package models

import (
	"context"
	"strings"

	"gorm.io/gorm"
)

// Users are the members who may log in.
type Users struct{ s *Store }

// Get returns a member by id, or ErrNotFound.
func (u *Users) Get(ctx context.Context, id int64) (_ User, err error) {
	defer wrap(&err, "get member %d", id)
	var user User
	return user, found(u.s.db.WithContext(ctx).Take(&user, id))
}

// ByEmail returns a member by e-mail in any case, or ErrNotFound.
func (u *Users) ByEmail(ctx context.Context, email string) (_ User, err error) {
	defer wrap(&err, "get member by email")
	var user User
	return user, found(u.s.db.WithContext(ctx).Take(&user, "email = ?", FoldEmail(email)))
}

// Count says how many members there are.
func (u *Users) Count(ctx context.Context) (n int64, err error) {
	defer wrap(&err, "count members")
	return n, u.s.db.WithContext(ctx).Model(&User{}).Count(&n).Error
}

// Create adds a member. Error: ErrExists when the e-mail is on the list.
func (u *Users) Create(ctx context.Context, user User) (_ User, err error) {
	defer wrap(&err, "create member")
	created, err := u.create(u.s.db.WithContext(ctx), user)
	if err == nil && !created.fresh {
		return User{}, ErrExists
	}
	return created.User, err
}

// CreateFirst adds the first administrator; false when there is a member
// already, also when another instance was quicker.
func (u *Users) CreateFirst(ctx context.Context, user User) (_ bool, err error) {
	defer wrap(&err, "create first administrator")
	made := false
	err = u.s.db.Tx(ctx, func(tx *gorm.DB) error {
		// The one row that exists serves as the lock.
		if err := lockInstallation(tx); err != nil {
			return err
		}
		var n int64
		if err := tx.Model(&User{}).Count(&n).Error; err != nil || n > 0 {
			return err
		}
		c, err := u.create(tx, user)
		made = c.fresh
		return err
	})
	return made, err
}

type createdUser struct {
	User
	fresh bool
}

func (u *Users) create(tx *gorm.DB, user User) (createdUser, error) {
	now, err := u.s.db.Now(tx)
	if err != nil {
		return createdUser{}, err
	}
	user.Email, user.CreatedAt = FoldEmail(user.Email), now
	if user.MustChangePassword {
		until := now.Add(OneTimeFor)
		user.OneTimeUntil = &until
	}
	if user.Name == "" {
		user.Name, _, _ = strings.Cut(user.Email, "@")
	}
	user.Locations = orEmpty(user.Locations)
	var n int64
	if err := tx.Model(&User{}).Where("email = ?", user.Email).Count(&n).Error; err != nil || n > 0 {
		return createdUser{}, err
	}
	err = tx.Create(&user).Error
	return createdUser{user, true}, err
}

// SetPassword stores a new hash, clears MustChangePassword and ends the
// member's sessions and one-time links.
func (u *Users) SetPassword(ctx context.Context, id int64, hash string) (err error) {
	defer wrap(&err, "set password of member %d", id)
	return u.s.db.Tx(ctx, func(tx *gorm.DB) error { return setPassword(tx, id, hash) })
}

func setPassword(tx *gorm.DB, id int64, hash string) error {
	res := tx.Model(&User{}).Where("id = ?", id).
		Updates(map[string]any{"password_hash": hash, "must_change_password": false, "one_time_until": nil})
	if res.Error != nil {
		return res.Error
	}
	if res.RowsAffected == 0 {
		return ErrNotFound
	}
	return logOut(tx, id)
}

// logOut ends a member's sessions and one-time links.
func logOut(tx *gorm.DB, id int64) error {
	if err := tx.Where("user_id = ?", id).Delete(&loginLink{}).Error; err != nil {
		return err
	}
	return tx.Where("user_id = ?", id).Delete(&Session{}).Error
}
