package jobs

import (
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// waiting makes a webhook with one delivery that waits for its second attempt,
// and returns when that is.
func waiting(b *bench) (models.Webhook, time.Time) {
	b.t.Helper()
	w := pending(b, nil)
	b.receiver.answers(http.StatusServiceUnavailable)
	b.deliver(w)
	b.receiver.answers(http.StatusOK)
	return w, *b.only(w).DueAt
}

// sentAfter expects that the lane is offered, and that its delivery arrives.
func (b *bench) sentAfter(s *sweeper, w models.Webhook) {
	b.t.Helper()
	b.offered()
	ok(b.t, s.once(b.t.Context()))
	if offered := b.offered(); !slices.Equal(offered, []int64{w.ID}) {
		b.t.Errorf("offered %v", offered)
	}
	b.deliver(w)
	if d := b.only(w); d.State != models.DeliveryDelivered || d.Tries != 2 {
		b.t.Errorf("%+v", d.Delivery)
	}
}

func TestAClockSetBackDelaysNoRetry(t *testing.T) {
	onBoth(t, func(b *bench) {
		w, due := waiting(b)
		s, warned := b.sweeper(), make(chan struct{}, 10)
		s.log = slog.New(notices{slog.DiscardHandler, warned})
		ok(b.t, s.once(b.t.Context()))
		b.clock.Add(time.Second - models.ClockStep) // as clocks do that are kept right
		ok(b.t, s.once(b.t.Context()))
		if got := *b.only(w).DueAt; !got.Equal(due) {
			b.t.Fatalf("a small step moved it from %s to %s", due, got)
		}
		quiet := len(warned) == 0
		b.clock.Add(-5 * time.Hour)
		b.sentAfter(s, w)
		if !quiet || len(warned) != 1 {
			b.t.Errorf("no warning of a small step: %v; then %d warnings", quiet, len(warned))
		}
	})
}

func TestAClockSetBackWhileNothingRanDelaysNoRetry(t *testing.T) {
	onBoth(t, func(b *bench) {
		w, due := waiting(b)
		ok(b.t, b.store.Lanes.Recover(b.t.Context()))
		if got := *b.only(w).DueAt; !got.Equal(due) {
			b.t.Fatalf("a start moved it from %s to %s", due, got)
		}
		b.clock.Add(-5 * time.Hour)
		ok(b.t, b.store.Lanes.Recover(b.t.Context()))
		b.sentAfter(b.sweeper(), w)
	})
}

// Deliveries that are due later by the current clock stay so, however often the
// clock is set back.
func TestAClockSetBackLeavesTheScheduleOfNow(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.clock.Add(-6 * time.Hour) // it was right until now
		w, due := waiting(b)
		b.clock.Add(time.Second)
		for range 2 {
			ok(b.t, b.store.Lanes.Reschedule(b.t.Context()))
		}
		if got := *b.only(w).DueAt; !got.Equal(due) {
			b.t.Errorf("moved from %s to %s", due, got)
		}
	})
}

// TestSweepMakesSessionsForget: a value that a session keeps to be shown once
// is gone within a minute, even if it was never read.
func TestSweepMakesSessionsForget(t *testing.T) {
	onBoth(t, func(b *bench) {
		ctx := b.t.Context()
		user, err := b.store.Users.Create(ctx, models.User{Email: "mary@example.com", Role: models.RoleViewer})
		ok(b.t, err)
		ok(b.t, b.store.Sessions.Save(ctx, models.Session{Key: "k", UserID: user.ID, Data: []byte{}}))
		s := b.sweeper()
		ok(b.t, b.store.Sessions.Keep(ctx, "k", "token", "plain words"))
		for age := time.Duration(0); age < time.Minute; age += sweepEvery {
			ok(b.t, s.once(ctx))
			b.clock.Add(sweepEvery)
		}
		row, err := b.store.Sessions.Get(ctx, "k")
		if err != nil || len(row.Data) != 0 || row.ValueUntil != nil {
			b.t.Errorf("after a minute the session keeps %+v, %v", row, err)
		}
	})
}
