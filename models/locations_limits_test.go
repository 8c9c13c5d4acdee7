package models_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestEventsRegisterSoManyLocations: events of one location too many are refused
// whole, while those of known locations, and of what an administrator adds, are stored.
func TestEventsRegisterSoManyLocations(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		have := rowsLeft(t, s, "locations")
		var rows []models.Location
		for i := range models.MaxLocations - 1 - int(have) {
			rows = append(rows, models.Location{Slug: "team-" + strconv.Itoa(i), Name: "Team", CreatedAt: clock.Now()})
		}
		ok(t, s.DB().CreateInBatches(&rows, 1000).Error)
		at := func(id, location string) models.NewEvent {
			e := event(id)
			e.Location = location
			return e
		}
		refused := func(what string, missing int, events ...models.NewEvent) {
			t.Helper()
			err := record(t, s, events...)
			full, is := errors.AsType[*models.LocationLimitError](err)
			if !is || len(full.Slugs) != missing || !strings.Contains(err.Error(), "10000 locations are registered, the most that events may register, and "+strconv.Itoa(missing)+" more are named") {
				t.Errorf("%s: %v", what, err)
			}
		}
		refused("two more", 2, at("a", "main"), at("b", "new-1"), at("c", "new-2"))
		want(t, "events", rowsLeft(t, s, "events"), 0)
		ok(t, record(t, s, at("a", "main"), at("b", "new-1"), at("c", "team-7")))
		refused("the next", 1, at("d", "main"), at("e", "new-2"), at("f", "team-8"))
		refused("again, before it shares a transaction", 1, at("d", "main"), at("e", "new-2"), at("f", "team-8"))
		ok(t, record(t, s, at("d", "team-9")))
		ok(t, s.Locations.Create(t.Context(), mary, "new-2", models.Label{Name: "New"}))
		ok(t, record(t, s, at("e", "new-2")))
		want(t, "events", rowsLeft(t, s, "events"), 5)
		var registered []string
		ok(t, s.DB().Model(&models.Location{}).Where("slug like 'new-%'").Order("slug").Pluck("slug", &registered).Error)
		if !slices.Equal(registered, []string{"new-1", "new-2"}) {
			t.Errorf("registered: %v", registered)
		}
	})
}
