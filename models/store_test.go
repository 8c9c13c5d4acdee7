package models_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
	"github.com/sitehooks/sitehooks/models/secret"
)

func each(t *testing.T, test func(t *testing.T, s *models.Store, clock *modelstest.Clock)) {
	t.Helper()
	modelstest.Each(t, test)
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestThreeInstancesStartAtOnce(t *testing.T) {
	o := modelstest.Options(t, "postgres")
	o.DatabaseURL = modelstest.PostgresURL(t) // without the schema
	var wg sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		wg.Go(func() {
			s, err := models.Open(t.Context(), o)
			if err == nil {
				s.Close()
			}
			errs[i] = err
		})
	}
	wg.Wait()
	for _, err := range errs {
		ok(t, err)
	}
}

func TestWrongKeyIsToldAtStart(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			o := modelstest.Options(t, kind)
			modelstest.Open(t, o)
			var err error
			o.Box, err = secret.NewBox(bytes.Repeat([]byte{9}, secret.KeySize))
			ok(t, err)
			_, err = models.Open(t.Context(), o)
			if !errors.Is(err, secret.ErrWrongKey) {
				t.Fatalf("opened with another key: %v", err)
			}
		})
	}
}

func TestRekey(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			o := modelstest.Options(t, kind)
			s := modelstest.Open(t, o)
			w := create(t, s, func(in *models.WebhookInput) { in.Secrets[0].Set = "first-secret-0001" })
			s.Close()
			fresh := bytes.Repeat([]byte{9}, secret.KeySize)
			var err error
			o.Box, err = secret.NewBox(fresh, modelstest.Key())
			ok(t, err)
			s = modelstest.Open(t, o)
			n, err := s.Rekey(t.Context())
			ok(t, err)
			if n != 1 {
				t.Errorf("sealed %d webhooks anew, want 1", n)
			}
			s.Close()
			o.Box, err = secret.NewBox(fresh)
			ok(t, err)
			s = modelstest.Open(t, o)
			w, err = s.Webhooks.Get(t.Context(), models.AllLocations(), w.ID)
			ok(t, err)
			opened, err := s.Webhooks.Open(w)
			ok(t, err)
			if opened.Secrets[0] != "first-secret-0001" || opened.URL != "https://example.com/hook?token=1" {
				t.Errorf("opened %+v", opened)
			}
		})
	}
}

func TestSearchTextIsTakenLiterally(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		create(t, s, func(in *models.WebhookInput) { in.Name = "100% of it_all!" })
		create(t, s, func(in *models.WebhookInput) { in.Name = "1000 of itXall" })
		for search, want := range map[string]int64{"100%": 1, "it_all!": 1, "OF IT": 2, "": 2, "nothing": 0} {
			page, err := s.Webhooks.List(t.Context(), models.WebhookQuery{Within: models.AllLocations(), Search: search, Limit: 10})
			ok(t, err)
			if page.Matched != want || page.All != 2 || int64(len(page.Rows)) != want {
				t.Errorf("%q: matched %d of %d, %d rows; want %d", search, page.Matched, page.All, len(page.Rows), want)
			}
		}
	})
}

// An error says what was being done, and still is the error that callers tell
// apart.
func TestErrorsSayWhere(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_, get := s.Webhooks.Get(t.Context(), models.AllLocations(), 7)
		_, change := s.Users.Invite(gone, mary, models.User{Email: "new@example.com", Role: models.RoleViewer})
		_, _, record := s.Events.Record(gone, []models.NewEvent{{EventID: "a", Type: "question.created", Location: "main", Payload: []byte("{}")}})
		_, location := s.Locations.Get(gone, models.AllLocations(), "main")
		for _, c := range []struct {
			err, is error
			where   string
		}{
			{get, models.ErrNotFound, "get webhook 7: not found"},
			{s.Users.SetPassword(t.Context(), 9, "x"), models.ErrNotFound, "set password of member 9: not found"},
			{change, context.Canceled, "invite member: "},
			{record, context.Canceled, "record events: "},
			{location, context.Canceled, "get location main: "},
		} {
			if !errors.Is(c.err, c.is) || !strings.HasPrefix(c.err.Error(), c.where) {
				t.Errorf("%v; want %q and %v", c.err, c.where, c.is)
			}
		}
	})
}
