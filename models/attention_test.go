package models_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

func snapshot(t *testing.T, s *models.Store) models.Snapshot {
	t.Helper()
	at, err := s.Snapshot(t.Context())
	ok(t, err)
	return at
}

func TestAttention(t *testing.T) {
	const day = 24 * time.Hour
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		attention := func() []models.Attention {
			t.Helper()
			list, err := s.Webhooks.Attention(t.Context(), models.AllLocations(), snapshot(t, s))
			ok(t, err)
			return list
		}
		ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "True", "why"))
		broken := create(t, s, func(in *models.WebhookInput) { in.Name = "broken" })
		stopped := create(t, s, func(in *models.WebhookInput) { in.Name = "stopped" })
		idle := create(t, s, func(in *models.WebhookInput) { in.Name = "idle" })
		if list := attention(); len(list) != 0 {
			t.Fatalf("nothing is wrong, yet there is %+v", list)
		}
		start, err := s.Now(t.Context())
		ok(t, err)
		for i, w := range []models.Webhook{broken, broken, stopped} {
			ok(t, s.AddDeliveries(t.Context(), models.Delivery{
				PublicID: string(rune('a' + i)), WebhookID: w.ID, Location: "main", EventTypes: ",question.created,", Items: 1,
				State: models.DeliveryPending, CreatedAt: start.Add(-day), DueAt: &start, Body: []byte("x"),
			}))
		}
		ok(t, s.Webhooks.Break(t.Context(), broken.ID, "The receiver answered 410 Gone."))
		ok(t, s.Webhooks.Pause(t.Context(), mary, stopped.ID))
		ok(t, s.Webhooks.Pause(t.Context(), mary, idle.ID))
		list := attention()
		if len(list) != 1 {
			t.Fatalf("it lists %+v", list)
		}
		a := list[0]
		if a.WebhookID != broken.ID || a.Name != "broken" || a.Reason != "The receiver answered 410 Gone." || a.Held != 2 || a.More || a.Alike != 1 || a.Soon {
			t.Errorf("the broken one is %+v", a)
		}
		// Held since it broke, not since it was made.
		if d := a.ExpiresAt.Sub(start); d < 30*day || d > 30*day+time.Hour {
			t.Errorf("it expires after %v", d)
		}

		clock.Add(16 * day)
		list = attention()
		if len(list) != 2 || !list[0].Soon || list[1].WebhookID != stopped.ID || !list[1].Soon || list[1].Held != 1 {
			t.Fatalf("past half the retention it lists %+v", list)
		}
		_, err = s.Webhooks.Delete(t.Context(), mary, broken.ID)
		ok(t, err)
		_, err = s.Webhooks.Resume(t.Context(), mary, stopped.ID, false)
		ok(t, err)
		if list = attention(); len(list) != 0 {
			t.Errorf("all is well, yet there is %+v", list)
		}
	})
}

// TestAttentionToWhatIsSwitchedOff: deliveries held because of the feature
// expire too, and are announced as one.
func TestAttentionToWhatIsSwitchedOff(t *testing.T) {
	const day = 24 * time.Hour
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "True", "why"))
		w := create(t, s, nil)
		start, err := s.Now(t.Context())
		ok(t, err)
		for _, id := range []string{"a", "b"} {
			ok(t, s.AddDeliveries(t.Context(), models.Delivery{
				PublicID: id, WebhookID: w.ID, Location: "main", EventTypes: ",question.created,", Items: 1,
				State: models.DeliveryPending, CreatedAt: start, DueAt: &start, Body: []byte("x"),
			}))
		}
		clock.Add(day)
		ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "False", "why"))
		clock.Add(14 * day)
		list, err := s.Webhooks.Attention(t.Context(), models.AllLocations(), snapshot(t, s))
		ok(t, err)
		if len(list) != 0 {
			t.Errorf("before half of the time it lists %+v", list)
		}
		clock.Add(2 * day)
		list, err = s.Webhooks.Attention(t.Context(), models.AllLocations(), snapshot(t, s))
		ok(t, err)
		if len(list) != 1 || list[0].State != models.AttentionOff || list[0].Held != 2 || list[0].More || !list[0].Soon {
			t.Fatalf("after half of the time it lists %+v", list)
		}
		if d := list[0].ExpiresAt.Sub(start); d < 31*day || d > 31*day+time.Hour {
			t.Errorf("it expires after %v", d)
		}
		// More than so many are not counted.
		for _, more := range []bool{false, true} {
			var rows []models.Delivery
			for i := range map[bool]int{false: models.HeldMax - 2, true: 1}[more] {
				rows = append(rows, models.Delivery{
					PublicID: fmt.Sprint(more, i), WebhookID: w.ID, Location: "main", EventTypes: ",question.created,", Items: 1,
					State: models.DeliveryPending, CreatedAt: clock.Now(), DueAt: &start, Body: []byte("x"),
				})
			}
			ok(t, s.AddDeliveries(t.Context(), rows...))
			list, err = s.Webhooks.Attention(t.Context(), models.AllLocations(), snapshot(t, s))
			ok(t, err)
			if len(list) != 1 || list[0].Held != models.HeldMax || list[0].More != more {
				t.Errorf("more than so many: %v, it lists %+v", more, list)
			}
		}
		ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "True", "why"))
		if list, err = s.Webhooks.Attention(t.Context(), models.AllLocations(), snapshot(t, s)); err != nil || len(list) != 0 {
			t.Errorf("switched on it lists %+v %v", list, err)
		}
	})
}

func TestAttentionIsShort(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		for range models.AttentionMax + 2 {
			ok(t, s.Webhooks.Break(t.Context(), create(t, s, nil).ID, "The receiver answered 410 Gone."))
		}
		list, err := s.Webhooks.Attention(t.Context(), models.AllLocations(), snapshot(t, s))
		ok(t, err)
		if len(list) != models.AttentionMax || list[0].Alike != models.AttentionMax+2 {
			t.Errorf("it lists %d of %+v", len(list), list)
		}
	})
}
