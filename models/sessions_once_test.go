package models_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestSessionKeepsForAMinute: a value that a session keeps is sealed, can be
// taken once, under its name, and is gone in a minute even if it is not taken.
func TestSessionKeepsForAMinute(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		ctx := t.Context()
		user, err := s.Users.Create(ctx, models.User{Email: "mary@example.com", Role: models.RoleViewer})
		ok(t, err)
		ok(t, s.Sessions.Save(ctx, models.Session{Key: "k", UserID: user.ID, Data: []byte{}}))
		keep := func(text string) models.Session {
			t.Helper()
			ok(t, s.Sessions.Keep(ctx, "k", "token", text))
			row, err := s.Sessions.Get(ctx, "k")
			ok(t, err)
			return row
		}
		pop := func(what, want string) {
			t.Helper()
			if text, err := s.Sessions.Pop(ctx, "k", what); err != nil || text != want {
				t.Errorf("took %q %v, want %q", text, err, want)
			}
		}
		row := keep("plain words")
		if len(row.Data) == 0 || bytes.Contains(row.Data, []byte("plain words")) || row.ValueUntil == nil || row.ValueUntil.Sub(clock.Now()) > time.Minute {
			t.Errorf("kept %s until %v", row.Data, row.ValueUntil)
		}
		pop("another", "")
		pop("token", "plain words")
		pop("token", "")

		keep("too late")
		clock.Add(models.ShowOnceFor)
		pop("token", "")
		ok(t, s.Sessions.Forget(ctx))
		if row, err = s.Sessions.Get(ctx, "k"); err != nil || len(row.Data) != 0 || row.ValueUntil != nil {
			t.Errorf("%v: still there: %+v", err, row)
		}
		keep("younger")
		ok(t, s.Sessions.Forget(ctx))
		pop("token", "younger")
		if err = s.Sessions.Keep(ctx, "unknown", "token", "x"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("kept with no session: %v", err)
		}
	})
}
