package models_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// lanes makes so many webhooks, with a delivery each that is due.
func lanes(t *testing.T, s *models.Store, n int) (hooks []models.Webhook, due []models.DeliveryRow) {
	t.Helper()
	for i := range n {
		w, err := s.Webhooks.Create(t.Context(), mary, models.WebhookInput{
			Type: "generic", Name: fmt.Sprint("hook ", i), Location: "main", TagMode: models.TagsAll,
			Events: []string{"question.created"}, URL: "https://example.com/x", URLShown: "https://example.com/x",
		})
		ok(t, err)
		id := fmt.Sprint("event-", i)
		_, _, err = s.Events.Record(t.Context(), []models.NewEvent{{
			EventID: id, Type: "question.created", Location: "main", Title: id, Payload: []byte("{}"),
		}})
		ok(t, err)
		hooks, due = append(hooks, w), append(due, deliver(t, s, w, "msg_"+id, id))
	}
	return hooks, due
}

// arrived is one attempt that arrived.
func arrived(d models.DeliveryRow, now time.Time) []models.Outcome {
	return []models.Outcome{{State: models.DeliveryDelivered, Attempt: models.Attempt{
		DeliveryID: d.ID, WebhookID: d.WebhookID, StartedAt: now, DurationUS: 5000, Code: 200, Arrived: true,
		RequestHeaders: []byte("[]"), ResponseHeaders: []byte("[]"), ResponseBody: []byte{},
	}}}
}

// everyone calls do for each of n at the same time.
func everyone(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	return errs
}

func shortDispatch(t *testing.T, s *models.Store) {
	t.Helper()
	for _, name := range []string{models.DispatchInterval, models.DispatchDelay} {
		ok(t, s.Settings.Change(t.Context(), mary, name, "0", "test"))
	}
	ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "True", "test"))
}

func claim(t *testing.T, s *models.Store, id int64, holder string) (models.Work, bool, error) {
	works, err := s.Lanes.Claim(t.Context(), []int64{id}, holder, time.Minute)
	work, claimed := works[id]
	return work, claimed, err
}

// Lanes that work at the same moment share statements: each claims, reads its
// own, records it and is released, and a refusal of the database for one does
// not fail the others.
func TestLanesTogether(t *testing.T) {
	const n, bad = 40, 17
	modelstest.Each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		shortDispatch(t, s)
		hooks, due := lanes(t, s, n)
		now, err := s.Now(t.Context())
		ok(t, err)
		claimed := make([]bool, 3*n)
		works := make([]models.Work, 3*n)
		all := func(errs []error) {
			t.Helper()
			for _, err := range errs {
				ok(t, err)
			}
		}
		all(everyone(3*n, func(i int) (err error) {
			works[i], claimed[i], err = claim(t, s, hooks[i%n].ID, fmt.Sprint("holder ", i))
			return err
		}))
		holder := make([]string, n)
		for i := range claimed {
			if !claimed[i] {
				continue
			}
			if w := works[i]; holder[i%n] != "" || w.Webhook.ID != hooks[i%n].ID || !w.CanSend || w.Lane.LeasedBy != fmt.Sprint("holder ", i) {
				t.Errorf("%d: %+v after %q", i, w, holder[i%n])
			}
			holder[i%n], works[i%n] = works[i].Lane.LeasedBy, works[i]
		}
		all(everyone(n, func(i int) error {
			rows, _, err := s.Lanes.Due(t.Context(), works[i], models.DueQuery{At: works[i].Now, Limit: 10})
			if len(rows) != 1 || rows[0].ID != due[i].ID {
				t.Errorf("%d: due %+v", i, rows)
			}
			return err
		}))
		errs := everyone(n, func(i int) error {
			o := arrived(due[i], now)
			if i == bad {
				o[0].Attempt.Error = "a\x00b"
			}
			return s.Lanes.Record(t.Context(), hooks[i].ID, holder[i], o, models.LaneHealth{LastAt: &now, LastSuccessAt: &now, LastCode: 200 + i})
		})
		for i, err := range errs {
			refused := i == bad && s.Postgres() != nil // the other one takes every text
			if models.Refused(err) != refused || err != nil != refused {
				t.Errorf("%d: %v", i, err)
			}
		}
		all(everyone(n, func(i int) error {
			row, err := s.Deliveries.Get(t.Context(), models.AllLocations(), due[i].PublicID)
			w, lookErr := s.Lanes.Reload(t.Context(), hooks[i].ID)
			ok(t, lookErr)
			if errs[i] == nil && (row.State != models.DeliveryDelivered || row.Tries != 1 || w.Lane.LastCode != 200+i || !w.Lane.LastSuccessAt.Equal(now)) {
				t.Errorf("%d: %+v %+v", i, row, w.Lane)
			}
			return err
		}))
		all(everyone(n, func(i int) error {
			gone, err := s.Lanes.ReleaseIdle(t.Context(), hooks[i].ID, holder[i], models.Release{})
			if gone != (errs[i] == nil) {
				t.Errorf("%d: released %v", i, gone)
			}
			return err
		}))
		work, err := s.Lanes.Reload(t.Context(), hooks[bad].ID)
		ok(t, err)
		if work.HeldBy(holder[bad], 0) != (errs[bad] != nil) {
			t.Error("a lane with something due was given up")
		}
	})
}

// While somebody has one webhook's rows locked, the others go on.
func TestALockDelaysOnlyWhomItConcerns(t *testing.T) {
	const n = 20
	s := modelstest.Open(t, modelstest.Options(t, "postgres"))
	shortDispatch(t, s)
	hooks, due := lanes(t, s, n)
	now, err := s.Now(t.Context())
	ok(t, err)
	tx, err := s.Postgres().Begin(t.Context())
	ok(t, err)
	_, err = tx.Exec(t.Context(), "select 1 from lanes where webhook_id = $1 for update", hooks[0].ID)
	ok(t, err)
	record := func(i int) error {
		return s.Lanes.Record(t.Context(), hooks[i].ID, "", arrived(due[i], now), models.LaneHealth{LastAt: &now})
	}
	first := make(chan error, 1)
	go func() { first <- record(0) }()
	for _, err := range everyone(n-1, func(i int) error { return record(i + 1) }) {
		ok(t, err)
	}
	select {
	case err := <-first:
		t.Errorf("recorded in spite of the lock: %v", err)
	default:
	}
	ok(t, tx.Rollback(t.Context()))
	ok(t, <-first)
	for _, d := range due {
		row, err := s.Deliveries.Get(t.Context(), models.AllLocations(), d.PublicID)
		ok(t, err)
		if row.State != models.DeliveryDelivered || row.Tries != 1 {
			t.Errorf("%+v", row)
		}
	}
}

// A panic fails only the calls that it hits, and leaves none waiting.
func TestAPanicTogetherKeepsNobodyWaiting(t *testing.T) {
	var broken sync.Map
	o := modelstest.Options(t, "sqlite")
	o.Clock = func() time.Time {
		if _, yes := broken.Load("clock"); yes {
			panic("no time")
		}
		return time.Now()
	}
	s := modelstest.Open(t, o)
	shortDispatch(t, s)
	hooks, _ := lanes(t, s, 1)
	broken.Store("clock", true)
	func() {
		defer func() {
			if text := fmt.Sprint(recover()); !strings.Contains(text, "no time") {
				t.Error(text)
			}
		}()
		_, err := s.Lanes.Reload(t.Context(), hooks[0].ID)
		t.Errorf("looked in spite of it: %v", err)
	}()
	broken.Delete("clock")
	_, err := s.Lanes.Reload(t.Context(), hooks[0].ID)
	ok(t, err)
}

// TestWorkersAreTheInstancesThatHoldLanes, with how many each of them holds now.
func TestWorkersAreTheInstancesThatHoldLanes(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		shortDispatch(t, s)
		hooks, _ := lanes(t, s, 4)
		for i, holder := range []string{"web-1-a1", "web-2-b2", "web-1-c3", "alone"} {
			_, claimed, err := claim(t, s, hooks[i].ID, holder)
			if err != nil || !claimed {
				t.Fatalf("%s: claimed %v, %v", holder, claimed, err)
			}
		}
		workers := func() string {
			list, err := s.Lanes.Workers(t.Context())
			ok(t, err)
			return fmt.Sprint(list)
		}
		want(t, "workers", workers(), "[{alone 1} {web-1 2} {web-2 1}]")
		clock.Add(time.Minute)
		want(t, "when the leases have ended", workers(), "[]")
	})
}

// TestALaneIsLeftAsItsDeliveriesAre: at once for what is due, later when it is stuck,
// and with nothing to do when nothing waits.
func TestALaneIsLeftAsItsDeliveriesAre(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		shortDispatch(t, s)
		hooks, due := lanes(t, s, 1)
		id := hooks[0].ID
		for i, c := range []struct {
			arrives, stuck bool
			again          int
			after          time.Duration // it has something to do; negative: it has not
		}{{false, false, 1, 0}, {false, true, 0, 10 * time.Second}, {true, false, 0, -1}, {false, true, 0, -1}} {
			_, claimed, err := claim(t, s, id, "holder")
			if err != nil || claimed != (i < 3) {
				t.Fatalf("%d: claimed %v, %v", i, claimed, err)
			}
			if !claimed {
				ok(t, s.DB().Exec("update lanes set leased_by = 'holder', leased_until = ?", clock.Now().Add(time.Minute)).Error)
			}
			if c.arrives {
				ok(t, s.Lanes.Record(t.Context(), id, "holder", arrived(due[0], clock.Now()), models.LaneHealth{}))
			}
			other, err := s.Lanes.Release(t.Context(), id, "another", models.Release{Stuck: c.stuck})
			ok(t, err)
			again, err := s.Lanes.Release(t.Context(), id, "holder", models.Release{Stuck: c.stuck})
			ok(t, err)
			var lane models.Lane
			ok(t, s.DB().Take(&lane, "webhook_id = ?", id).Error)
			if len(other) != 0 || len(again) != c.again || lane.LeasedBy != "" || (lane.NextDueAt == nil) != (c.after < 0) {
				t.Errorf("%d: again %v, and %v of another holder; the lane is %+v", i, again, other, lane)
			}
			if lane.NextDueAt != nil {
				want(t, "it is due after", lane.NextDueAt.Sub(clock.Now()), c.after)
			}
			clock.Add(max(c.after, 0))
		}
	})
}
