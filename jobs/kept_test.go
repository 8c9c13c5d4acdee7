package jobs

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/sitehooks/sitehooks/models"
)

// With no room left for answers a lane goes on, a few deliveries at a time, and
// gives back the bytes that it took.
func TestLongAnswersDoNotFillTheMemory(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		b.record(many(40)...)
		b.later()
		b.receiver.Config.Handler = answersLong(b.receiver)
		d := b.runner
		d.unrecorded.Store(unrecordedMost + 1) // by other lanes
		b.deliver(w)
		if n := d.unrecorded.Load(); n != unrecordedMost+1 {
			b.t.Errorf("%d bytes are counted that nobody keeps", n-unrecordedMost-1)
		}
		for _, row := range b.deliveries(w) {
			if row.State != models.DeliveryDelivered {
				b.t.Errorf("%+v", row.Delivery)
			}
		}
	})
}

// Nothing more is sent while too many bytes of answers wait to be recorded.
func TestNothingIsSentWhileTooMuchIsKept(t *testing.T) {
	onBoth(t, func(b *bench) {
		const all = 100 // of which a third fills unrecordedMost
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		b.record(many(all)...)
		b.later()
		b.receiver.Config.Handler = answersLong(b.receiver)
		gate, arrived, done := b.gatedWork(w, all)
		<-arrived
		unlock := b.lockWrites(w)
		close(gate)
		b.until(func() bool { return b.runner.unrecorded.Load() > unrecordedMost })
		b.until(func() bool { return b.runner.open.Load() == 0 })
		if n, most := len(b.receiver.requests()), unrecordedMost/(64<<10)+laneInFlight; n > most {
			b.t.Errorf("%d were sent, want at most %d", n, most)
		}
		unlock()
		<-done
		if n := len(b.receiver.requests()); n != all {
			b.t.Errorf("%d were sent", n)
		}
		if bytes, reading := b.runner.unrecorded.Load(), b.runner.reading.Load(); bytes != 0 || reading != 0 {
			b.t.Errorf("%d bytes are counted that nobody keeps, %d that nobody reads", bytes, reading)
		}
	})
}

// lockWrites lets nothing be recorded about a webhook until unlock.
func (b *bench) lockWrites(w models.Webhook) (unlock func()) {
	b.t.Helper()
	db, lock := b.store.SQLite(), "update lanes set slow = slow where webhook_id = "
	if db == nil {
		db = stdlib.OpenDBFromPool(b.store.Postgres())
		b.t.Cleanup(func() { _ = db.Close() })
	}
	tx, err := db.BeginTx(b.t.Context(), nil)
	ok(b.t, err)
	_, err = tx.ExecContext(b.t.Context(), lock+strconv.FormatInt(w.ID, 10))
	ok(b.t, err)
	return func() { ok(b.t, tx.Rollback()) }
}

func answersLong(r *receiver) http.HandlerFunc {
	return func(rw http.ResponseWriter, req *http.Request) {
		r.ServeHTTP(rw, req)
		_, _ = rw.Write([]byte(strings.Repeat("x", 100<<10)))
	}
}

// With no room for answers that are being read, their beginnings are kept.
func TestAnswersThatAreReadDoNotFillTheMemory(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		b.receiver.Config.Handler = answersLong(b.receiver)
		d := b.runner
		d.reading.Store(readingMost) // by other lanes
		b.deliver(w)
		row := b.only(w)
		attempts, err := b.store.Deliveries.Attempts(b.t.Context(), row.ID)
		ok(b.t, err)
		if a := attempts[0]; !a.Truncated || len(a.ResponseBody) == 0 || len(a.ResponseBody) > 8<<10 || row.State != models.DeliveryDelivered {
			b.t.Errorf("%s with %d bytes of an answer", row.State, len(a.ResponseBody))
		}
		if n := d.reading.Load(); n != readingMost {
			b.t.Errorf("%d bytes are counted that nobody reads", n-readingMost)
		}
	})
}

// An answer is kept whole as long as it fits beside those that are being read
// and those that are not recorded yet.
func TestAnswersAreKeptWhileTheyFit(t *testing.T) {
	onBoth(t, func(b *bench) {
		const needs = 8 << 10 // of an answer of 10 KiB, beyond its beginning
		b.receiver.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write(make([]byte, 10<<10)) })
		w := b.webhook(nil)
		for i, c := range []struct {
			reading, unrecorded int64 // by other lanes
			whole               bool
		}{
			{readingMost - needs, 0, true},
			{readingMost - needs + 1, 0, false},
			{0, readingMost - needs, true},
			{0, readingMost - needs + 1, false},
			{readingMost / 2, readingMost / 2, false},
		} {
			b.runner.reading.Store(c.reading)
			b.runner.unrecorded.Store(c.unrecorded)
			b.record(question(strconv.Itoa(i), i+1, nil))
			b.later()
			b.deliver(w)
			rows := b.deliveries(w)
			attempts, err := b.store.Deliveries.Attempts(b.t.Context(), rows[len(rows)-1].ID)
			ok(b.t, err)
			if len(rows) != i+1 || len(attempts) != 1 || attempts[0].Truncated == c.whole {
				b.t.Errorf("%d bytes read and %d unrecorded: %d attempts of %d deliveries, the last truncated: %v", c.reading, c.unrecorded, len(attempts), len(rows), !c.whole)
			}
		}
	})
}

// A lane reads ahead while little waits in its memory.
func TestMoreIsReadAheadOfShortBodies(t *testing.T) {
	for bytes, ahead := range map[int]bool{0: true, 1 << 10: true, laneAheadBytes/2 + 1: false} {
		p := newPrefetcher(nil, &dispatchRuns{}, 1)
		p.queue, p.ahead = []models.Delivery{{Body: make([]byte, bytes)}, {Body: make([]byte, bytes)}}, 3
		if p.low() != ahead {
			t.Errorf("two bodies of %d bytes wait: more is read %v", bytes, !ahead)
		}
	}
}

// An interrupted turn does not wait for ever for its open requests, and their
// later results are not counted as kept.
func TestATurnThatBreaksOffEnds(t *testing.T) {
	onBoth(t, func(b *bench) {
		l := newLane(b.runner, seat{id: 1, share: models.ShareFast}, "test")
		l.pacer.begin(models.Delivery{ID: 1})
		l.rec.count(2, 100)
		l.reading.Store(10)
		l.drain(b.t.Context(), 0)
		l.forget()
		l.results <- attemptResult{reading: 10}
		b.until(func() bool { return l.unrecorded.Load() == 0 && l.reading.Load() == 0 })
	})
}
