package models_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// run is a whole run of dispatch, which decides what decide says.
func run(t *testing.T, s *models.Store, o models.DispatchOptions, decide func(run *models.Dispatch, due []models.Event, rests []models.Rest) models.Decision) error {
	t.Helper()
	run, _, err := s.Events.Dispatch(t.Context(), o)
	if err != nil {
		return err
	}
	if run == nil {
		return errors.New("dispatch does not run")
	}
	err = func() error {
		due, err := run.Due(100)
		if err != nil {
			return err
		}
		rests, err := run.Rests()
		if err != nil {
			return err
		}
		var ids []int64
		for _, e := range due {
			ids = append(ids, e.ID)
		}
		if _, err := run.Payloads(ids); err != nil {
			return err
		}
		if err := run.Store(decide(run, due, rests), len(due)); err != nil {
			return err
		}
		return only(run.Commit())
	}()
	if err != nil {
		err = errors.Join(err, run.Failed(t.Context(), err))
	}
	return err
}

// TestFaultsOfTheDatabaseDuringDispatch: the events stay due, whether a fault hits what is
// read or what is stored, and are sent once.
func TestFaultsOfTheDatabaseDuringDispatch(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) { dispatchFaults(t, s, clock, false) })
	t.Run("sqlite, exclusive", func(t *testing.T) { // PostgreSQL's transaction begins first in any case
		clock, o := modelstest.NewClock(), modelstest.Options(t, "sqlite")
		o.Clock = clock.Now
		dispatchFaults(t, modelstest.Open(t, o), clock, true)
	})
}

func dispatchFaults(t *testing.T, s *models.Store, clock *modelstest.Clock, exclusive bool) {
	t.Helper()
	dispatchAtOnce(t, s)
	f, w := breakable(t, s), create(t, s, nil)
	older, newer := event("older"), event("newer")
	older.MergeKey, newer.MergeKey = "question 1", "question 1"
	ok(t, record(t, s, event("a"), older))
	clock.Add(time.Second)
	ok(t, record(t, s, newer, event("left")))
	clock.Add(time.Second)
	decided := 0
	f.each(t, s, step{what: "dispatch", do: func() error {
		return run(t, s, models.DispatchOptions{Exclusive: exclusive}, func(_ *models.Dispatch, due []models.Event, _ []models.Rest) models.Decision {
			decided = len(due)
			d := models.Decision{Events: due, MergedInto: map[int64]int64{}}
			byID := map[string]int64{}
			for _, e := range due {
				byID[e.EventID] = e.ID
			}
			d.MergedInto[byID["older"]] = byID["newer"]
			for i, id := range []string{"a", "newer"} {
				d.Deliveries = append(d.Deliveries, models.NewDelivery{Events: []int64{byID[id]}, Delivery: models.Delivery{
					PublicID: "msg_" + strconv.Itoa(i), WebhookID: w.ID, Location: "main", EventTypes: ",question.created,", Items: 1, Body: []byte("body"),
				}})
			}
			d.Rests = []models.Rest{{Location: "main", EventIDs: []int64{byID["left"]}, WebhookIDs: []int64{w.ID}}}
			return d
		})
	}})
	want(t, "decided", decided, 4)
	want(t, "events that are due", rowsLeft(t, s, "pending_events"), 0)
	want(t, "deliveries", rowsLeft(t, s, "deliveries"), 2)
	a, err := s.Events.Get(t.Context(), "main", "older")
	ok(t, err)
	want(t, "merged", a.MergedInto != nil, true)

	// The rest is continued with care: tries are counted, but not those that the
	// database made fail.
	f.each(t, s, step{what: "continue a rest", do: func() error {
		return run(t, s, models.DispatchOptions{Careful: true, Exclusive: exclusive}, func(_ *models.Dispatch, _ []models.Event, rests []models.Rest) models.Decision {
			if len(rests) != 1 || len(rests[0].Events) != 1 || rests[0].Events[0].EventID != "left" || !slices.Equal(rests[0].WebhookIDs, []int64{w.ID}) {
				t.Errorf("rests: %+v", rests)
				return models.Decision{}
			}
			return models.Decision{Done: []int64{rests[0].ID}, Deliveries: []models.NewDelivery{{Events: rests[0].EventIDs, Delivery: models.Delivery{
				PublicID: "msg_left", WebhookID: w.ID, Location: "main", EventTypes: ",question.created,", Items: 1, Body: []byte("body"), DispatchID: rests[0].DispatchID,
			}}}}
		})
	}})
	want(t, "deliveries at last", rowsLeft(t, s, "deliveries"), 3)
	want(t, "rests", rowsLeft(t, s, "dispatch_rest"), 0)
}

// TestFaultsOfTheDatabaseWhileALaneWorks: a lane is claimed, read, recorded and given up
// whole or not at all.
func TestFaultsOfTheDatabaseWhileALaneWorks(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		shortDispatch(t, s)
		hooks, due := lanes(t, s, 2)
		f, x, id, now := breakable(t, s), s.Lanes, hooks[0].ID, clock.Now()
		var work models.Work
		outcome := func(i int, broken string) func() error {
			o := arrived(due[i], now)
			h := models.LaneHealth{LastAt: &now, LastCode: 200, LastSuccessAt: &now, SecretsUsed: true}
			if broken != "" {
				o[0].State, o[0].Attempt.Arrived, o[0].Attempt.Code, h.Broken, h.FailuresInRow = models.DeliveryFailed, false, 410, broken, 1
			}
			return func() error { return x.Record(t.Context(), hooks[i].ID, "holder", o, h) }
		}
		f.all(t, s, []step{
			{what: "sweep", lasting: true, chunks: true, do: func() error { return only(x.Sweep(t.Context(), models.SweepQuery{Limit: 10})) }},
			{what: "claim", lasting: true, do: func() error {
				works, err := x.Claim(t.Context(), []int64{id, hooks[1].ID}, "holder", time.Minute)
				work = works[id]
				return err
			}},
			{what: "renew", lasting: true, do: func() error {
				return only(x.Renew(t.Context(), []models.Lease{{WebhookID: id, Holder: "holder"}}, time.Hour))
			}},
			{what: "look", lasting: true, reads: true, do: func() error { return only(x.Reload(t.Context(), id)) }},
			{what: "what is due", lasting: true, reads: true, do: func() error {
				return only2(x.Due(t.Context(), work, models.DueQuery{At: work.Now, Limit: 10}))
			}},
			{what: "what is due after a failure", lasting: true, reads: true, do: func() error {
				return only2(x.Due(t.Context(), work, models.DueQuery{At: work.Now, Limit: 10, OneFailed: true}))
			}},
			{what: "record", lasting: true, do: outcome(0, "")},
			{what: "record that it broke", lasting: true, do: outcome(1, "The receiver answered 410 Gone.")},
			{what: "give up", lasting: true, do: func() error { return only(x.ReleaseIdle(t.Context(), id, "holder", models.Release{})) }},
			{what: "give up the other", lasting: true, do: func() error {
				return only(x.Release(t.Context(), hooks[1].ID, "holder", models.Release{Slow: true, HoldOthers: true}))
			}},
			{what: "find lost ones", lasting: true, chunks: true, do: func() error { return only(x.FindLost(t.Context())) }},
		})
		states := []string{get(t, s, due[0].PublicID).State, get(t, s, due[1].PublicID).State}
		want(t, "states", strings.Join(states, " "), models.DeliveryDelivered+" "+models.DeliveryFailed)
		w, err := s.Webhooks.Get(t.Context(), models.AllLocations(), hooks[1].ID)
		ok(t, err)
		want(t, "the webhook that broke", w.State+": "+w.StateReason, models.WebhookBroken+": The receiver answered 410 Gone.")
		want(t, "attempts", rowsLeft(t, s, "attempts"), 2)
	})
}
