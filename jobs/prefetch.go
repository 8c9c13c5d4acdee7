package jobs

import (
	"context"
	"slices"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

const (
	laneFetch      = 256       // due deliveries that a lane reads at once
	lanesFetch     = 4096      // and all lanes together, unless they are very many
	fetchAhead     = 16        // and for each request that the receiver has earned
	laneAheadBytes = 256 << 10 // of bodies, while more is not read ahead
)

// prefetcher keeps what a lane sends next, and reads more before it runs out.
// The lane's goroutine owns it; the goroutine that reads has the question and
// the channel.
type prefetcher struct {
	lanes   *models.Lanes
	id      int64
	queue   []models.Delivery
	ahead   int          // how many are left when more is read; 0: no more is due, as it seems
	fetched time.Time    // when what is due was asked for last
	busy    bool         // something is being read
	answers chan fetched // what was read
	runs    *dispatchRuns
	// through is the run of dispatch up to which the lane has all that is due;
	// refused is the newest whose deliveries it did not take over.
	through, refused int64
	dropped          bool // the queue was, while something was being read
}

// unknownRun is before all runs: there may be more due than a lane has.
const unknownRun = -1

// fetched is a webhook as it was at a moment, with deliveries that were due.
type fetched struct {
	work models.Work
	at   time.Time // by this process's clock, before work was read
	got  time.Time // and after it was
	most int       // deliveries that were asked for; 0: none were
	rows []models.Delivery
	// through is the run of dispatch of which, and of all before it, nothing else
	// is due; unknownRun: there may be more, or a run ended meanwhile.
	through int64
	err     error
}

func newPrefetcher(lanes *models.Lanes, runs *dispatchRuns, id int64) *prefetcher {
	return &prefetcher{lanes: lanes, runs: runs, id: id, answers: make(chan fetched, 1), through: unknownRun}
}

// reload reads the webhook and its lane.
func (p *prefetcher) reload(ctx context.Context) { p.read(ctx, nil) }

// fetch reads the webhook and its lane, and what is due.
func (p *prefetcher) fetch(ctx context.Context, q models.DueQuery) { p.read(ctx, &q) }

func (p *prefetcher) read(ctx context.Context, q *models.DueQuery) {
	a := fetched{at: time.Now()}
	if p.busy = true; q != nil {
		p.fetched, a.most = a.at, q.Limit
	}
	go func() {
		defer func() { p.answers <- a }()
		defer contain(&a.err)
		a.work, a.err = p.lanes.Reload(ctx, p.id)
		if a.got = time.Now(); a.err == nil && a.work.CanSend && q != nil {
			q.At = a.work.Now
			p.readDue(ctx, &a, *q)
		}
	}()
}

// due reads what is due for a webhook that was read before and counts still.
func (p *prefetcher) due(ctx context.Context, seen fetched, q models.DueQuery) {
	p.busy, p.fetched, seen.most = true, time.Now(), q.Limit
	go func() {
		defer func() { p.answers <- seen }()
		defer contain(&seen.err)
		p.readDue(ctx, &seen, q)
	}()
}

func (p *prefetcher) readDue(ctx context.Context, a *fetched, q models.DueQuery) {
	before, all := p.runs.committed(), false
	a.rows, all, a.err = p.lanes.Due(ctx, a.work, q)
	// What was dispatched after the moment of the question is not due in it.
	if a.through = before.run; !all || q.At.Before(before.at) || p.runs.committing.Load() != before.run {
		a.through = unknownRun
	}
}

// add queues what was read.
func (p *prefetcher) add(a fetched) {
	dropped := p.dropped
	p.busy, p.dropped = false, false
	if a.most == 0 {
		return
	}
	p.queue = append(p.queue, a.rows...)
	if p.through = a.through; p.through < p.refused || dropped {
		p.through = unknownRun
	}
	paced := slices.ContainsFunc(a.rows, func(d models.Delivery) bool { return d.Paced })
	switch p.ahead = 0; {
	case len(a.rows) > a.most/4: // fewer may be all that their bytes allow
		p.ahead = a.most / 4
	case paced: // of which few are read at once
		p.ahead = pacedInFlight
	}
}

// low reports whether to read more before nothing is left to send: not while
// long bodies wait.
func (p *prefetcher) low() bool {
	if p.busy || len(p.queue) >= p.ahead {
		return false
	}
	return p.bytes() <= laneAheadBytes
}

// bytes are those of the queued bodies.
func (p *prefetcher) bytes() (n int) {
	for _, d := range p.queue {
		n += len(d.SharedBytes()) + len(d.Body)
	}
	return n
}

// pacedAlone reports whether nothing is queued but what is paced.
func (p *prefetcher) pacedAlone() bool {
	return !slices.ContainsFunc(p.queue, func(d models.Delivery) bool { return !d.Paced })
}

// drop forgets what is queued: it is due still.
func (p *prefetcher) drop() {
	p.queue, p.ahead, p.through = nil, 0, unknownRun
	p.dropped = p.busy // what is being read leaves out what was queued
}
