package models_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

func TestInstances(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		alive := func() string {
			var ids []string
			rows, err := s.Instances.Alive(t.Context())
			ok(t, err)
			for _, r := range rows {
				ids = append(ids, r.ID)
			}
			return strings.Join(ids, "")
		}
		began := clock.Now()
		for _, id := range []string{"a", "b", "c"} {
			ok(t, s.Instances.Seen(t.Context(), models.Instance{ID: id, Name: "host", Role: "all", Version: "1"}))
			clock.Add(time.Second)
		}
		want(t, "alive", alive(), "abc")
		ok(t, s.Instances.Gone(t.Context(), "b"))
		clock.Add(25 * time.Second)
		ok(t, s.Instances.Seen(t.Context(), models.Instance{ID: "a", Name: "host", Role: "all", Version: "1"}))
		want(t, "after one stopped", alive(), "ac")
		clock.Add(10 * time.Second)
		want(t, "after one was killed", alive(), "a")
		rows, err := s.Instances.Alive(t.Context())
		ok(t, err)
		if len(rows) != 1 || !rows[0].StartedAt.Equal(began) || !rows[0].SeenAt.Equal(began.Add(28*time.Second)) {
			t.Errorf("alive: %+v", rows)
		}
		count := func() (n int64) {
			ok(t, s.DB().WithContext(t.Context()).Model(&models.Instance{}).Count(&n).Error)
			return n
		}
		want(t, "rows", count(), 2)
		clock.Add(2 * time.Hour)
		_, err = s.Pruning().Step(t.Context())
		ok(t, err)
		want(t, "rows after pruning", count(), 0)
	})
}

// TestClocksThatDiffer: an instance stores how far its own clock is from the
// database's, and more than five seconds either way are said while it runs.
func TestClocksThatDiffer(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			clock, own := modelstest.NewClock(), modelstest.NewClock()
			o := modelstest.Options(t, kind)
			o.Clock, o.OwnClock = clock.Now, own.Now
			s := modelstest.Open(t, o)
			for _, step := range []struct {
				ahead time.Duration
				off   bool
			}{
				{0, false},
				{5 * time.Second, false},
				{5001 * time.Millisecond, true},
				{90 * time.Second, true},
				{-5 * time.Second, false},
				{-time.Hour, true},
			} {
				own.Add(step.ahead)
				ok(t, s.Instances.Seen(t.Context(), models.Instance{ID: "a", Name: "web-1", Role: "all", Version: "1"}))
				own.Add(-step.ahead)
				at, err := s.Snapshot(t.Context())
				ok(t, err)
				rows, err := s.Instances.ClocksOff(t.Context())
				ok(t, err)
				alive, err := s.Instances.Alive(t.Context())
				ok(t, err)
				if alive[0].ClockAhead() != step.ahead || at.ClockOff != step.off || (len(rows) == 1) != step.off {
					t.Errorf("ahead by %s: stored %s, snapshot %v, list %+v", step.ahead, alive[0].ClockAhead(), at.ClockOff, rows)
				}
			}
			// Nothing is said of an instance that was killed.
			clock.Add(time.Minute)
			if at, err := s.Snapshot(t.Context()); err != nil || at.ClockOff {
				t.Errorf("after it was killed: %+v, %v", at, err)
			}
		})
	}
}
