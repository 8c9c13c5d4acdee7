package jobs

import (
	"sync/atomic"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// dispatchRuns are the runs of dispatch that this instance made, by their
// numbers in the database.
type dispatchRuns struct {
	committing atomic.Int64                 // the newest that may be visible to others
	newest     atomic.Pointer[dispatchedAt] // that is, and whose deliveries were handed over
}

// dispatchedAt is the number of a run, and its moment by the deciding clock.
type dispatchedAt struct {
	run int64
	at  time.Time
}

// committed is the newest run, the zero value before the first.
func (r *dispatchRuns) committed() dispatchedAt {
	if newest := r.newest.Load(); newest != nil {
		return *newest
	}
	return dispatchedAt{}
}

// handed are the deliveries that a run of dispatch stored for one webhook. Its
// lane, if this instance holds it, sends them without reading them from the
// database; their rows in the queue stay the truth.
type handed struct {
	run   int64 // of dispatch
	since int64 // this instance made all runs from this one on
	rows  []models.Delivery
	bytes int
	left  bool // they have to be read: they are too many, or the lane is paced
}

// handOver gives the deliveries of a run to the lanes that this instance holds,
// and offers all lanes that it filled.
func (r *runner) handOver(run, since int64, refs []models.LaneRef, built []models.NewDelivery) {
	to := make(map[int64]*handed, len(refs))
	for _, ref := range refs {
		to[ref.WebhookID] = &handed{run: run, since: since, left: ref.Paced}
	}
	for i := range built {
		if h := to[built[i].WebhookID]; h != nil && built[i].Unbuilt == "" {
			h.add(built[i].Whole())
		}
	}
	r.mu.Lock()
	for id, h := range to {
		if l := r.held[id]; l != nil {
			l.handed = withHanded(l.handed, *h)
		}
	}
	r.mu.Unlock()
	r.offer(refs)
}

// withHanded adds to what a lane was handed and has not taken yet, as much as one
// batch may have.
func withHanded(batches []handed, h handed) []handed {
	rows, bytes := len(h.rows), h.bytes
	for _, b := range batches {
		rows, bytes = rows+len(b.rows), bytes+b.bytes
	}
	if h.left || rows > laneFetch || bytes > laneAheadBytes {
		return []handed{{run: h.run, left: true}} // of which the lane reads all
	}
	return append(batches, h)
}

func (h *handed) add(d models.Delivery) {
	h.bytes += len(d.SharedBytes()) + len(d.Body)
	if h.left = h.left || len(h.rows) == laneFetch || h.bytes > laneAheadBytes; h.left {
		h.rows, h.bytes = nil, 0
		return
	}
	h.rows = append(h.rows, d)
}

// fill takes over what fell due, or notes that there is something to be read; a
// lane outside needs a place for that.
func (l *lane) fill() {
	if l.outside && !l.pacer.full() && !l.ended {
		l.stepInside()
	}
	if !l.takeHanded() {
		l.more = true
	}
}

// mayTake reports whether the lane may send what it did not read: not for long
// without a look at the database, and not while one is under way.
func (l *lane) mayTake() bool {
	return !l.ended && !l.outside && !l.pre.busy && l.pre.through != unknownRun &&
		time.Since(l.pre.fetched) < lanePoll && !l.format.Policy.HoldOthers
}

// takeHanded queues what was handed over; false: what fell due has to be read.
// It counts only when the lane has all that fell due before.
func (l *lane) takeHanded() bool {
	l.mu.Lock()
	batches := l.handed
	l.handed = nil
	l.mu.Unlock()
	if len(batches) == 0 { // something else fell due, such as what is sent again
		l.pre.through = unknownRun
		return false
	}
	all := l.mayTake()
	for _, h := range batches {
		fits := len(l.pre.queue)+len(h.rows) <= laneFetch && l.pre.bytes()+h.bytes <= laneAheadBytes
		switch {
		case h.run <= l.pre.through: // the last look found it
		case all && fits && !h.left && h.since <= l.pre.through+1:
			l.pre.queue, l.pre.through = append(l.pre.queue, h.rows...), h.run
		default:
			all, l.pre.refused, l.pre.through = false, h.run, unknownRun
		}
	}
	return all
}
