package jobs

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

const (
	laneInFlight   = 16 // requests at once, unless the type says less
	pacedInFlight  = 4  // of deliveries released together
	pacedPerSecond = 20
)

// pacer decides when a lane's next request may start. The lane's goroutine owns
// it.
type pacer struct {
	limit  int                 // requests at once
	window int                 // of these, as many as the receiver has earned: one, doubled with each that arrives
	paced  int                 // of the open ones
	open   map[int64]time.Time // requests in flight → when they started
	// first are the subjects with a first attempt in flight.
	first map[int64]bool
	ended time.Time     // when a request ended last
	pace  *rate.Limiter // of deliveries released together
	gap   *rate.Limiter // of all; nil: none
}

func newPacer() *pacer {
	return &pacer{limit: laneInFlight, open: map[int64]time.Time{}, first: map[int64]bool{}, pace: rate.NewLimiter(pacedPerSecond, 1)}
}

// follow takes over the limits of a type and how the webhook fared before. A
// receiver that answered last time has earned all of the limit.
func (p *pacer) follow(policy wire.Policy, work models.Work) {
	if policy.MaxInFlight > 0 {
		p.limit = min(p.limit, policy.MaxInFlight)
	}
	if p.window = 1; work.Lane.LastAt != nil && work.Lane.FailuresInRow == 0 {
		p.window = p.limit
	}
}

// space sets the least time between the starts of two requests. The newest one
// may be of an earlier turn.
func (p *pacer) space(gap time.Duration, work models.Work, at time.Time) {
	switch {
	case gap <= 0:
		p.gap = nil
	case p.gap != nil:
		p.gap.SetLimit(rate.Every(gap))
	default:
		p.gap = rate.NewLimiter(rate.Every(gap), 1)
		if last := work.Lane.LastAt; last != nil {
			p.gap.AllowN(at.Add(last.Sub(work.Now)), 1)
		}
	}
}

// full reports whether no other request may start until one has ended.
func (p *pacer) full() bool { return len(p.open) >= min(p.limit, p.window) }

// choose finds the first delivery that may be sent now; if there is none it
// returns -1, and how long to wait where only time stands in the way. The first
// attempts of a subject keep their order, and paced deliveries let others pass.
func (p *pacer) choose(queue []models.Delivery) (i int, wait time.Duration) {
	if p.full() || len(queue) == 0 {
		return -1, 0
	}
	if gap := delayOf(p.gap); gap > 0 {
		return -1, gap
	}
	pace := delayOf(p.pace)
	var behind map[int64]bool // subjects whose earlier delivery waits
	for i, d := range queue {
		late := isFirst(d) && (p.first[d.Subject] || behind[d.Subject])
		if !late && (!d.Paced || p.paced < pacedInFlight && pace == 0) {
			return i, 0
		}
		if !late && p.paced < pacedInFlight {
			wait = pace
		}
		if isFirst(d) {
			if behind == nil {
				behind = map[int64]bool{}
			}
			behind[d.Subject] = true
		}
	}
	return -1, wait
}

// isFirst reports whether this is the first attempt of a delivery that keeps
// the order of its subject.
func isFirst(d models.Delivery) bool { return d.Subject != 0 && d.Round == 0 && !d.Resend }

// begin counts a request that starts.
func (p *pacer) begin(d models.Delivery) {
	p.open[d.ID] = time.Now()
	if isFirst(d) {
		p.first[d.Subject] = true
	}
	if d.Paced {
		p.paced++
		p.pace.Allow()
	}
	if p.gap != nil {
		p.gap.Allow()
	}
}

// end counts a request that ended.
func (p *pacer) end(d models.Delivery, arrived bool) {
	delete(p.open, d.ID)
	p.ended = time.Now()
	if isFirst(d) {
		delete(p.first, d.Subject)
	}
	if d.Paced {
		p.paced--
	}
	if arrived {
		p.window = min(2*p.window, p.limit)
	}
}

// silentFor is how long no request has started or, when none is open, ended.
func (p *pacer) silentFor() time.Duration {
	newest := p.ended
	if len(p.open) > 0 {
		newest = time.Time{}
	}
	for _, at := range p.open {
		if at.After(newest) {
			newest = at
		}
	}
	if newest.IsZero() {
		return 0
	}
	return time.Since(newest)
}

// delayOf is how long a limiter lets nothing through; nil limits nothing.
func delayOf(l *rate.Limiter) time.Duration {
	if l == nil {
		return 0
	}
	missing := 1 - l.Tokens()
	return max(0, time.Duration(missing/float64(l.Limit())*float64(time.Second)))
}
