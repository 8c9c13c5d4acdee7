package models_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

func TestMemberIsDisabledAndEnabled(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		first, err := s.Users.Invite(t.Context(), mary, models.User{Email: "a@x.example", Role: models.RoleAdministrator})
		ok(t, err)
		second, err := s.Users.Invite(t.Context(), mary, models.User{Email: "b@x.example", Role: models.RoleAdministrator})
		ok(t, err)
		ok(t, s.Sessions.Save(t.Context(), models.Session{Key: "k", UserID: second.ID, Data: []byte{}}))
		got, err := s.Users.Disable(t.Context(), mary, second.ID)
		ok(t, err)
		if got.DisabledAt == nil || !got.DisabledAt.Equal(clock.Now()) {
			t.Errorf("disabled at %v", got.DisabledAt)
		}
		_, err = s.Sessions.Get(t.Context(), "k")
		want(t, "session of who was disabled", err, models.ErrNotFound)
		// A disabled administrator is none that is left.
		_, err = s.Users.Disable(t.Context(), mary, first.ID)
		want(t, "disable the last", err, models.ErrLastAdministrator)
		_, err = s.Users.SetRole(t.Context(), mary, first.ID, models.RoleViewer)
		want(t, "demote the last", err, models.ErrLastAdministrator)
		_, err = s.Users.Remove(t.Context(), mary, first.ID)
		want(t, "remove the last", err, models.ErrLastAdministrator)
		_, err = s.Users.Disable(t.Context(), mary, second.ID) // says nothing more
		ok(t, err)
		got, err = s.Users.Enable(t.Context(), mary, second.ID)
		ok(t, err)
		if got.DisabledAt != nil {
			t.Errorf("still disabled at %v", got.DisabledAt)
		}
		_, err = s.Users.Disable(t.Context(), mary, first.ID)
		ok(t, err)
		_, err = s.Users.Remove(t.Context(), mary, first.ID) // a disabled administrator is not the last one
		ok(t, err)
		for _, change := range []func() error{
			func() error { _, err := s.Users.Disable(t.Context(), mary, first.ID); return err },
			func() error { _, err := s.Users.Enable(t.Context(), mary, first.ID); return err },
		} {
			want(t, "nobody", change(), models.ErrNotFound)
		}
		log := lines(t, s, 4)
		want(t, "audit", log[1], "member.disabled|a@x.example|administrator")
		want(t, "audit", log[2], "member.enabled|b@x.example|administrator")
		want(t, "audit", log[3], "member.disabled|b@x.example|administrator")
	})
}

func TestOneAdministratorStaysEnabled(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		var ids [4]int64
		for i := range ids {
			u, err := s.Users.Invite(t.Context(), mary, models.User{Email: string(rune('a'+i)) + "@x.example", Role: models.RoleAdministrator})
			ok(t, err)
			ids[i] = u.ID
		}
		var wg sync.WaitGroup
		for _, id := range ids {
			wg.Go(func() {
				if _, err := s.Users.Disable(t.Context(), mary, id); err != nil && !errors.Is(err, models.ErrLastAdministrator) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		members, err := s.Users.Members(t.Context())
		ok(t, err)
		enabled := 0
		for _, m := range members {
			if m.DisabledAt == nil {
				enabled++
			}
		}
		want(t, "enabled", enabled, 1)
	})
}

func TestAllSessionsOfOneUserEnd(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		user, err := s.Users.Invite(t.Context(), mary, models.User{Email: "a@x.example", Role: models.RoleViewer})
		ok(t, err)
		for key, id := range map[string]int64{"one": user.ID, "two": user.ID, "other": user.ID + 1} {
			ok(t, s.Sessions.Save(t.Context(), models.Session{Key: key, UserID: id, Data: []byte{}}))
		}
		ok(t, s.Sessions.DeleteAll(t.Context(), user))
		for key, gone := range map[string]bool{"one": true, "two": true, "other": false} {
			_, err := s.Sessions.Get(t.Context(), key)
			want(t, key, errors.Is(err, models.ErrNotFound), gone)
		}
		want(t, "audit", lines(t, s, 1)[0], "login.ended_all|a@x.example|")
	})
}
