package models

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Lifetimes of a login.
const (
	SessionIdle = 12 * time.Hour
	SessionMax  = 7 * 24 * time.Hour
)

// Session is a login kept on the server.
type Session struct {
	Key        string `gorm:"primaryKey"` // hash of the id in the cookie
	UserID     int64
	Data       []byte    // the value of Keep, sealed
	CreatedAt  time.Time `gorm:"autoCreateTime:false"`
	SeenAt     time.Time
	ValueUntil *time.Time // nil: nothing is kept
}

// Sessions keep the logins.
type Sessions struct{ s *Store }

// Get returns a session that is neither idle too long nor too old, or ErrNotFound.
func (x *Sessions) Get(ctx context.Context, key string) (_ Session, err error) {
	defer wrap(&err, "get session")
	var row struct {
		Session
		Now time.Time
	}
	res := x.s.db.WithContext(ctx).Model(&Session{}).Select("sessions.*"+x.s.db.ClockColumn()).Where("key = ?", key).Scan(&row)
	now := x.s.db.ReadClock(row.Now)
	if res.Error == nil && (res.RowsAffected == 0 || now.Sub(row.SeenAt) >= SessionIdle || now.Sub(row.CreatedAt) >= SessionMax) {
		return Session{}, ErrNotFound
	}
	return row.Session, res.Error
}

// Save stores a session's data, and stamps a new one.
func (x *Sessions) Save(ctx context.Context, row Session) (err error) {
	defer wrap(&err, "save session")
	now, err := x.s.Now(ctx)
	if err != nil {
		return err
	}
	row.CreatedAt, row.SeenAt = now, now
	return x.s.db.WithContext(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "key"}},
		DoUpdates: clause.AssignmentColumns([]string{"user_id", "data", "seen_at"}),
	}).Create(&row).Error
}

// Touch notes that a session was used, at most once a minute.
func (x *Sessions) Touch(ctx context.Context, key string) (err error) {
	defer wrap(&err, "touch session")
	now, err := x.s.Now(ctx)
	if err != nil {
		return err
	}
	return x.s.db.WithContext(ctx).Model(&Session{}).
		Where("key = ? and seen_at < ?", key, now.Add(-time.Minute)).Update("seen_at", now).Error
}

// DeleteAll ends all sessions of a user, at their own request.
func (x *Sessions) DeleteAll(ctx context.Context, user User) (err error) {
	defer wrap(&err, "end sessions")
	return x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		if err := tx.Where("user_id = ?", user.ID).Delete(&Session{}).Error; err != nil {
			return err
		}
		return audit(tx, user.Actor(), now, "login.ended_all", user.Email, "")
	})
}

// Delete ends a session.
func (x *Sessions) Delete(ctx context.Context, key string) (err error) {
	defer wrap(&err, "end session")
	return x.s.db.WithContext(ctx).Where("key = ?", key).Delete(&Session{}).Error
}
