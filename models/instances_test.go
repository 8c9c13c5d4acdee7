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
