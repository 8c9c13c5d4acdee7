package models_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// deliver makes a delivery of the events given to a webhook, with triggers,
// dispatching all that is due.
func deliver(t *testing.T, s *models.Store, w models.Webhook, publicID string, ids ...string) models.DeliveryRow {
	t.Helper()
	modelstest.Dispatch(t, s, func(run *models.Dispatch, due []models.Event) models.Decision {
		d := models.Decision{Events: due}
		n := models.NewDelivery{Delivery: models.Delivery{
			PublicID: publicID, WebhookID: w.ID, Location: w.Location, EventTypes: ",question.created,", Items: len(ids), Body: []byte("body"),
		}}
		for _, id := range ids {
			e, err := s.Events.Get(t.Context(), "main", id)
			ok(t, err)
			n.Events = append(n.Events, e.ID)
		}
		n.Unlogged = !run.Settings.TriggerHistory
		d.Deliveries = append(d.Deliveries, n)
		return d
	})
	row, err := s.Deliveries.Get(t.Context(), models.AllLocations(), publicID)
	ok(t, err)
	return row
}

// finish records an attempt that ends a delivery.
func finish(t *testing.T, s *models.Store, d models.DeliveryRow, state string, code int) {
	t.Helper()
	now, err := s.Now(t.Context())
	ok(t, err)
	err = s.Lanes.Record(t.Context(), d.WebhookID, "", []models.Outcome{{State: state, Attempt: models.Attempt{
		DeliveryID: d.ID, WebhookID: d.WebhookID, StartedAt: now, Code: code, Manual: d.Resend, Arrived: state == models.DeliveryDelivered,
		RequestHeaders: []byte("[]"), ResponseHeaders: []byte("[]"), ResponseBody: []byte("echo"),
	}}}, models.LaneHealth{})
	ok(t, err)
}

// many stores n finished deliveries of a webhook, one a second before now.
func many(t *testing.T, s *models.Store, w models.Webhook, n int, now time.Time) {
	t.Helper()
	for at := 0; at < n; at += 500 {
		var rows []models.Delivery
		for i := at; i < min(at+500, n); i++ {
			when := now.Add(time.Duration(i-n) * time.Second)
			rows = append(rows, models.Delivery{
				PublicID: fmt.Sprintf("m-%d-%d", w.ID, i), WebhookID: w.ID, Location: "main", EventTypes: ",question.created,", Items: 1,
				State: models.DeliveryDelivered, CreatedAt: when, FinishedAt: &when, Body: []byte("x"),
			})
		}
		ok(t, s.AddDeliveries(t.Context(), rows...))
	}
}

func dispatchAtOnce(t *testing.T, s *models.Store) {
	t.Helper()
	for _, name := range []string{models.DispatchInterval, models.DispatchDelay} {
		ok(t, s.Settings.Change(t.Context(), mary, name, "0", "test"))
	}
	ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "True", "test"))
}

func TestSearchLooksAtSoMuchAndGoesOn(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		w := create(t, s, nil)
		now := clock.Now()
		many(t, s, w, models.ScanMax+30, now)
		ok(t, s.DB().Exec("update attempts set code = 503, arrived = false where delivery_id in (5, 6, 20020)").Error)
		ok(t, s.DB().Exec("update deliveries set event_types = ',answer.created,' where id in (5, 6, 20020)").Error)
		page, err := s.Deliveries.Search(t.Context(), models.DeliveryQuery{Within: models.AllLocations(), CodeClass: 5, Limit: 10})
		ok(t, err)
		if len(page.Rows) != 3 || page.Scanned || page.Rows[2].ID != 5 || page.Rows[2].LastCode != 503 {
			t.Errorf("what failed: %+v", page)
		}
		q := models.DeliveryQuery{Within: models.AllLocations(), EventTypes: []string{"answer.created"}, Limit: 10}
		page, err = s.Deliveries.Search(t.Context(), q)
		ok(t, err)
		if len(page.Rows) != 1 || !page.Scanned || page.Rows[0].ID != 20020 {
			t.Fatalf("first: %d rows, next %d", len(page.Rows), page.Next)
		}
		q.Before = page.Next
		page, err = s.Deliveries.Search(t.Context(), q)
		ok(t, err)
		if len(page.Rows) != 2 || page.Next != 0 {
			t.Errorf("second: %d rows, next %d", len(page.Rows), page.Next)
		}
		q = models.DeliveryQuery{Within: models.AllLocations(), WebhookID: w.ID, State: models.DeliveryDropped, Limit: 10}
		page, err = s.Deliveries.Search(t.Context(), q)
		ok(t, err)
		want(t, "both filters scan", page.Scanned, true)
		// Time goes by ids, and needs no scan.
		from, to := now.Add(-20_010*time.Second), now.Add(-20_000*time.Second)
		page, err = s.Deliveries.Search(t.Context(), models.DeliveryQuery{Within: models.AllLocations(), From: from, To: to, Limit: 100})
		ok(t, err)
		if len(page.Rows) != 10 || page.Next != 0 || !page.Rows[9].CreatedAt.Equal(from) {
			t.Errorf("time: %d rows, next %d", len(page.Rows), page.Next)
		}
	})
}

func TestEventSearchLooksAtSoMuchAndGoesOn(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		for at := 0; at < models.ScanMax+20; at += 500 {
			var events []models.NewEvent
			for i := at; i < min(at+500, models.ScanMax+20); i++ {
				e := event(fmt.Sprintf("e-%d", i))
				e.Title, e.Tags = "Plain", nil
				events = append(events, e)
			}
			_, _, err := s.Events.Record(t.Context(), events)
			ok(t, err)
		}
		ok(t, s.DB().Exec("update events set title = 'A 50% find' where id in (select min(id) from events)").Error)
		for _, location := range []string{"", "main"} {
			q := models.EventQuery{Within: models.AllLocations(), Search: "50% FIND", Location: location, Limit: 10}
			page, err := s.Events.Search(t.Context(), q)
			ok(t, err)
			if len(page.Rows) != 0 || !page.Scanned {
				t.Errorf("%q first: %d rows, next %d", location, len(page.Rows), page.Next)
			}
			q.Before = page.Next
			page, err = s.Events.Search(t.Context(), q)
			ok(t, err)
			if len(page.Rows) != 1 || page.Next != 0 {
				t.Errorf("%q second: %d rows, next %d", location, len(page.Rows), page.Next)
			}
			q = models.EventQuery{Within: models.AllLocations(), Search: "e-7", Location: location, Limit: 10}
			page, err = s.Events.Search(t.Context(), q)
			ok(t, err)
			if len(page.Rows) != 1 || page.Scanned {
				t.Errorf("%q by id: %+v", location, page)
			}
			seen := map[int64]bool{}
			for q = (models.EventQuery{Within: models.AllLocations(), Location: location, Limit: 4000}); ; q.Before = page.Next {
				page, err = s.Events.Search(t.Context(), q)
				ok(t, err)
				for _, e := range page.Rows {
					seen[e.ID] = true
				}
				if page.Next == 0 {
					break
				}
			}
			want(t, "paged", len(seen), models.ScanMax+20)
		}
		page, err := s.Events.Search(t.Context(), models.EventQuery{Within: models.AllLocations(), Search: "e-7", Location: "elsewhere", Limit: 10})
		ok(t, err)
		want(t, "by id, elsewhere", len(page.Rows), 0)
	})
}

func TestResendAll(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		open, shut := create(t, s, nil), create(t, s, nil)
		many(t, s, open, 5, clock.Now())
		many(t, s, shut, 3, clock.Now())
		ok(t, record(t, s, event("waits")))
		deliver(t, s, open, "waits", "waits")
		ok(t, s.DB().Exec(`insert into delivery_ends (delivery_id, webhook_id, state, at, reason)
			select id, webhook_id, 'failed', created_at, '' from deliveries where public_id = 'm-1-0'`).Error)
		ok(t, s.DB().Exec("update deliveries set location = 'elsewhere' where public_id = 'm-1-4'").Error)
		ok(t, s.DB().Exec("update deliveries set body = ? where public_id = 'm-1-1'", []byte{}).Error)
		ok(t, s.Webhooks.Pause(t.Context(), mary, shut.ID))
		can, err := s.Deliveries.Resendable(t.Context(), models.DeliveryQuery{Within: models.AllLocations()})
		ok(t, err)
		want(t, "resendable", can, models.Resendable{Send: 3, Through: 9, Waiting: 1, Blocked: 4})
		can, err = s.Deliveries.Resendable(t.Context(), models.DeliveryQuery{Within: models.AllLocations(), WebhookID: open.ID, State: models.DeliveryFailed})
		ok(t, err)
		want(t, "failed", can.Send, 1)
		can, err = s.Deliveries.Resendable(t.Context(), models.DeliveryQuery{Within: models.AllLocations(), Before: 5})
		ok(t, err)
		want(t, "older than the fifth", can, models.Resendable{Send: 3, Through: 4})

		r, err := s.Deliveries.ResendAll(t.Context(), mary, models.DeliveryQuery{Within: models.AllLocations()}, models.Resendable{Through: 4}, "all")
		ok(t, err)
		want(t, "up to the fourth", r.Total, 3)
		var lane models.Lane
		ok(t, s.DB().Take(&lane, "webhook_id = ?", open.ID).Error)
		if !lane.Paced || lane.NextDueAt == nil || !lane.NextDueAt.Equal(r.At) {
			t.Errorf("lane: %+v", lane)
		}
		left, err := s.Deliveries.Unsent(t.Context(), models.AllLocations(), r.At)
		ok(t, err)
		want(t, "left", left, models.Unsent{N: 3, Most: 3})
		row, err := s.Deliveries.Get(t.Context(), models.AllLocations(), "m-1-0")
		ok(t, err)
		finish(t, s, row, models.DeliveryFailed, 500)
		ok(t, s.Webhooks.Pause(t.Context(), mary, open.ID))
		left, err = s.Deliveries.Unsent(t.Context(), models.AllLocations(), r.At)
		ok(t, err)
		want(t, "left later", left, models.Unsent{N: 2, Held: 2})
		want(t, "audit", lines(t, s, 2)[1], "delivery.resent|3 deliveries|all")
	})
}

// TestEachLocationSeesThatItsDeliveriesWereResent, also when those of others were
// resent with them.
func TestEachLocationSeesThatItsDeliveriesWereResent(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		at := func(slug string) models.Webhook {
			return create(t, s, func(in *models.WebhookInput) { in.Location = slug })
		}
		for i, w := range []models.Webhook{at("main"), at("team-a"), at("team-b")} {
			many(t, s, w, i+1, clock.Now())
			ok(t, s.DB().Exec("update deliveries set location = ? where webhook_id = ?", w.Location, w.ID).Error)
		}
		seen := func(within models.LocationSet) string {
			var list []string
			rows, _, err := s.Audit.Search(t.Context(), models.AuditQuery{Within: within, Subject: "delivery", Limit: 10})
			ok(t, err)
			for _, row := range rows {
				list = append(list, row.Location+" "+row.Target+" "+row.Detail)
			}
			return strings.Join(list, ", ")
		}
		r, err := s.Deliveries.ResendAll(t.Context(), mary, models.DeliveryQuery{Within: models.OnlyLocations("team-a", "team-b")}, models.Resendable{Through: 100}, "both")
		ok(t, err)
		want(t, "resent", r.Total, 5)
		want(t, "seen at one", seen(models.OnlyLocations("team-a")), "team-a 2 deliveries both")
		want(t, "seen at both", seen(models.OnlyLocations("team-a", "team-b")), "team-b 3 deliveries both, team-a 2 deliveries both")
		want(t, "seen at neither", seen(models.OnlyLocations("main")), "")
		_, err = s.Deliveries.ResendAll(t.Context(), mary, models.DeliveryQuery{Within: models.AllLocations()}, models.Resendable{Through: 100}, "all")
		ok(t, err)
		want(t, "seen at main", seen(models.OnlyLocations("main")), "main 1 deliveries all")
	})
}

func TestErase(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		w := create(t, s, nil)
		ok(t, record(t, s, event("a"), event("b"), event("old")))
		a, err := s.Events.Get(t.Context(), "main", "a")
		ok(t, err)
		_, err = s.Events.Erase(t.Context(), mary, a.ID)
		want(t, "not dispatched", err, models.ErrNotDispatched)
		clock.Add(time.Second)
		alone := deliver(t, s, w, "alone", "a")
		ok(t, s.DB().Exec("update dispatched_events set merged_into = ? where event_id = (select id from events where event_id = 'old')", a.ID).Error)
		// A second webhook gets both in one body, a third has not got it yet.
		second, third := create(t, s, nil), create(t, s, nil)
		ok(t, record(t, s, event("c")))
		both := deliver(t, s, second, "both", "a", "b")
		ok(t, record(t, s, event("d")))
		deliver(t, s, third, "waits", "a")
		finish(t, s, alone, models.DeliveryDelivered, 200)
		finish(t, s, both, models.DeliveryDelivered, 200)

		r, err := s.Events.Erase(t.Context(), mary, a.ID)
		ok(t, err)
		if r.Earlier != 1 || r.Bodies != 1 || len(r.Remaining) != 2 || r.Remaining[0].PublicID != "waits" {
			t.Errorf("erasure: %+v", r)
		}
		body := func(id string) string {
			d, err := s.Deliveries.Get(t.Context(), models.AllLocations(), id)
			ok(t, err)
			attempts, err := s.Deliveries.Attempts(t.Context(), d.ID)
			ok(t, err)
			parts := []string{string(d.Body)}
			for _, a := range attempts {
				parts = append(parts, string(a.ResponseBody))
			}
			return strings.Join(parts, " ")
		}
		want(t, "alone", body("alone"), " ")
		want(t, "both", body("both"), "body echo")
		want(t, "waits", body("waits"), "body")
		for _, id := range []string{"a", "old"} {
			e, err := s.Events.Get(t.Context(), "main", id)
			ok(t, err)
			if !e.Erased() || e.Title != "" || e.Type == "" || len(e.Tags) == 0 {
				t.Errorf("%s: %+v", id, e)
			}
		}
		want(t, "resend", s.Deliveries.Resend(t.Context(), mary, "alone"), models.ErrErased)
		want(t, "audit", lines(t, s, 1)[0], "event.erased|event 1 (a)|1 earlier ones, 1 bodies of deliveries")
		// Once the other one is erased, nothing is left in the body of both.
		b, err := s.Events.Get(t.Context(), "main", "b")
		ok(t, err)
		_, err = s.Events.Erase(t.Context(), mary, b.ID)
		ok(t, err)
		want(t, "both, at last", body("both"), " ")
		_, err = s.Events.Erase(t.Context(), mary, 999)
		want(t, "unknown", err, models.ErrNotFound)
	})
}

// TestTotalStops: an exact number up to 10,000, then that there are more. A
// filter that has to look at too many rows to know says so.
func TestTotalStops(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		w := create(t, s, nil)
		total := func(q models.DeliveryQuery) models.Total {
			q.Limit, q.Count = 50, true
			page, err := s.Deliveries.Search(t.Context(), q)
			ok(t, err)
			return page.Total
		}
		many(t, s, w, models.TotalMax, clock.Now())
		want(t, "10,000", total(models.DeliveryQuery{Within: models.AllLocations()}), models.Total{N: models.TotalMax, Known: true})
		want(t, "10,000 delivered", total(models.DeliveryQuery{Within: models.AllLocations(), State: models.DeliveryDelivered, Before: 5000}), models.Total{N: models.TotalMax, Known: true})
		many(t, s, create(t, s, nil), 1, clock.Now())
		want(t, "one more", total(models.DeliveryQuery{Within: models.AllLocations()}), models.Total{N: models.TotalMax, More: true, Known: true})
		want(t, "of the other", total(models.DeliveryQuery{Within: models.AllLocations(), WebhookID: w.ID + 1}), models.Total{N: 1, Known: true})
		many(t, s, create(t, s, nil), models.ScanMax, clock.Now())
		want(t, "of a scan", total(models.DeliveryQuery{Within: models.AllLocations(), EventTypes: []string{"answer.created"}}), models.Total{})
		want(t, "of a long scan", total(models.DeliveryQuery{Within: models.AllLocations(), EventTypes: []string{"question.created"}}), models.Total{N: models.TotalMax, More: true, Known: true})
		// A time is found by ids, however many deliveries were made about then.
		ok(t, s.DB().Exec("update deliveries set created_at = ?", clock.Now().Add(time.Second)).Error)
		ok(t, s.DB().Exec("update deliveries set created_at = ? where id <= 3", clock.Now()).Error)
		want(t, "of a time", total(models.DeliveryQuery{Within: models.AllLocations(), To: clock.Now().Add(time.Millisecond), Before: 3}), models.Total{N: 3, Known: true})
	})
}
