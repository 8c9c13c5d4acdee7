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
	limit  int // requests at once
	window int // of these, as many as the receiver has earned: one, doubled with each that arrives
	paced  int // of the open ones
	open   map[int64]opened
	pace   *rate.Limiter // of deliveries released together
	gap    *rate.Limiter // the type's own; nil: none
}

// opened is a request in flight.
type opened struct {
	at    time.Time
	paced bool
}

func newPacer() *pacer {
	return &pacer{limit: laneInFlight, open: map[int64]opened{}, pace: rate.NewLimiter(pacedPerSecond, 1)}
}

// follow takes over the limits of a type and how the webhook fared before. A
// receiver that answered last time has earned all of the limit.
func (p *pacer) follow(policy wire.Policy, work models.Work, at time.Time) {
	if policy.MaxInFlight > 0 {
		p.limit = min(p.limit, policy.MaxInFlight)
	}
	if p.window = 1; work.Lane.LastAt != nil && work.Lane.FailuresInRow == 0 {
		p.window = p.limit
	}
	if policy.MinGap > 0 {
		p.gap = rate.NewLimiter(rate.Every(policy.MinGap), 1)
		if last := work.Lane.LastAt; last != nil {
			p.gap.AllowN(at.Add(last.Sub(work.Now)), 1)
		}
	}
}

// full reports whether another request must wait until one has ended.
func (p *pacer) full(paced bool) bool {
	return len(p.open) >= min(p.limit, p.window) || paced && p.paced >= pacedInFlight
}

// delay is how long the next request must wait for the pace.
func (p *pacer) delay(paced bool) time.Duration {
	if paced {
		return max(delayOf(p.pace), delayOf(p.gap))
	}
	return delayOf(p.gap)
}

// begin counts a request that starts.
func (p *pacer) begin(id int64, paced bool) {
	p.open[id] = opened{time.Now(), paced}
	if paced {
		p.paced++
		p.pace.Allow()
	}
	if p.gap != nil {
		p.gap.Allow()
	}
}

// end counts a request that ended.
func (p *pacer) end(id int64, arrived bool) {
	if p.open[id].paced {
		p.paced--
	}
	delete(p.open, id)
	if arrived {
		p.window = min(2*p.window, p.limit)
	}
}

// silentFor is how long no open request has been new or answered; 0: none is
// open.
func (p *pacer) silentFor() time.Duration {
	var newest time.Time
	for _, o := range p.open {
		if o.at.After(newest) {
			newest = o.at
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
