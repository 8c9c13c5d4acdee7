package modelstest

import (
	"errors"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

// Dispatch runs dispatch once, with what decide makes of the events that are
// due, and again when that changed meanwhile. Decide is not called when dispatch
// does not run now.
func Dispatch(t testing.TB, s *models.Store, decide func(run *models.Dispatch, due []models.Event) models.Decision) models.DispatchResult {
	t.Helper()
	var result models.DispatchResult
	once := func(exclusive bool) error {
		run, idle, err := s.Events.Dispatch(t.Context(), models.DispatchOptions{Exclusive: exclusive})
		if result = idle; err != nil || run == nil {
			return err
		}
		defer run.Rollback()
		due, err := run.Due(1000)
		if err != nil {
			return err
		}
		if err := run.Store(decide(run, due), len(due)); err != nil {
			return err
		}
		result, err = run.Commit()
		return err
	}
	err := once(false)
	if errors.Is(err, models.ErrChanged) {
		err = once(true)
	}
	if err != nil {
		t.Fatal(err)
	}
	return result
}
