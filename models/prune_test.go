package models_test

import (
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// removed are numbers of rows.
type removed struct{ deliveries, events, expired int64 }

// prune makes a whole pass.
func prune(t *testing.T, s *models.Store) (sum removed) {
	t.Helper()
	for pass := s.Pruning(); ; {
		p, err := pass.Step(t.Context())
		ok(t, err)
		sum = removed{sum.deliveries + p.Deliveries, sum.events + p.Events, sum.expired + p.Expired}
		if !p.More {
			return sum
		}
	}
}

const pastRetention = 31 * 24 * time.Hour

// What waits while it can be sent does not expire, however old it is, and
// neither does what the feature holds since just now.
func TestWhatIsHeldSinceJustNowDoesNotExpire(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		w := create(t, s, nil)
		ok(t, record(t, s, event("a"), event("b")))
		deliver(t, s, w, "one", "a", "b")
		clock.Add(pastRetention)
		want(t, "while it can be sent", prune(t, s), removed{})
		ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "False", "test"))
		clock.Add(time.Minute)
		want(t, "held since just now", prune(t, s), removed{})
		want(t, "state", get(t, s, "one").State, models.DeliveryPending)
		clock.Add(pastRetention)
		want(t, "held for long", prune(t, s), removed{expired: 1})
		row := get(t, s, "one")
		if row.State != models.DeliveryDropped || row.Reason != "expired while held" || row.DueAt != nil || !row.FinishedAt.Equal(clock.Now()) {
			t.Errorf("%+v", row.Delivery)
		}
	})
}

// A delivery that is to be resent is kept, and so are the events inside and
// those merged into them. When the resend expires it is as it was before.
func TestWhatIsToBeResentIsKept(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		w := create(t, s, nil)
		old, newest := event("old"), event("new")
		old.MergeKey, newest.MergeKey = "same", "same"
		ok(t, record(t, s, old, newest))
		modelstest.Dispatch(t, s, func(_ *models.Dispatch, due []models.Event) models.Decision {
			if len(due) != 2 {
				t.Fatalf("%d are due", len(due))
			}
			return models.Decision{Events: due, MergedInto: map[int64]int64{due[0].ID: due[1].ID}, Deliveries: []models.NewDelivery{{
				Events: []int64{due[1].ID}, Delivery: models.Delivery{
					PublicID: "one", WebhookID: w.ID, Location: "main", EventTypes: ",question.created,", Items: 1, Body: []byte("body"),
				},
			}}}
		})
		finish(t, s, get(t, s, "one"), models.DeliveryFailed, 500)
		clock.Add(pastRetention - 48*time.Hour)
		ok(t, s.Deliveries.Resend(t.Context(), mary, "one"))
		ok(t, s.Webhooks.Pause(t.Context(), mary, w.ID))
		clock.Add(48 * time.Hour)
		want(t, "while it waits to be resent", prune(t, s), removed{})
		merged := func() int {
			e, err := s.Events.Get(t.Context(), "main", "new")
			ok(t, err)
			list, err := s.Events.MergedFrom(t.Context(), e.ID)
			ok(t, err)
			return len(list)
		}
		want(t, "merged events", merged(), 1)
		clock.Add(pastRetention - 24*time.Hour)
		want(t, "at last", prune(t, s), removed{deliveries: 1, events: 2, expired: 1})
	})
}

// Resends that wait when their webhook breaks are held, and counted wherever
// held deliveries are. Dropping them leaves the deliveries as they were.
func TestQueuedResendsAreHeld(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		var dropped int64
		s.Finished = func(_, _ string, n int64) { dropped += n }
		w := create(t, s, nil)
		many(t, s, w, 30, clock.Now())
		resendable, err := s.Deliveries.Resendable(t.Context(), models.DeliveryQuery{Within: models.AllLocations()})
		ok(t, err)
		r, err := s.Deliveries.ResendAll(t.Context(), mary, models.DeliveryQuery{Within: models.AllLocations()}, resendable, "all")
		ok(t, err)
		want(t, "resent", r.Total, 30)
		finish(t, s, get(t, s, "m-1-0"), models.DeliveryDelivered, 500)
		ok(t, s.Webhooks.Break(t.Context(), w.ID, "The receiver answered 410 Gone."))

		left, err := s.Deliveries.Unsent(t.Context(), models.AllLocations(), r.At)
		ok(t, err)
		want(t, "progress", left, models.Unsent{N: 29, Held: 29})
		page, err := s.Deliveries.Search(t.Context(), models.DeliveryQuery{Within: models.AllLocations(), State: models.StateHeld, Limit: 50})
		ok(t, err)
		want(t, "filter", len(page.Rows), 29)
		page, err = s.Deliveries.Search(t.Context(), models.DeliveryQuery{Within: models.AllLocations(), State: models.StateHeld, WebhookID: w.ID, Limit: 50})
		ok(t, err)
		want(t, "filter by webhook", len(page.Rows), 29)
		for _, row := range page.Rows {
			if !row.Held || row.HeldWhy == "" || row.State != models.DeliveryDelivered {
				t.Errorf("%+v", row)
			}
		}
		waiting, err := s.Webhooks.Waiting(t.Context(), w.ID)
		ok(t, err)
		want(t, "asked before resuming", waiting, 29)
		depth, err := s.Deliveries.Depth(t.Context())
		ok(t, err)
		want(t, "system", depth.Waiting, 29)
		list, err := s.Webhooks.List(t.Context(), models.WebhookQuery{Within: models.AllLocations(), Limit: 10})
		ok(t, err)
		want(t, "list", list.Rows[0].Held, 29)
		snapshot, err := s.Snapshot(t.Context())
		ok(t, err)
		banner, err := s.Webhooks.Attention(t.Context(), models.AllLocations(), snapshot)
		ok(t, err)
		want(t, "banner", banner[0].Held, 29)

		n, err := s.Webhooks.Resume(t.Context(), mary, w.ID, true)
		ok(t, err)
		want(t, "dropped", n, 29)
		want(t, "final states", dropped, 0)
		if row := get(t, s, "m-1-29"); row.State != models.DeliveryDelivered || row.DueAt != nil || row.FinishedAt == nil {
			t.Errorf("after the drop: %+v", row.Delivery)
		}
	})
}
