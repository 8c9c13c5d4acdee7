package models_test

import (
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// before speaks to the database as the release does that knows only the
// columns of events.
type before struct {
	*testing.T
	db *gorm.DB
}

func (b before) accept(id string, at time.Time) {
	b.Helper()
	ok(b.T, b.db.Exec("insert into events (event_id, type, location, community, tags, merge_key, subject, title, occurred_at, received_at, payload, logged)"+
		" values (?, 'question.created', 'main', '', '[]', ?, '1', '', ?, ?, ?, false)", id, "main question.created "+id, at, at, []byte(`{"id":"x"}`)).Error)
}

// waiting are the events that it would dispatch next.
func (b before) waiting() string {
	b.Helper()
	var ids []string
	ok(b.T, b.db.Raw("select event_id from events where dispatched_at is null order by received_at, id").Scan(&ids).Error)
	return strings.Join(ids, " ")
}

func (b before) dispatch(at time.Time, into, id string) {
	b.Helper()
	ok(b.T, b.db.Exec("update events set dispatched_at = ?, match_version = 7, logged = true where event_id in (?, ?) and dispatched_at is null", at, into, id).Error)
	ok(b.T, b.db.Exec("update events set merged_into = (select e.id from events e where e.event_id = ?) where event_id = ?", into, id).Error)
}

// takes runs dispatch, which decides on all that it is given.
func takes(t *testing.T, s *models.Store) string {
	t.Helper()
	var ids []string
	_, err := s.Events.Take(t.Context(), 1000, func(take models.Take) (d models.Decision, err error) {
		d.Version = take.Version
		for _, e := range take.Events {
			ids, d.Events = append(ids, e.EventID), append(d.Events, e.ID)
		}
		return d, nil
	})
	ok(t, err)
	return strings.Join(ids, " ")
}

// While instances are replaced, those of this release and those of the release
// before accept and dispatch side by side: each event is dispatched, and once.
func TestTheReleaseBeforeDispatchesToo(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		old := before{t, s.DB().WithContext(t.Context())}
		depth := func() int64 {
			d, err := s.Deliveries.Depth(t.Context())
			ok(t, err)
			return d.Undispatched
		}

		old.accept("a", clock.Now())
		ok(t, record(t, s, event("b")))
		want(t, "before sees its own", old.waiting(), "a")
		want(t, "both wait", depth(), int64(2))
		clock.Add(time.Second)
		want(t, "this release dispatches both", takes(t, s), "a b")
		want(t, "before has nothing to do", old.waiting(), "")
		want(t, "nothing waits", depth(), int64(0))
		a, err := s.Events.Get(t.Context(), "main", "a")
		ok(t, err)
		want(t, "when", *a.DispatchedAt, clock.Now())

		old.accept("c", clock.Now())
		old.accept("d", clock.Now())
		ok(t, record(t, s, event("e")))
		clock.Add(time.Second)
		old.dispatch(clock.Now(), "d", "c")
		want(t, "this release does what is left", takes(t, s), "e")
		want(t, "nothing waits", depth(), int64(0))
		c, err := s.Events.Get(t.Context(), "main", "c")
		ok(t, err)
		d, err := s.Events.Get(t.Context(), "main", "d")
		ok(t, err)
		if c.MergedInto == nil || *c.MergedInto != d.ID || d.MergedInto != nil || *d.MatchVersion != 7 || !d.Logged || !d.DispatchedAt.Equal(clock.Now()) {
			t.Errorf("dispatched by the release before: %+v, %+v", c, d)
		}
	})
}

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
