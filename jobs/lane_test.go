package jobs

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// gated answers after the test lets it, as answers says by then, or with 200;
// it tells of each request that came.
func (r *receiver) gated(gate <-chan struct{}, arrived chan<- struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.code = http.StatusOK
	r.answer = func(int) (int, map[string]string) {
		arrived <- struct{}{}
		<-gate
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.code, nil
	}
}

// gatedWork begins a turn on a lane of which each of so many requests waits at
// the gate; done is closed at its end.
func (b *bench) gatedWork(w models.Webhook, most int) (gate chan struct{}, arrived <-chan struct{}, done <-chan struct{}) {
	b.t.Helper()
	gate = make(chan struct{})
	came, over := make(chan struct{}, most), make(chan struct{})
	b.receiver.gated(gate, came)
	b.begin(b.t.Context(), w)
	go func() {
		defer close(over)
		b.runner.lanes.Wait()
	}()
	return gate, came, over
}

// answersWell has a webhook counted among those that deliver.
func (b *bench) answersWell(w models.Webhook) {
	b.t.Helper()
	b.exec(fmt.Sprintf("update lanes set last_at = next_due_at where webhook_id = %d", w.ID))
}

func many(n int) []models.NewEvent {
	var events []models.NewEvent
	for i := range n {
		events = append(events, question(fmt.Sprintf("q%03d", i), i+1, nil))
	}
	return events
}

func TestPauseCountsForWhatIsStillToBeSent(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		b.record(many(100)...)
		b.later()
		b.answersWell(w)
		b.runner.lookEvery = time.Millisecond
		gate, arrived, done := b.gatedWork(w, 100)
		for range laneInFlight {
			<-arrived
		}
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, w.ID))
		close(gate)
		<-done
		if n := len(b.receiver.requests()); n != laneInFlight {
			b.t.Errorf("%d requests, want the %d that were on their way", n, laneInFlight)
		}
	})
}

func TestResendStaysInItsLocation(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		b.deliver(w)
		d := b.only(w)
		move := func(location string) {
			fresh := b.reload(w)
			_, err := b.store.Webhooks.Update(b.t.Context(), admin, w.ID, fresh.UpdatedAt, models.WebhookInput{
				Name: "moved", Location: location, TagMode: models.TagsAll, Events: w.Events, URL: b.receiver.URL, URLShown: b.receiver.URL,
			})
			ok(b.t, err)
		}
		ok(b.t, b.store.Deliveries.Resend(b.t.Context(), admin, d.PublicID))
		move("team-a") // asked for before, and not sent yet
		b.deliver(w)
		if err := b.store.Deliveries.Resend(b.t.Context(), admin, d.PublicID); !errors.Is(err, models.ErrMoved) {
			b.t.Errorf("resend after the move: %v", err)
		}
		if n := len(b.receiver.requests()); n != 1 {
			b.t.Errorf("%d requests", n)
		}
	})
}

func TestHeldIsCountedFromTheHold(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.set(models.HistoryRetentionDays, "1")
		w := pending(b, nil)
		b.clock.Add(26 * time.Hour)
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, w.ID))
		_, err := b.store.Pruning().Step(b.t.Context())
		ok(b.t, err)
		if d := b.only(w); d.State != models.DeliveryPending {
			b.t.Fatalf("%s after no time on hold", d.State)
		}
		b.clock.Add(25 * time.Hour)
		_, err = b.store.Pruning().Step(b.t.Context())
		ok(b.t, err)
		if d := b.only(w); d.State != models.DeliveryDropped {
			b.t.Errorf("%s after a day on hold", d.State)
		}
	})
}

func TestWhatCannotBeWorkedOnWaitsForTheSweep(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "generic" })
		b.record(question("a", 1, nil))
		b.later()
		b.exec("update webhooks set type = 'of a newer release'")
		b.deliver(w)
		if offered, due := b.offered(), b.due(); len(offered)+len(due) != 0 {
			b.t.Errorf("begins again at once: %v, %v", offered, due)
		}
		b.clock.Add(11 * time.Second)
		if due := b.due(); len(due) != 1 {
			b.t.Errorf("due %v", due)
		}
	})
}

func TestHealthBeginsAnewWithAResume(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		b.receiver.answers(http.StatusInternalServerError)
		b.deliver(w)
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, w.ID))
		_, err := b.store.Webhooks.Resume(b.t.Context(), admin, w.ID, false)
		ok(b.t, err)
		b.deliver(w)
		page, err := b.store.Webhooks.List(b.t.Context(), models.WebhookQuery{Within: models.AllLocations(), Limit: 10})
		ok(b.t, err)
		if n := page.Rows[0].Lane.FailuresInRow; n != 1 {
			b.t.Errorf("%d failures in a row after the resume, want 1", n)
		}
	})
}

func TestOldestDueIsWhatIsDue(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		b.clock.Add(20 * time.Second)
		before, err := b.store.Deliveries.Depth(b.t.Context())
		ok(b.t, err)
		b.deliver(w)
		after, err := b.store.Deliveries.Depth(b.t.Context())
		ok(b.t, err)
		if before.OldestDue != 20*time.Second || after.OldestDue != 0 || before.Waiting != 1 || after.Waiting != 0 {
			b.t.Errorf("before %+v, after %+v", before, after)
		}
	})
}

func TestResendOfWhatWaitsLeavesItsSchedule(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		b.receiver.answers(http.StatusInternalServerError)
		b.deliver(w)
		due := *b.only(w).DueAt
		for range 2 { // pressed twice
			ok(b.t, b.store.Deliveries.Resend(b.t.Context(), admin, b.only(w).PublicID))
		}
		b.deliver(w)
		d := b.only(w)
		if d.State != models.DeliveryRetrying || d.DueAt == nil || !d.DueAt.Equal(due) || d.Round != 1 || d.Tries != 2 {
			b.t.Fatalf("after a failed resend: %+v", d.Delivery)
		}
		b.clock.Add(time.Minute)
		b.receiver.answers(http.StatusOK)
		b.deliver(w)
		if d := b.only(w); d.State != models.DeliveryDelivered {
			b.t.Errorf("the schedule did not go on: %+v", d.Delivery)
		}
	})
}

func TestSQLiteRecoversWhatAKilledProcessLeft(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		_, claimed := b.claim(w, "killed")
		ok(b.t, b.store.Lanes.Recover(b.t.Context()))
		swept := b.due()
		// With PostgreSQL the holder may be alive, on another machine.
		if want := b.store.Postgres() == nil; !claimed || (len(swept) == 1) != want {
			b.t.Errorf("swept %v", swept)
		}
	})
}

// A receiver that restarts for five seconds with events waiting must not be
// counted as one that failed seven times in a row.
func TestARestartOfTheReceiverBreaksNothing(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type, in.Events = "superoffice", []string{"question.created"} })
		b.record(many(20)...)
		b.later()
		b.receiver.answers(http.StatusBadGateway)
		for range 5 {
			b.deliver(w)
			b.clock.Add(time.Second)
		}
		b.receiver.answers(http.StatusOK)
		for range 20 {
			b.deliver(w)
			b.clock.Add(time.Second)
		}
		delivered := 0
		for _, d := range b.deliveries(w) {
			if d.State == models.DeliveryDelivered {
				delivered++
			}
		}
		if w := b.reload(w); w.State != models.WebhookActive || delivered != 20 {
			b.t.Errorf("%s, %d of 20 delivered: %s", w.State, delivered, w.StateReason)
		}
	})
}

func TestSevenFailuresInARowAreTooManyErrors(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type, in.Events = "superoffice", []string{"question.created"} })
		b.record(many(3)...)
		b.later()
		b.receiver.answers(http.StatusBadGateway)
		for range 12 {
			b.deliver(w)
			b.clock.Add(6 * time.Minute)
		}
		if got, n := b.reload(w), len(b.receiver.requests()); got.State != models.WebhookBroken || n != 7 {
			b.t.Fatalf("%s after %d attempts: %s", got.State, n, got.StateReason)
		}
		b.receiver.answers(http.StatusOK)
		_, err := b.store.Webhooks.Resume(b.t.Context(), admin, w.ID, false)
		ok(b.t, err)
		for range 3 {
			b.deliver(w)
		}
		if n := len(b.receiver.requests()); n != 10 {
			b.t.Errorf("%d requests after the resume, want 10", n)
		}
	})
}

// TestALaneReadsOnWhileItSends: with more due than is read at once it goes on
// without a gap, and sends each of them once.
func TestALaneReadsOnWhileItSends(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		const n = 3*laneFetch + 10
		b.record(many(n)...)
		b.later()
		b.deliver(w)
		seen := map[string]bool{}
		for _, r := range b.receiver.requests() {
			seen[r.header.Get("svix-id")] = true
		}
		if got := len(b.receiver.requests()); got != n || len(seen) != n {
			b.t.Errorf("%d requests with %d ids, want %d", got, len(seen), n)
		}
		for _, d := range b.deliveries(w) {
			if d.State != models.DeliveryDelivered || d.Tries != 1 {
				b.t.Fatalf("%+v", d.Delivery)
			}
		}
	})
}

// TestPauseCountsForWhatIsReadAhead: a pause also stops deliveries that a lane
// reads ahead while it sends.
func TestPauseCountsForWhatIsReadAhead(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		const n = 2 * laneFetch
		b.record(many(n)...)
		b.later()
		b.answersWell(w)
		b.runner.lookEvery = time.Millisecond
		gate, arrived, done := b.gatedWork(w, n)
		// So many go through that the lane begins to read on.
		for range laneFetch - laneFetch/4 {
			<-arrived
			gate <- struct{}{}
		}
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, w.ID))
		close(gate)
		<-done
		if got := len(b.receiver.requests()); got > laneFetch-laneFetch/4+laneInFlight {
			b.t.Errorf("%d requests, want the %d that were on their way", got, laneFetch-laneFetch/4+laneInFlight)
		}
	})
}

// TestWhatIsResentTogetherIsPacedThoughReadAhead: deliveries that a lane reads
// ahead may be paced, though those that it sends are not.
func TestWhatIsResentTogetherIsPacedThoughReadAhead(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		const n = laneFetch + 100
		b.record(many(n)...)
		b.later()
		b.answersWell(w)
		gate, arrived, done := b.gatedWork(w, n)
		for range laneInFlight {
			<-arrived
		}
		// As a resend of many does.
		b.exec("update delivery_queue set paced = true")
		for range laneFetch - laneFetch/4 {
			gate <- struct{}{}
		}
		close(gate)
		<-done
		// It goes on in the queue of those that are paced.
		if got := len(b.receiver.requests()); got > laneFetch {
			b.t.Errorf("%d requests in the fast queue", got)
		}
	})
}

// TestATurnThatEndedSendsNothingMore: what it asked for before may be answered
// after, with deliveries, while its look counts still or when it is old.
func TestATurnThatEndedSendsNothingMore(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		work, claimed := b.claim(w, "test")
		for name, got := range map[string]time.Time{"fresh": time.Now().Add(time.Hour), "old": {}} {
			l := newLane(b.runner, seat{id: w.ID, share: models.ShareNew}, "test")
			ok(b.t, l.begin(b.t.Context(), work, time.Now()))
			l.end()
			read := <-l.pre.answers
			ok(b.t, l.answer(b.t.Context(), read))
			l.gotAt = got
			wait := l.startSome(b.t.Context())
			if !claimed || len(read.rows) != 1 || wait != nil || !l.idle() {
				b.t.Errorf("%s: claimed %v, %d read, %d open, reading %v", name, claimed, len(read.rows), len(l.pacer.open), l.pre.busy)
			}
		}
	})
}
