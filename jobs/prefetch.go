package jobs

import (
	"context"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

const (
	laneFetch      = 256       // due deliveries read at once
	laneAhead      = 64        // left of them when more is read
	laneAheadBytes = 256 << 10 // and of their bodies
)

// prefetcher keeps what a lane sends next, and reads more before it runs out.
// The lane's goroutine owns it; the goroutine that reads has the question and
// the channel.
type prefetcher struct {
	lanes   *models.Lanes
	id      int64
	queue   []models.Delivery
	more    bool         // than was read last is due, as it seems
	reading time.Time    // since when something is being read; zero: nothing is
	only    bool         // the webhook alone is being read: nothing starts meanwhile
	answers chan fetched // what was read
}

// fetched is a webhook as it was at a moment, with deliveries that were due.
type fetched struct {
	work models.Work
	at   time.Time // by this process's clock, before work was read
	due  bool      // deliveries were asked for
	rows []models.Delivery
	err  error
}

func newPrefetcher(lanes *models.Lanes, id int64) *prefetcher {
	return &prefetcher{lanes: lanes, id: id, answers: make(chan fetched, 1)}
}

func (p *prefetcher) busy() bool { return !p.reading.IsZero() }

// late reports whether nothing is to be started until an answer comes: it may
// say that the webhook was changed.
func (p *prefetcher) late() bool { return p.busy() && (p.only || time.Since(p.reading) > laneLook) }

// look reads the webhook and its lane.
func (p *prefetcher) look(ctx context.Context) {
	p.only = true
	p.read(ctx, nil)
}

// fetch reads the webhook and its lane, and what is due.
func (p *prefetcher) fetch(ctx context.Context, q models.DueQuery) {
	p.only = false
	p.read(ctx, &q)
}

func (p *prefetcher) read(ctx context.Context, q *models.DueQuery) {
	p.reading = time.Now()
	a := fetched{at: p.reading, due: q != nil}
	go func() {
		if a.work, a.err = p.lanes.Look(ctx, p.id); a.err == nil && a.work.CanSend && q != nil {
			a.rows, a.err = p.lanes.Due(ctx, a.work, *q)
		}
		p.answers <- a
	}()
}

// first reads what is due for a webhook that was read with its claim.
func (p *prefetcher) first(ctx context.Context, work models.Work, at time.Time, q models.DueQuery) {
	p.reading, p.only = time.Now(), false
	go func() {
		a := fetched{work: work, at: at, due: true}
		if work.CanSend {
			a.rows, a.err = p.lanes.Due(ctx, work, q)
		}
		p.answers <- a
	}()
}

// add queues what was read.
func (p *prefetcher) add(a fetched) {
	p.reading = time.Time{}
	if a.due {
		p.queue = append(p.queue, a.rows...)
		p.more = len(a.rows) > laneAhead
	}
}

// low reports whether to read more before nothing is left to send: not while
// long bodies wait.
func (p *prefetcher) low() bool {
	if p.busy() || !p.more || len(p.queue) > laneAhead {
		return false
	}
	bytes := 0
	for _, d := range p.queue {
		bytes += len(d.Body)
	}
	return bytes <= laneAheadBytes
}

// drop forgets what is queued: it is due still.
func (p *prefetcher) drop() { p.queue, p.more = nil, false }
