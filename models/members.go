package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
)

// ErrLastAdministrator refuses to remove, disable, demote or limit the only
// administrator of all locations who may log in.
var ErrLastAdministrator = errors.New("this is the last administrator")

// Member is a user with when they were last here.
type Member struct {
	User
	SeenAt *time.Time // of the sessions that are kept; nil: none is
}

// Members returns all members, by name.
func (u *Users) Members(ctx context.Context) (_ []Member, err error) {
	defer wrap(&err, "list members")
	db := u.s.db.WithContext(ctx)
	var users []User
	if err := db.Order("lower(name), id").Find(&users).Error; err != nil {
		return nil, err
	}
	var sessions []Session
	if err := db.Select("user_id", "seen_at").Order("seen_at").Find(&sessions).Error; err != nil {
		return nil, err
	}
	seen := map[int64]*time.Time{}
	for i := range sessions {
		seen[sessions[i].UserID] = &sessions[i].SeenAt
	}
	members := make([]Member, len(users))
	for i, user := range users {
		members[i] = Member{user, seen[user.ID]}
	}
	return members, nil
}

// Invite adds a member. Error: ErrExists when the e-mail is on the list.
func (u *Users) Invite(ctx context.Context, by Actor, user User) (_ User, err error) {
	defer wrap(&err, "invite member")
	return u.invite(ctx, by, user, false)
}

// InviteByMail is Invite, and queues the e-mail with the member's link to choose
// a password.
func (u *Users) InviteByMail(ctx context.Context, by Actor, user User) (_ User, err error) {
	defer wrap(&err, "invite member by e-mail")
	return u.invite(ctx, by, user, true)
}

func (u *Users) invite(ctx context.Context, by Actor, user User, mailed bool) (User, error) {
	var made createdUser
	err := u.alone(ctx, func(tx *gorm.DB, now time.Time) error {
		var err error
		if made, err = u.create(tx, user); err != nil {
			return err
		}
		if !made.fresh {
			return ErrExists
		}
		if mailed {
			if err := u.s.Mails.link(tx, now, MailInvitation, made.User); err != nil {
				return err
			}
		}
		detail := made.Role
		if made.Limited {
			detail += ", " + limitWords(made.Within())
		}
		return audit(tx, by, now, "member.added", made.Email, detail)
	})
	return made.User, err
}

// SetRole makes a member an administrator or a viewer, and revokes those tokens
// of theirs. Errors: ErrNotFound, ErrLastAdministrator.
func (u *Users) SetRole(ctx context.Context, by Actor, id int64, role string, revoke ...int64) (_ User, err error) {
	defer wrap(&err, "change role of member %d", id)
	var user User
	err = u.alone(ctx, func(tx *gorm.DB, now time.Time) error {
		if err := found(tx.Take(&user, id)); err != nil || user.Role == role {
			return err
		}
		if err := u.notTheLast(tx, user); err != nil {
			return err
		}
		detail := user.Role + " → " + role
		user.Role = role
		if err := tx.Model(&User{}).Where("id = ?", id).Update("role", role).Error; err != nil {
			return err
		}
		if err := revokeOf(tx, by, now, id, revoke); err != nil {
			return err
		}
		return audit(tx, by, now, "member.role", user.Email, detail)
	})
	return user, err
}

// GivePassword stores the hash of a one-time password, which has to be changed
// at the next login and within OneTimeFor, and ends the member's sessions and one-time links. Error: ErrNotFound.
func (u *Users) GivePassword(ctx context.Context, by Actor, id int64, hash string) (_ User, err error) {
	defer wrap(&err, "give password to member %d", id)
	var user User
	err = u.alone(ctx, func(tx *gorm.DB, now time.Time) error {
		if err := found(tx.Take(&user, id)); err != nil {
			return err
		}
		err := tx.Model(&User{}).Where("id = ?", id).
			Updates(map[string]any{"password_hash": hash, "must_change_password": true, "one_time_until": now.Add(OneTimeFor)}).Error
		if err != nil {
			return err
		}
		if err := logOut(tx, id); err != nil {
			return err
		}
		return audit(tx, by, now, "member.password", user.Email, "one-time password given")
	})
	return user, err
}

// Remove takes a member off the list, ends their sessions and revokes those
// tokens of theirs. Records that they created keep their name; their webhooks
// and other tokens continue without an owner. Errors: ErrNotFound,
// ErrLastAdministrator.
func (u *Users) Remove(ctx context.Context, by Actor, id int64, revoke ...int64) (_ User, err error) {
	defer wrap(&err, "remove member %d", id)
	var user User
	err = u.alone(ctx, func(tx *gorm.DB, now time.Time) error {
		if err := found(tx.Take(&user, id)); err != nil {
			return err
		}
		if err := u.notTheLast(tx, user); err != nil {
			return err
		}
		if err := logOut(tx, id); err != nil {
			return err
		}
		if err := tx.Delete(&User{}, id).Error; err != nil {
			return err
		}
		if err := revokeOf(tx, by, now, id, revoke); err != nil {
			return err
		}
		err := tx.Model(&Token{}).Where("created_by_id = ?", id).
			Updates(map[string]any{"created_by_id": 0, "maker_removed": true}).Error
		if err != nil {
			return err
		}
		if err := u.s.disown(tx, id); err != nil {
			return err
		}
		return audit(tx, by, now, "member.removed", user.Email, user.Role)
	})
	return user, err
}

// alone changes members one transaction after the other, so that two at once
// cannot each take the other's last administrator away.
func (u *Users) alone(ctx context.Context, change func(tx *gorm.DB, now time.Time) error) error {
	return u.s.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := lockInstallation(tx); err != nil {
			return err
		}
		now, err := u.s.db.Now(tx)
		if err != nil {
			return err
		}
		return change(tx, now)
	})
}

func (u *Users) notTheLast(tx *gorm.DB, user User) error {
	if user.Role != RoleAdministrator || user.DisabledAt != nil || user.Limited {
		return nil
	}
	var others int64
	err := tx.Model(&User{}).Where("role = ? and disabled_at is null and not limited and id <> ?", RoleAdministrator, user.ID).Count(&others).Error
	if err == nil && others == 0 {
		err = ErrLastAdministrator
	}
	return err
}
