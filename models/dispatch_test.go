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
