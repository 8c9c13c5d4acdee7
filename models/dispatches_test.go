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
		_, err := s.Events.Take(t.Context(), 1000, func(take models.Take) (d models.Decision, err error) {
			d.Version = take.Version
			var ids []string
			for _, e := range take.Events {
				ids, d.Events = append(ids, e.EventID), append(d.Events, e.ID)
			}
			if decided = append(decided, strings.Join(ids, " ")); len(decided) == 1 {
				ok(t, s.DB().WithContext(t.Context()).Exec("delete from events_waiting where event_id = ?", d.Events[1]).Error)
			}
			return d, nil
		})
		ok(t, err)
		want(t, "decided", strings.Join(decided, ", "), "a b, a")
		a, err := s.Events.Get(t.Context(), "main", "a")
		ok(t, err)
		b, err := s.Events.Get(t.Context(), "main", "b")
		ok(t, err)
		if a.DispatchedAt == nil || b.DispatchedAt != nil {
			t.Errorf("dispatched: a %v, b %v", a.DispatchedAt, b.DispatchedAt)
		}
	})
}
