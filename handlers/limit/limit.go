// Package limit shares a server's capacity among flows of requests: places for
// requests in work, and bytes that they may hold.
//
// A flow is a source of requests that must not crowd out the others: a token, a
// member, an address group. The caller sorts requests into flows after it has
// checked their credentials, so that a request without any never uses a place
// that a request with credentials needs. Free places are granted in order of
// arrival. While requests wait, the flow that holds least is served first,
// flows that hold the same take turns, and a flow that holds more than its
// share gives places back: the context of its oldest request is cancelled. The
// model is Kubernetes' API Priority and Fairness.
package limit

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"
)

// ErrBusy means that there was no free place or byte within the time to wait.
var ErrBusy = errors.New("limit: no free place")

// ErrYield is the cause of a cancelled place: its flow held more than its
// share while another flow waited.
var ErrYield = errors.New("limit: the place was given to another flow")

// grace is how long a request waits for places to be released by themselves
// before one is taken back. Most requests end sooner.
const grace = 50 * time.Millisecond

// Config is the capacity that a Limiter shares. The zero value of a field other
// than Places switches off the limit that it sets.
type Config struct {
	Places  int           // requests in work at once
	Bytes   int64         // bytes that they may hold together; see Place.Take
	PerFlow int           // places that one flow may hold, even if others are free
	Share   int           // one flow keeps 1/Share of Places and Bytes while another waits
	Queue   int           // requests that wait, all flows together
	Wait    time.Duration // how long each of them waits
}

// Limiter shares places and bytes among flows. Its methods may be called from
// any goroutine; the zero value is not usable.
type Limiter struct {
	conf Config

	mu           sync.Mutex // guards all that follows, and the flows and places
	flows        map[string]*flow
	places       int            // held
	yielding     int            // of these, told to yield
	waiting      int            // requests that wait for a place
	order        uint64         // counts arrivals
	served       uint64         // of the request that was given a place last; see flow.turn
	bytes        int64          // held
	byteRequests []*byteRequest // wait for bytes, in order of arrival
	leader       *Place         // may exceed Bytes, so that some request can always finish
}

// flow has the places and bytes that requests of one key hold, and those that
// wait for them.
type flow struct {
	key     string
	held    []*Place // oldest first
	bytes   int64
	waiting []*waiter // oldest first
	// served of the flow's next request. Requests of one flow have turns that
	// follow one another; the first of a flow has the turn that is served now.
	served uint64
}

// waiter is a request that waits for a place. Its channel is closed once place
// is set, or once the queue has dropped it.
type waiter struct {
	ctx    context.Context
	order  uint64
	served uint64
	place  *Place
	done   chan struct{}
}

// Place is a request's share of the capacity, until Release.
type Place struct {
	limiter *Limiter
	flow    *flow
	ctx     context.Context //nolint:containedctx // handed to the request that holds the place
	cancel  context.CancelCauseFunc
	bytes   int64
	yields  bool
}

// New returns a Limiter.
func New(conf Config) *Limiter {
	return &Limiter{conf: conf, flows: map[string]*flow{}}
}

// Acquire returns a place for a request of a flow. It waits while there is
// none, and returns ErrBusy when the queue is full or the time to wait is
// over, or the cause of ctx when that ends. The holder must do its work under
// Place.Context and call Place.Release.
func (l *Limiter) Acquire(ctx context.Context, key string) (*Place, error) {
	l.mu.Lock()
	f := l.flows[key]
	if f == nil {
		f = &flow{key: key}
		l.flows[key] = f
	}
	served := max(f.served, l.served)
	f.served = served + 1
	if l.waiting == 0 && l.free(f) {
		p := l.occupy(ctx, f)
		l.mu.Unlock()
		return p, nil
	}
	l.order++
	w := &waiter{ctx: ctx, order: l.order, served: served, done: make(chan struct{})}
	f.waiting = append(f.waiting, w)
	l.waiting++
	l.grant()
	if w.place == nil && l.waiting > l.conf.Queue {
		l.shed()
	}
	l.mu.Unlock()
	return l.wait(w, f)
}

// wait returns the place that a waiter is given, in the waiter's goroutine.
func (l *Limiter) wait(w *waiter, f *flow) (*Place, error) {
	deadline := time.NewTimer(l.conf.Wait)
	defer deadline.Stop()
	again := time.NewTicker(grace)
	defer again.Stop()
	for {
		select {
		case <-w.done:
			if w.place == nil {
				return nil, ErrBusy
			}
			return w.place, nil
		case <-again.C:
			l.mu.Lock()
			l.reclaimPlace(f)
			l.mu.Unlock()
		case <-deadline.C:
			return l.abandon(w, f, ErrBusy)
		case <-w.ctx.Done():
			return l.abandon(w, f, context.Cause(w.ctx))
		}
	}
}

// abandon takes a waiter out of the queue, unless it was given a place just now.
func (l *Limiter) abandon(w *waiter, f *flow, cause error) (*Place, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.place != nil {
		return w.place, nil
	}
	l.drop(f, w)
	return nil, cause
}

// Context is the request's context, cancelled with the cause ErrYield when the
// place has to be given to another flow.
func (p *Place) Context() context.Context { return p.ctx }

// Release gives the place back with all its bytes. Calling it again does
// nothing.
func (p *Place) Release() {
	l := p.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if !remove(&p.flow.held, p) {
		return
	}
	p.cancel(nil)
	l.places--
	if p.yields {
		l.yielding--
	}
	l.bytes -= p.bytes
	p.flow.bytes -= p.bytes
	p.bytes = 0
	if l.leader == p {
		l.leader = nil
	}
	l.forget(p.flow)
	l.grant()
	l.serve()
}

// free reports whether a flow may have one more place now.
func (l *Limiter) free(f *flow) bool {
	return l.places < l.conf.Places && (l.conf.PerFlow == 0 || len(f.held) < l.conf.PerFlow)
}

func (l *Limiter) occupy(ctx context.Context, f *flow) *Place {
	p := &Place{limiter: l, flow: f}
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	f.held = append(f.held, p)
	l.places++
	return p
}

// grant gives free places to waiting requests: first to the flow that holds
// least, among equals by turn, and then in order of arrival.
func (l *Limiter) grant() {
	for l.waiting > 0 {
		var next *flow
		for _, f := range l.flows {
			if len(f.waiting) == 0 || !l.free(f) {
				continue
			}
			if next == nil || before(f, next) {
				next = f
			}
		}
		if next == nil {
			return
		}
		w := next.waiting[0]
		l.served = max(l.served, w.served)
		w.place = l.occupy(w.ctx, next)
		l.drop(next, w)
	}
}

// before tells whether f, which waits, is served before g, which waits too.
func before(f, g *flow) bool {
	return cmp.Or(
		cmp.Compare(len(f.held), len(g.held)),
		cmp.Compare(f.waiting[0].served, g.waiting[0].served),
		cmp.Compare(f.waiting[0].order, g.waiting[0].order),
	) < 0
}

// shed drops the newest request of the flow that has most of them waiting.
func (l *Limiter) shed() {
	var longest *flow
	for _, f := range l.flows {
		if longest == nil || len(f.waiting) > len(longest.waiting) ||
			len(f.waiting) > 0 && len(f.waiting) == len(longest.waiting) && newest(f) > newest(longest) {
			longest = f
		}
	}
	l.drop(longest, longest.waiting[len(longest.waiting)-1])
}

func newest(f *flow) uint64 { return f.waiting[len(f.waiting)-1].order }

// drop ends a waiter's wait.
func (l *Limiter) drop(f *flow, w *waiter) {
	if !remove(&f.waiting, w) {
		return
	}
	l.waiting--
	close(w.done)
	l.forget(f)
}

// forget removes a flow that holds nothing and waits for nothing.
func (l *Limiter) forget(f *flow) {
	if len(f.held) == 0 && len(f.waiting) == 0 {
		delete(l.flows, f.key)
	}
}

// reclaimPlace tells the flow with the most places to give one back to f,
// which waits. Nothing happens unless f is below its share and the other above.
func (l *Limiter) reclaimPlace(f *flow) {
	if l.conf.Share == 0 || l.places < l.conf.Places || l.yielding >= l.waiting {
		return
	}
	share := max(1, l.conf.Places/l.conf.Share)
	if len(f.held) >= share {
		return
	}
	var most []*Place
	for _, other := range l.flows {
		if places := other.places(); len(places) > len(most) {
			most = places
		}
	}
	if len(most) > share {
		l.yield(most[0]) // the oldest: the slowest
	}
}

// places returns the places of a flow that are not told to yield.
func (f *flow) places() []*Place {
	places := make([]*Place, 0, len(f.held))
	for _, p := range f.held {
		if !p.yields {
			places = append(places, p)
		}
	}
	return places
}

func (l *Limiter) yield(p *Place) {
	p.yields = true
	l.yielding++
	p.cancel(ErrYield)
}

// remove takes one element out of a list that is in order.
func remove[T comparable](list *[]T, one T) bool {
	for i, other := range *list {
		if other == one {
			*list = append((*list)[:i], (*list)[i+1:]...)
			return true
		}
	}
	return false
}
