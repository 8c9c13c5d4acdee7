package models

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"gorm.io/gorm"
)

// LoginLinkFor is how long a link to choose a password is good.
const LoginLinkFor = time.Hour

// loginLink is stored by the hash of its token.
type loginLink struct {
	Hash      string `gorm:"primaryKey"`
	UserID    int64
	ExpiresAt time.Time
}

// MakeLink returns the token of a link by which a member chooses a password,
// once, within LoginLinkFor.
func (u *Users) MakeLink(ctx context.Context, id int64) (token string, err error) {
	defer wrap(&err, "make link for member %d", id)
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails
	token = hex.EncodeToString(raw[:])
	return token, u.s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := u.s.db.Now(tx)
		if err != nil {
			return err
		}
		if err := tx.Where("expires_at < ?", now).Delete(&loginLink{}).Error; err != nil {
			return err
		}
		return tx.Create(&loginLink{hashToken(token), id, now.Add(LoginLinkFor)}).Error
	})
}

// ByLink returns the member of a link that is still good, or ErrNotFound.
func (u *Users) ByLink(ctx context.Context, token string) (_ User, err error) {
	defer wrap(&err, "get member by link")
	return u.byLink(u.s.db.WithContext(ctx), token)
}

func (u *Users) byLink(tx *gorm.DB, token string) (User, error) {
	now, err := u.s.db.Now(tx)
	if err != nil {
		return User{}, err
	}
	var user User
	return user, found(tx.Take(&user, "disabled_at is null and id = (select user_id from login_links where hash = ? and expires_at > ?)", hashToken(token), now))
}

// UseLink stores the hash of a password that the member of a link chose, ends
// their sessions and all their links. Error: ErrNotFound when the link is not
// good any more.
func (u *Users) UseLink(ctx context.Context, token, hash string) (_ User, err error) {
	defer wrap(&err, "use link")
	var user User
	err = u.s.db.Tx(ctx, func(tx *gorm.DB) error {
		if user, err = u.byLink(tx, token); err != nil {
			return err
		}
		gone := tx.Where("user_id = ?", user.ID).Delete(&loginLink{})
		if gone.Error == nil && gone.RowsAffected == 0 {
			return ErrNotFound // another request was quicker
		}
		if gone.Error != nil {
			return gone.Error
		}
		now, err := u.s.db.Now(tx)
		if err != nil {
			return err
		}
		if err := setPassword(tx, user.ID, hash); err != nil {
			return err
		}
		return audit(tx, user.Actor(), now, "member.password", user.Email, "chose a password by a link")
	})
	return user, err
}

// WantsMail stores whether a member gets e-mail about webhooks.
func (u *Users) WantsMail(ctx context.Context, by User, wants bool) (err error) {
	defer wrap(&err, "store wish for e-mail")
	return u.s.db.WithContext(ctx).Model(&User{}).Where("id = ?", by.ID).Update("no_mail", !wants).Error
}
