package models_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

var mary = models.Actor{UserID: 3, Name: "Mary Wilkins"}

// addMary makes mary a member, so that she can own webhooks.
func addMary(t *testing.T, s *models.Store) {
	t.Helper()
	for _, name := range []string{"One", "Two", mary.Name} {
		u, err := s.Users.Create(t.Context(), models.User{Email: strings.ToLower(strings.Fields(name)[0]) + "@example.com", Name: name, Role: models.RoleAdministrator})
		ok(t, err)
		if name == mary.Name && u.ID != mary.UserID {
			t.Fatalf("mary is member %d", u.ID)
		}
	}
}

func input() models.WebhookInput {
	return models.WebhookInput{
		Type: "generic", Name: "Python Accepted Answers", Location: "main", TagMode: models.TagsAll,
		Events: []string{"question.created"}, Tags: []string{},
		URL: "https://example.com/hook?token=1", URLShown: "https://example.com/hook",
	}
}

func create(t *testing.T, s *models.Store, change func(*models.WebhookInput)) models.Webhook {
	t.Helper()
	in := input()
	if change != nil {
		change(&in)
	}
	w, err := s.Webhooks.Create(t.Context(), mary, in)
	ok(t, err)
	return w
}

func TestWebhookIsSealedAndKept(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		w := create(t, s, func(in *models.WebhookInput) {
			in.Secrets[0].Set, in.Secrets[1].Set = "first-secret-0001", "second-secret-002"
			in.Headers = []models.Header{{Name: "X-Env", Value: "production"}}
			in.Options = map[string]string{"digest": "sha1"}
		})
		clock.Add(time.Minute)
		got, err := s.Webhooks.Get(t.Context(), models.AllLocations(), w.ID)
		ok(t, err)
		opened, err := s.Webhooks.Open(got)
		ok(t, err)
		if opened.URL != "https://example.com/hook?token=1" || opened.Secrets != [2]string{"first-secret-0001", "second-secret-002"} ||
			opened.Headers[0].Value != "production" || got.Options["digest"] != "sha1" || got.OwnerName != "Mary Wilkins" {
			t.Errorf("opened %+v of %+v", opened, got)
		}
		// Keep one secret, clear the other, replace the headers.
		in := input()
		in.Secrets[1].Clear = true
		in.Headers = []models.Header{}
		got, err = s.Webhooks.Update(t.Context(), mary, w.ID, got.UpdatedAt, in)
		ok(t, err)
		opened, err = s.Webhooks.Open(got)
		ok(t, err)
		if opened.Secrets != [2]string{"first-secret-0001", ""} || len(opened.Headers) > 0 || got.Secret2SetAt != nil || got.Secret1SetAt == nil {
			t.Errorf("after the update: %+v, %+v", opened, got)
		}
		raw := dump(t, s)
		for _, secret := range []string{"first-secret", "token=1", "production"} {
			if strings.Contains(raw, secret) {
				t.Errorf("the database holds %q in clear", secret)
			}
		}
	})
}

func TestUpdateOfAStaleFormIsRefused(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		w := create(t, s, nil)
		in := input()
		in.Name = "First"
		_, err := s.Webhooks.Update(t.Context(), mary, w.ID, w.UpdatedAt, in)
		ok(t, err)
		in.Name = "Second"
		_, err = s.Webhooks.Update(t.Context(), models.Actor{Name: "JR Winger"}, w.ID, w.UpdatedAt, in)
		var conflict *models.ConflictError
		if !errors.As(err, &conflict) || conflict.By != "Mary Wilkins" {
			t.Fatalf("stale update: %v", err)
		}
		got, err := s.Webhooks.Get(t.Context(), models.AllLocations(), w.ID)
		ok(t, err)
		if got.Name != "First" {
			t.Errorf("name is %q", got.Name)
		}
		if _, err := s.Webhooks.Update(t.Context(), mary, 999, w.UpdatedAt, in); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("unknown id: %v", err)
		}
	})
}

func TestDeletedWebhookIsKeptForTheHistory(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		w := create(t, s, nil)
		before, err := s.Webhooks.VersionsAt(t.Context(), "main", 0)
		ok(t, err)
		_, err = s.Webhooks.Delete(t.Context(), mary, w.ID)
		ok(t, err)
		if _, err := s.Webhooks.Get(t.Context(), models.AllLocations(), w.ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("still there: %v", err)
		}
		gone, err := s.Webhooks.GetAny(t.Context(), models.AllLocations(), w.ID)
		ok(t, err)
		now, err := s.Webhooks.VersionsAt(t.Context(), "main", 0)
		ok(t, err)
		then, err := s.Webhooks.VersionsAt(t.Context(), "main", before[0].Version)
		ok(t, err)
		if gone.Name != w.Name || gone.URL != "" || len(before) != 1 || len(now) != 0 || len(then) != 1 {
			t.Errorf("gone %+v, versions before %d, now %d, then %d", gone, len(before), len(now), len(then))
		}
	})
}

func TestVersionsTellTheFilterOfThen(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		w := create(t, s, nil)
		first, err := s.Webhooks.VersionsAt(t.Context(), "main", 0)
		ok(t, err)
		in := input()
		in.TagMode, in.Tags = models.TagsSpecific, []string{"go"}
		w, err = s.Webhooks.Update(t.Context(), mary, w.ID, w.UpdatedAt, in)
		ok(t, err)
		in.Location = "devcentral"
		_, err = s.Webhooks.Update(t.Context(), mary, w.ID, w.UpdatedAt, in)
		ok(t, err)
		then, err := s.Webhooks.VersionsAt(t.Context(), "main", first[0].Version)
		ok(t, err)
		between, err := s.Webhooks.VersionsAt(t.Context(), "main", first[0].Version+1)
		ok(t, err)
		now, err := s.Webhooks.VersionsAt(t.Context(), "main", 0)
		ok(t, err)
		if then[0].TagMode != models.TagsAll || between[0].Tags[0] != "go" || len(now) != 0 {
			t.Errorf("then %+v, between %+v, now %+v", then, between, now)
		}
	})
}

func TestSettingsKeepTheirHistory(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		ok(t, s.Settings.Change(t.Context(), mary, models.DispatchDelay, "3", "quicker"))
		ok(t, s.Settings.Change(t.Context(), mary, models.DispatchDelay, "30", "calmer"))
		got, err := s.Settings.Get(t.Context())
		ok(t, err)
		history, err := s.Settings.History(t.Context(), models.DispatchDelay)
		ok(t, err)
		if got.DispatchDelay != 30*time.Second || got.DispatchInterval != 5*time.Second || got.GenericEnabled || !got.TriggerHistory {
			t.Errorf("settings %+v", got)
		}
		if len(history) != 2 || history[0].OldValue != "3" || history[0].NewValue != "30" || history[0].Reason != "calmer" ||
			history[1].OldValue != "10" || history[0].ByName != "Mary Wilkins" {
			t.Errorf("history %+v", history)
		}
		if err := s.Settings.Change(t.Context(), mary, "Webhooks.Nothing", "1", "x"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("unknown setting: %v", err)
		}
	})
}

func TestSettingCheck(t *testing.T) {
	for name, values := range map[string]map[string]bool{
		models.EnableGenericWebhooks: {"True": true, "False": true, "true": false, "1": false, "": false},
		models.DispatchInterval:      {"0": true, "3600": true, "3601": false, "-1": false, "1.5": false, "": false},
		models.HistoryRetentionDays:  {"0": false, "1": true, "3650": true, "99999999999": false},
	} {
		def, _ := models.SettingByName(name)
		for value, want := range values {
			if _, err := def.Check(value); (err == nil) != want {
				t.Errorf("%s = %q: %v", name, value, err)
			}
		}
	}
}
