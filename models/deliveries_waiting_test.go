package models_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestWaitingComesInOrder pages through two states at once.
func TestWaitingComesInOrder(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "True", "test"))
		open, shut := create(t, s, nil), create(t, s, nil)
		now := clock.Now()
		for i := range 12 {
			w, state := open, models.DeliveryPending
			if i%3 == 0 {
				state = models.DeliveryRetrying
			}
			if i%2 == 0 {
				w = shut
			}
			ok(t, s.AddDeliveries(t.Context(), models.Delivery{
				PublicID: fmt.Sprint("d", i), WebhookID: w.ID, Location: "main", Items: 1, State: state, DueAt: &now, CreatedAt: now, Body: []byte("x"),
			}))
		}
		many(t, s, open, 3, now)
		ok(t, s.Webhooks.Pause(t.Context(), mary, shut.ID))
		pages := func(q models.DeliveryQuery) string {
			var found []string
			for q.Limit = 5; ; {
				page, err := s.Deliveries.Search(t.Context(), q)
				ok(t, err)
				for _, row := range page.Rows {
					found = append(found, row.PublicID)
				}
				if q.Before = page.Next; q.Before == 0 {
					return strings.Join(found, " ")
				}
				found = append(found, "|")
			}
		}
		want(t, "waiting", pages(models.DeliveryQuery{Within: models.AllLocations(), State: models.StateWaiting}), "d11 d10 d9 d8 d7 | d6 d5 d4 d3 d2 | d1 d0")
		want(t, "held", pages(models.DeliveryQuery{Within: models.AllLocations(), State: models.StateHeld}), "d10 d8 d6 d4 d2 | d0")
		want(t, "of one", pages(models.DeliveryQuery{Within: models.AllLocations(), State: models.StateWaiting, WebhookID: open.ID}), "d11 d9 d7 d5 d3 | d1")
		want(t, "held of one that sends", pages(models.DeliveryQuery{Within: models.AllLocations(), State: models.StateHeld, WebhookID: open.ID}), "")
		ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "False", "test"))
		want(t, "held by the setting", pages(models.DeliveryQuery{Within: models.AllLocations(), State: models.StateHeld}), pages(models.DeliveryQuery{Within: models.AllLocations(), State: models.StateWaiting}))
		rows, more, err := s.Deliveries.List(t.Context(), models.DeliveryQuery{Within: models.AllLocations(), State: models.StateWaiting, Limit: 12})
		ok(t, err)
		if len(rows) != 12 || more || !rows[11].Held {
			t.Errorf("%d rows, more: %v", len(rows), more)
		}
	})
}
