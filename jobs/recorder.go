package jobs

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

const (
	laneUnrecorded      = 512       // outcomes kept while the database is slow
	laneUnrecordedBytes = 128 << 10 // bytes of them that a lane may always keep
	unrecordedMost      = 2 << 20   // bytes of them, of all lanes of an instance, beyond which it waits
	recordBytes         = 256 << 10 // of them in one transaction, and one more: the driver copies them twice
	laneRecord          = 100       // outcomes that are recorded at once while requests are open
)

// recorder keeps a lane's outcomes until they are stored. The lane's goroutine
// owns it; the goroutine that stores a batch has the batch and the channel.
type recorder struct {
	all      *atomic.Int64 // bytes that lanes of this instance keep
	done     map[int64]int // delivery, sent and not stored yet → bytes that came back
	bytes    int           // the sum of these
	outcomes []models.Outcome
	state    models.LaneHealth
	last     last // of the attempts so far, the one that began last
	overdue  bool // store them, however few they are
	busy     bool // a batch is being stored
	stored   chan recorded
}

// last is a webhook's newest attempt.
type last struct {
	at      time.Time
	code    int
	failure string
}

// recorded is the result of storing a batch of outcomes.
type recorded struct {
	outcomes []models.Outcome
	err      error
}

func newRecorder(all *atomic.Int64) *recorder {
	return &recorder{all: all, done: map[int64]int{}, stored: make(chan recorded, 1)}
}

// add keeps the outcome of an attempt that began at a moment.
func (r *recorder) add(o models.Outcome, at time.Time) {
	r.count(o.Attempt.DeliveryID, size(o.Attempt))
	r.outcomes = append(r.outcomes, o)
	if !at.Before(r.last.at) { // requests may end in another order than they began
		r.last = last{at, o.Attempt.Code, o.Attempt.ErrorClass}
	}
	if o.Attempt.Arrived {
		r.state.LastSuccessAt = &at
	}
}

// full reports whether sending must pause until outcomes are stored, so that
// responses of any size do not fill the memory.
func (r *recorder) full() bool {
	return len(r.done) >= laneUnrecorded || r.bytes > laneUnrecordedBytes && r.all.Load() > unrecordedMost
}

// count counts the bytes kept for a delivery until it is stored.
func (r *recorder) count(id int64, bytes int) {
	more := bytes - r.done[id]
	r.done[id] = bytes
	r.bytes += more
	r.all.Add(int64(more))
}

// ready reports whether to store a batch now. While more may come soon it waits
// for that, because a transaction costs much the same for one as for many.
func (r *recorder) ready(more bool) bool {
	few := more && len(r.outcomes) < laneRecord && !r.overdue && !r.full()
	return !r.busy && len(r.outcomes) > 0 && !few
}

// start stores a batch by a function, in a goroutine.
func (r *recorder) start(ctx context.Context, state models.LaneHealth, store func(context.Context, []models.Outcome, models.LaneHealth) error) {
	n := 0
	for bytes := 0; n < len(r.outcomes) && bytes < recordBytes; n++ {
		bytes += size(r.outcomes[n].Attempt)
	}
	outcomes, newest := r.outcomes[:n:n], r.last.at // the recorder's own moves on meanwhile
	r.outcomes, r.state, r.busy, r.overdue = slices.Clone(r.outcomes[n:]), models.LaneHealth{}, true, false
	state.LastAt, state.LastCode, state.LastError = &newest, r.last.code, r.last.failure
	go func() { r.stored <- recorded{outcomes, store(ctx, outcomes, state)} }()
}

// onRecorded drops the stored outcomes.
func (r *recorder) onRecorded(batch recorded) error {
	r.busy = false
	for _, o := range batch.outcomes {
		r.count(o.Attempt.DeliveryID, 0)
		delete(r.done, o.Attempt.DeliveryID)
	}
	return batch.err
}

// idle reports whether nothing is left to be stored.
func (r *recorder) idle() bool { return !r.busy && len(r.outcomes) == 0 }
