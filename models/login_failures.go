package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// LoginWindow is how long a wrong password counts.
const LoginWindow = 15 * time.Minute

// LoginFrom says whose password is tried, and from where.
type LoginFrom struct {
	Account      string // e-mail in lower case, of a member or an unknown one
	AddressGroup string // IPv4 address or IPv6 network of 64 bits
	Device       string // browser or session with an earlier login; empty: a stranger's
}

// LoginFailure is one wrong password.
type LoginFailure struct {
	ID int64
	LoginFrom
	At time.Time
}

// LoginFailures returns the failures within LoginWindow that share the account,
// the address group or the device, newest first, at most 1,000, and the time
// now.
func (u *Users) LoginFailures(ctx context.Context, from LoginFrom) (rows []LoginFailure, now time.Time, err error) {
	defer wrap(&err, "list login failures")
	if now, err = u.s.Now(ctx); err != nil {
		return nil, now, err
	}
	const most = 1000
	return rows, now, u.s.db.WithContext(ctx).
		Where("at > ? and (account = ? or address_group = ? or (device = ? and device <> ''))",
			now.Add(-LoginWindow), from.Account, from.AddressGroup, from.Device).
		Order("at desc").Limit(most).Find(&rows).Error
}

// RecordLoginFailure notes a wrong password.
func (u *Users) RecordLoginFailure(ctx context.Context, from LoginFrom) (err error) {
	defer wrap(&err, "record login failure")
	now, err := u.s.Now(ctx)
	if err != nil {
		return err
	}
	return u.s.db.WithContext(ctx).Create(&LoginFailure{LoginFrom: from, At: now}).Error
}

// ClearLoginFailures forgets an account's failures from an address group and
// from a device after a right password.
func (u *Users) ClearLoginFailures(ctx context.Context, from LoginFrom) (err error) {
	defer wrap(&err, "clear login failures")
	return u.s.db.WithContext(ctx).
		Where("account = ? and (address_group = ? or (device = ? and device <> ''))", from.Account, from.AddressGroup, from.Device).
		Delete(&LoginFailure{}).Error
}

const (
	loginRefused = "login.refused" // action in the audit log
	// burstsAnHour are written into the audit log at most.
	burstsAnHour = 20
)

// LoginBurst is a number of wrong passwords after which more are refused.
type LoginBurst struct {
	Target string // e-mail of a member, or the address group
	Detail string // how many, and from where
	From   string // address
	At     time.Time
}

// RecordLoginBurst puts a burst into the audit log: once in LoginWindow for each
// target, and no more than 20 an hour in all.
func (u *Users) RecordLoginBurst(ctx context.Context, b LoginBurst) (err error) {
	defer wrap(&err, "record login burst")
	return u.alone(ctx, func(tx *gorm.DB, now time.Time) error {
		var lately, same int64
		bursts := func() *gorm.DB { return tx.Model(&AuditEntry{}).Where("action = ?", loginRefused) }
		if err := bursts().Where("at > ?", now.Add(-time.Hour)).Count(&lately).Error; err != nil {
			return err
		}
		if err := bursts().Where("at > ? and target = ?", now.Add(-LoginWindow), b.Target).Count(&same).Error; err != nil {
			return err
		}
		if lately >= burstsAnHour || same > 0 {
			return nil
		}
		return audit(tx, Actor{From: b.From}, now, loginRefused, b.Target, b.Detail)
	})
}

// LoginBursts returns the newest bursts since a time, at most limit.
func (u *Users) LoginBursts(ctx context.Context, since time.Time, limit int) (_ []LoginBurst, err error) {
	defer wrap(&err, "list login bursts")
	var entries []AuditEntry
	err = u.s.db.WithContext(ctx).Where("action = ? and at > ?", loginRefused, since).
		Order("at desc").Limit(limit).Find(&entries).Error
	bursts := make([]LoginBurst, len(entries))
	for i, e := range entries {
		bursts[i] = LoginBurst{e.Target, e.Detail, e.From, e.At}
	}
	return bursts, err
}
