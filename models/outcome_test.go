package models_test

import (
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// attempted is one attempt of a delivery by a holder of no lease, and its
// consequence.
func attempted(d models.DeliveryRow, at time.Time, state string, due *time.Time) models.Outcome {
	return models.Outcome{State: state, DueAt: due, Round: d.Round + 1, Reason: "it failed", Attempt: models.Attempt{
		DeliveryID: d.ID, WebhookID: d.WebhookID, StartedAt: at, DurationUS: 2000, Code: 503, Manual: d.Resend,
		RequestHeaders: []byte("[]"), ResponseHeaders: []byte("[]"), ResponseBody: []byte{},
	}}
}

func get(t *testing.T, s *models.Store, publicID string) models.DeliveryRow {
	t.Helper()
	row, err := s.Deliveries.Get(t.Context(), models.AllLocations(), publicID)
	ok(t, err)
	return row
}

// When the answer to a commit is lost, its outcomes are recorded again. They
// count once.
func TestAnOutcomeRecordedAgainCountsOnce(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		w := create(t, s, nil)
		ok(t, record(t, s, event("a"), event("b")))
		d := deliver(t, s, w, "one", "a", "b")
		at, due := clock.Now(), clock.Now().Add(time.Minute)
		for range 2 {
			o := attempted(d, at, models.DeliveryRetrying, &due)
			ok(t, s.Lanes.Record(t.Context(), w.ID, "", []models.Outcome{o}, models.LaneHealth{FailuresInRow: 1}))
		}
		attempts, err := s.Deliveries.Attempts(t.Context(), d.ID)
		ok(t, err)
		hours, err := s.Webhooks.Hours(t.Context(), []int64{w.ID}, at.Add(-time.Hour))
		ok(t, err)
		work, err := s.Lanes.Reload(t.Context(), w.ID)
		ok(t, err)
		clock.Add(2 * time.Minute)
		work.Now = clock.Now()
		rows, _, err := s.Lanes.Due(t.Context(), work, models.DueQuery{At: work.Now, Limit: 10})
		ok(t, err)
		if len(attempts) != 1 || len(hours[w.ID]) != 1 || hours[w.ID][0].Failed != 1 || len(rows) != 1 || rows[0].Tries != 1 || rows[0].Round != 1 {
			t.Errorf("%d attempts, hours %+v, next %+v", len(attempts), hours[w.ID], rows)
		}
	})
}

// A holder that lost its lease adds the attempt that it made. What its
// successor stored stays.
func TestALateOutcomeChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		w := create(t, s, nil)
		ok(t, record(t, s, event("a"), event("b")))
		d := deliver(t, s, w, "one", "a", "b")
		at := clock.Now()
		finish(t, s, d, models.DeliveryDelivered, 200)
		late := attempted(d, at.Add(-time.Second), models.DeliveryFailed, nil)
		ok(t, s.Lanes.Record(t.Context(), w.ID, "late", []models.Outcome{late}, models.LaneHealth{FailuresInRow: 1, Broken: "gone"}))
		row := get(t, s, "one")
		lane, err := s.Lanes.Reload(t.Context(), w.ID)
		ok(t, err)
		hours, err := s.Webhooks.Hours(t.Context(), []int64{w.ID}, at.Add(-2*time.Hour))
		ok(t, err)
		if row.State != models.DeliveryDelivered || row.Tries != 2 || row.LastCode != 200 || row.Webhook.State != models.WebhookActive || lane.Lane.FailuresInRow != 0 {
			t.Errorf("%+v, %+v", row, lane.Lane)
		}
		for _, h := range hours[w.ID] {
			want(t, "failures counted", h.Failed, 0)
		}
	})
}

// An attempt that was under way when its delivery was dropped does not make it
// due again, not even when it is to be resent; it is delivered if that arrives.
func TestAnAttemptAfterADrop(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		w := create(t, s, nil)
		for i, id := range []string{"fails", "ends", "arrives", "resent"} {
			ok(t, record(t, s, event(id), event(id+"2")))
			deliver(t, s, w, id, id, id+"2")
			clock.Add(time.Duration(i+1) * time.Second)
		}
		rows := map[string]models.DeliveryRow{}
		for _, id := range []string{"fails", "ends", "arrives", "resent"} {
			rows[id] = get(t, s, id)
		}
		ok(t, s.Webhooks.Pause(t.Context(), mary, w.ID))
		n, err := s.Webhooks.Resume(t.Context(), mary, w.ID, true)
		ok(t, err)
		want(t, "dropped", n, 4)
		ok(t, s.Deliveries.Resend(t.Context(), mary, "resent"))
		now, due := clock.Now(), clock.Now().Add(time.Minute)
		arrived := attempted(rows["arrives"], now, models.DeliveryDelivered, nil)
		arrived.Attempt.Arrived = true
		ok(t, s.Lanes.Record(t.Context(), w.ID, "", []models.Outcome{
			attempted(rows["fails"], now, models.DeliveryRetrying, &due), attempted(rows["ends"], now, models.DeliveryFailed, nil), arrived,
			attempted(rows["resent"], now, models.DeliveryRetrying, &due),
		}, models.LaneHealth{}))
		for id, state := range map[string]string{
			"fails": models.DeliveryDropped, "ends": models.DeliveryDropped, "arrives": models.DeliveryDelivered, "resent": models.DeliveryDropped,
		} {
			row := get(t, s, id)
			if row.State != state || (row.DueAt != nil) != (id == "resent") || row.Tries != 1 {
				t.Errorf("%s: %+v", id, row.Delivery)
			}
			if state == models.DeliveryDropped && row.Reason != "dropped by "+mary.Name {
				t.Errorf("%s: %q", id, row.Reason)
			}
		}
		if row := get(t, s, "resent"); !row.Resend || !row.DueAt.Equal(now) {
			t.Errorf("resent: %+v", row.Delivery)
		}
	})
}

// Resume begins the schedule anew; switching the feature on moves the due times
// only.
func TestTheScheduleAfterResumeAndAfterTheFeature(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		w := create(t, s, nil)
		ok(t, record(t, s, event("a"), event("b")))
		deliver(t, s, w, "one", "a", "b")
		since := clock.Now()
		for i := range 7 {
			clock.Add(time.Second)
			later := clock.Now().Add(time.Hour)
			d := get(t, s, "one")
			ok(t, s.Lanes.Record(t.Context(), w.ID, "", []models.Outcome{attempted(d, clock.Now(), models.DeliveryRetrying, &later)},
				models.LaneHealth{FailuresInRow: i + 1, FailingSince: &since, LastFailureAt: &since}))
		}
		check := func(what, state string, round, failures int) {
			t.Helper()
			row := get(t, s, "one")
			work, err := s.Lanes.Reload(t.Context(), w.ID)
			ok(t, err)
			if row.State != state || row.Round != round || row.Tries != 7 || row.DueAt.After(clock.Now()) || work.Lane.FailuresInRow != failures || (work.Lane.FailingSince == nil) != (failures == 0) {
				t.Errorf("%s: %+v, %+v", what, row.Delivery, work.Lane)
			}
		}
		ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "False", "test"))
		ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "True", "test"))
		check("switched on", models.DeliveryRetrying, 7, 7)
		ok(t, s.Webhooks.Pause(t.Context(), mary, w.ID))
		n, err := s.Webhooks.Resume(t.Context(), mary, w.ID, false)
		ok(t, err)
		want(t, "released", n, 1)
		check("resumed", models.DeliveryPending, 0, 0)
	})
}
