package models_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestTallies holds the hours that come as text against the rows they are made of.
func TestTallies(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		modelstest.Fill(t, s, modelstest.Size{Webhooks: 100, Events: 100, Deliveries: 100})
		now, err := s.Now(t.Context())
		ok(t, err)
		ids, since := []int64{1, 2, 50, 99, 1000}, now.Add(-9*time.Hour)
		hours, err := s.Webhooks.Hours(t.Context(), ids, since)
		ok(t, err)
		got, err := s.Webhooks.Tallies(t.Context(), ids, since)
		ok(t, err)
		if len(got) != 4 || len(got) != len(hours) {
			t.Errorf("%d webhooks, %d by their rows", len(got), len(hours))
		}
		for id, rows := range hours {
			slices.SortFunc(got[id], func(a, b models.Tally) int { return a.Hour.Compare(b.Hour) })
			same := func(a models.Tally, b models.WebhookHour) bool {
				return a.Hour.Equal(b.Hour) && a.Delivered == b.Delivered && a.Failed == b.Failed
			}
			if len(rows) < 9 || !slices.EqualFunc(got[id], rows, same) {
				t.Errorf("webhook %d: %v, its rows: %v", id, got[id], rows)
			}
		}
		if none, err := s.Webhooks.Tallies(t.Context(), nil, since); err != nil || len(none) != 0 {
			t.Errorf("of no webhooks: %v, %v", none, err)
		}
	})
}

// TestOwners compares the walk through the index with the list.
func TestOwners(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		if none, err := s.Webhooks.List(t.Context(), models.WebhookQuery{Within: models.AllLocations()}); err != nil || len(none.Owners) != 0 {
			t.Errorf("of no webhooks: %v, %v", none, err)
		}
		modelstest.Fill(t, s, modelstest.Size{Webhooks: 100, Events: 1, Deliveries: 1})
		list, err := s.Webhooks.List(t.Context(), models.WebhookQuery{Within: models.AllLocations(), Limit: 200})
		ok(t, err)
		names := map[int64]string{}
		for _, w := range list.Rows {
			names[w.OwnerID] = max(names[w.OwnerID], w.OwnerName)
		}
		got := list.Owners
		if len(got) != len(names) || !slices.IsSortedFunc(got, func(a, b models.Owner) int { return cmp.Compare(a.OwnerName, b.OwnerName) }) {
			t.Errorf("%d owners, the list has %d: %v", len(got), len(names), got)
		}
		for _, o := range got {
			if names[o.OwnerID] != o.OwnerName {
				t.Errorf("owner %d is %q, the list has %q", o.OwnerID, o.OwnerName, names[o.OwnerID])
			}
		}
	})
}
