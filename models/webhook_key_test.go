package models_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestKeysAreUnique: no two webhooks have one key, whichever way they get it,
// and a deleted one gives its key back.
func TestKeysAreUnique(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		keyed := func(in *models.WebhookInput) { in.Key = "python-accepted" }
		first, other := create(t, s, keyed), create(t, s, nil)
		create(t, s, nil) // any number have none
		found, err := s.Webhooks.ByKey(t.Context(), "python-accepted")
		ok(t, err)
		if found.ID != first.ID || found.Key != "python-accepted" {
			t.Errorf("found %d %q", found.ID, found.Key)
		}
		for _, key := range []string{"", "python"} {
			_, err = s.Webhooks.ByKey(t.Context(), key)
			want(t, "key "+key, err, models.ErrNotFound)
		}
		in := input()
		keyed(&in)
		_, err = s.Webhooks.Create(t.Context(), mary, in)
		want(t, "created twice", err, models.ErrExists)
		_, err = s.Webhooks.Update(t.Context(), mary, other.ID, other.UpdatedAt, in)
		want(t, "taken by a save", err, models.ErrExists)
		_, err = s.Webhooks.Update(t.Context(), mary, first.ID, first.UpdatedAt, in)
		ok(t, err)

		_, err = s.Webhooks.Delete(t.Context(), mary, first.ID)
		ok(t, err)
		_, err = s.Webhooks.Update(t.Context(), mary, other.ID, other.UpdatedAt, in)
		ok(t, err)
	})
}

// TestAKeyAtTheSameMoment: of many that ask for a key at once, one gets it and
// the others are told so.
func TestAKeyAtTheSameMoment(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		in := input()
		in.Key = "wanted"
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() { _, errs[i] = s.Webhooks.Create(t.Context(), mary, in) })
		}
		wg.Wait()
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
			} else if !errors.Is(err, models.ErrExists) {
				t.Errorf("one is told: %v", err)
			}
		}
		if made != 1 {
			t.Errorf("%d have the key", made)
		}
	})
}

// TestWhatATokenMay: manage includes read, and nothing else includes anything.
func TestWhatATokenMay(t *testing.T) {
	scopes := []string{models.ScopeIngest, models.ScopeRead, models.ScopeManage, models.ScopeSuperOffice}
	for _, has := range scopes {
		for _, needs := range scopes {
			may := has == needs || has == models.ScopeManage && needs == models.ScopeRead
			if got := (models.Token{Scope: has}).Allows(needs); got != may {
				t.Errorf("%s allows %s: %v", has, needs, got)
			}
		}
	}
	if !(models.Token{}).Within().All() {
		t.Error("a token without a location is limited")
	}
	if in := (models.Token{Location: "team"}).Within(); in.All() || !in.Has("team") || in.Has("main") {
		t.Errorf("a bound token sees %v", in)
	}
}
