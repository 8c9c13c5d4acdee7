package models_test

import (
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

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
			r, err := s.Events.Take(t.Context(), 10, func(taken models.Take) (models.Decision, error) {
				if decided++; decided == 1 {
					ok(t, change(s))
					taken.Events[0].ID = 99 // wrong by then
				}
				return models.Decision{Events: []int64{taken.Events[0].ID}, Version: taken.Version}, nil
			})
			ok(t, err)
			if decided != 2 || !r.Ran || r.Events != 1 {
				t.Errorf("decided %d times: %+v", decided, r)
			}
			if e, err := s.Events.Get(t.Context(), "main", "a"); err != nil || e.DispatchedAt == nil {
				t.Errorf("not dispatched: %+v, %v", e, err)
			}
		})
	}
}
