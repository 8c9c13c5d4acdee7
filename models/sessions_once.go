package models

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/secret"
)

// ShowOnceFor is how long a session keeps a value that it is to show once. Forget
// runs often enough for it to be erased within a minute.
const ShowOnceFor = 50 * time.Second

// onceValue is the value that a session keeps, before it is sealed.
type onceValue struct {
	What string `json:"what"`
	Text string `json:"text"`
}

// Keep seals a text and keeps it with a session, in place of the value before,
// until Pop asks for it under the same name or ShowOnceFor is over. Error:
// ErrNotFound when there is no such session.
func (x *Sessions) Keep(ctx context.Context, key, what, text string) (err error) {
	defer wrap(&err, "keep value in session")
	plain, err := json.Marshal(onceValue{what, text})
	if err != nil {
		return err
	}
	now, err := x.s.Now(ctx)
	if err != nil {
		return err
	}
	sealed := x.s.box.Seal(string(plain), sealForSession(key))
	res := x.s.db.WithContext(ctx).Model(&Session{}).Where("key = ?", key).
		Updates(map[string]any{"data": []byte(string(sealed)), "value_until": now.Add(ShowOnceFor)})
	if res.Error == nil && res.RowsAffected == 0 {
		return ErrNotFound
	}
	return res.Error
}

// Pop returns the value that a session keeps under a name, and erases it;
// empty: there is nothing of that name, its time is over, or no key opens it.
func (x *Sessions) Pop(ctx context.Context, key, what string) (text string, err error) {
	defer wrap(&err, "pop value from session")
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		text = ""
		var row Session
		err := tx.Clauses(forUpdate).Find(&row, "key = ? and value_until is not null", key).Error
		if err != nil || row.ValueUntil == nil {
			return err
		}
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		plain, err := x.s.box.Open(secret.Sealed(row.Data), sealForSession(key))
		if errors.Is(err, ErrWrongKey) || !now.Before(*row.ValueUntil) {
			return nil // Forget erases it
		}
		if err != nil {
			return err
		}
		var k onceValue
		if err := json.Unmarshal([]byte(plain), &k); err != nil || k.What != what {
			return err
		}
		text = k.Text
		return forget(tx.Where("key = ?", key))
	})
	return text, err
}

// Forget erases values that were not taken in time.
func (x *Sessions) Forget(ctx context.Context) (err error) {
	defer wrap(&err, "erase values in sessions")
	now, err := x.s.Now(ctx)
	if err != nil {
		return err
	}
	return forget(x.s.db.WithContext(ctx).Where("value_until <= ?", now))
}

func forget(of *gorm.DB) error {
	return of.Model(&Session{}).Updates(map[string]any{"data": []byte{}, "value_until": nil}).Error
}

func sealForSession(key string) string { return "session:" + key }
