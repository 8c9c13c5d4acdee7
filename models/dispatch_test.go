package models_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// An event may no longer wait when the decision about it is stored. Then
// nothing of the decision is stored, and dispatch decides again on the waiting
// events.
func TestADecisionOnWhatWaitsNoMoreIsNotStored(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		ok(t, record(t, s, event("a"), event("b")))
		clock.Add(time.Second)
		var decided []string
		modelstest.Dispatch(t, s, func(_ *models.Dispatch, due []models.Event) models.Decision {
			var ids []string
			for _, e := range due {
				ids = append(ids, e.EventID)
			}
			if decided = append(decided, strings.Join(ids, " ")); len(decided) == 1 {
				ok(t, s.DB().WithContext(t.Context()).Exec("delete from pending_events where event_id = ?", due[1].ID).Error)
			}
			return models.Decision{Events: due}
		})
		want(t, "decided", strings.Join(decided, ", "), "a b, a")
		a, err := s.Events.Get(t.Context(), "main", "a")
		ok(t, err)
		b, err := s.Events.Get(t.Context(), "main", "b")
		ok(t, err)
		if a.MatchVersion == nil || b.MatchVersion != nil {
			t.Errorf("dispatched: a %+v, b %+v", a, b)
		}
	})
}

// TestAnArrivalIsDueAtOnceWithoutADelay, and not with one.
func TestAnArrivalIsDueAtOnceWithoutADelay(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		for _, c := range []struct {
			delay     string
			onArrival bool
			wait      time.Duration
		}{{"7", false, 7 * time.Second}, {"0", true, 0}} {
			ok(t, s.Settings.Change(t.Context(), mary, models.DispatchDelay, c.delay, "test"))
			run, result, err := s.Events.Dispatch(t.Context(), models.DispatchOptions{})
			ok(t, err)
			if run != nil || result.OnArrival != c.onArrival || result.Wait != time.Hour {
				t.Errorf("delay %s: %v, %+v", c.delay, run, result)
			}
			if c.wait == 0 {
				continue
			}
			ok(t, record(t, s, event("a")))
			run, result, err = s.Events.Dispatch(t.Context(), models.DispatchOptions{})
			ok(t, err)
			if run != nil || result.OnArrival || result.Wait != c.wait {
				t.Errorf("an event that waits: %v, %+v", run, result)
			}
			clock.Add(c.wait)
			want(t, "events", modelstest.Dispatch(t, s, func(_ *models.Dispatch, due []models.Event) models.Decision {
				return models.Decision{Events: due}
			}).Events, 1)
		}
	})
}

// TestARestIsLeftAloneWhileAnotherInstanceDispatches, which may store it just now: parts
// that it is divided into would be sent a second time.
func TestARestIsLeftAloneWhileAnotherInstanceDispatches(t *testing.T) {
	s := modelstest.Open(t, modelstest.Options(t, "postgres")) // SQLite has one instance
	dispatchAtOnce(t, s)
	rest := models.Rest{Location: "main", EventIDs: []int64{1, 2}, WebhookIDs: []int64{1}, Tries: 1}
	ok(t, s.DB().Create(&rest).Error)
	dispatches := func() bool {
		run, _, err := s.Events.Dispatch(t.Context(), models.DispatchOptions{Careful: true})
		ok(t, err)
		if run != nil {
			run.Rollback()
		}
		ok(t, s.DB().Take(&rest, rest.ID).Error)
		return run != nil
	}
	other, _, err := s.Events.Dispatch(t.Context(), models.DispatchOptions{})
	ok(t, err)
	want(t, "both dispatch", dispatches(), false)
	want(t, "rests meanwhile", rowsLeft(t, s, "dispatch_rest"), 1)
	want(t, "tries meanwhile", rest.Tries, 1)
	other.Rollback()
	want(t, "it dispatches then", dispatches(), true)
	want(t, "rests then", rowsLeft(t, s, "dispatch_rest"), 2)
	want(t, "tries then", rest.Tries, 2)
}

// TestWhatWasSetAsideIsTriedAgain, and the audit log says so once.
func TestWhatWasSetAsideIsTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		now := clock.Now()
		for i := range 3 {
			rest := models.Rest{Location: "main", EventIDs: []int64{1}, WebhookIDs: []int64{1}, Tries: i}
			if i > 0 {
				rest.Reason, rest.SetAsideAt = "refused", &now
			}
			ok(t, s.DB().Create(&rest).Error)
		}
		newest, err := s.Events.SetAside(t.Context(), 1)
		ok(t, err)
		if len(newest) != 1 || newest[0].Tries != 2 || newest[0].Reason != "refused" {
			t.Errorf("set aside: %+v", newest)
		}
		for _, tried := range []int64{2, 0} {
			n, err := s.Events.TryAgain(t.Context(), mary)
			ok(t, err)
			want(t, "tried again", n, tried)
		}
		left, err := s.Events.SetAside(t.Context(), 10)
		ok(t, err)
		want(t, "set aside still", len(left), 0)
		var rests []models.Rest
		ok(t, s.DB().Order("id").Find(&rests).Error)
		for _, rest := range rests {
			if rest.Tries != 0 || rest.Reason != "" || rest.SetAsideAt != nil {
				t.Errorf("it is %+v", rest)
			}
		}
		want(t, "audit", strings.Join(lines(t, s, 9), ", "), "dispatch.retried|events set aside|")
	})
}

// TestWhatChangedMeanwhileIsDecidedAnew: on SQLite dispatch reads before its
// transaction; a decision for a webhook that has changed meanwhile is dropped.
func TestWhatChangedMeanwhileIsDecidedAnew(t *testing.T) {
	for name, change := range map[string]func(s *models.Store) error{
		"webhook": func(s *models.Store) error {
			_, err := s.Webhooks.Create(t.Context(), models.Actor{}, models.WebhookInput{
				Type: "stackauth", Name: "new", Location: "main", TagMode: models.TagsAll, Events: []string{"question.created"},
				URL: "http://127.0.0.1:9", URLShown: "http://127.0.0.1:9",
			})
			return err
		},
		"setting": func(s *models.Store) error {
			return s.Settings.Change(t.Context(), models.Actor{}, models.EnableTriggerHistory, "False", "test")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := modelstest.Open(t, modelstest.Options(t, "sqlite"))
			ok(t, s.Settings.Change(t.Context(), models.Actor{}, models.DispatchDelay, "0", "test"))
			ok(t, s.Settings.Change(t.Context(), models.Actor{}, models.DispatchInterval, "0", "test"))
			_, _, err := s.Events.Record(t.Context(), []models.NewEvent{{EventID: "a", Type: "question.created", Location: "main", Payload: []byte("{}")}})
			ok(t, err)
			decided := 0
			var version int64
			r := modelstest.Dispatch(t, s, func(run *models.Dispatch, due []models.Event) models.Decision {
				if decided++; decided == 1 {
					ok(t, change(s))
				}
				version = run.Version
				return models.Decision{Events: due}
			})
			if decided != 2 || r.Events != 1 {
				t.Errorf("decided %d times: %+v", decided, r)
			}
			e, err := s.Events.Get(t.Context(), "main", "a")
			ok(t, err)
			if e.MatchVersion == nil || *e.MatchVersion != version || e.Logged != (name == "webhook") {
				t.Errorf("dispatched by what had changed: %+v, version %d", e, version)
			}
		})
	}
}
