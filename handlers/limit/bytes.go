package limit

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// byteRequest is a place that waits for bytes. Its channel is closed once it has
// them.
type byteRequest struct {
	place *Place
	n     int64
	done  chan struct{}
}

// Reserve counts n more bytes as held by a place, as they arrive, and waits
// while the flows hold all there are. It returns the cause of the place's
// context when that ends first. To keep requests that are half read from
// waiting for one another for ever, one of them at a time may go on beyond the
// limit, so Bytes is exceeded by at most the bytes of one request.
func (p *Place) Reserve(n int64) error {
	l := p.limiter
	l.mu.Lock()
	if len(l.byteRequests) == 0 && l.bytes+n <= l.conf.Bytes || p == l.leader {
		p.count(n)
		l.mu.Unlock()
		return nil
	}
	t := &byteRequest{place: p, n: n, done: make(chan struct{})}
	l.byteRequests = append(l.byteRequests, t)
	l.serve()
	l.mu.Unlock()

	again := time.NewTicker(grace)
	defer again.Stop()
	for {
		select {
		case <-t.done:
			return nil
		case <-again.C:
			l.mu.Lock()
			l.reclaimBytes(t)
			l.mu.Unlock()
		case <-p.ctx.Done():
			l.mu.Lock()
			remove(&l.byteRequests, t)
			l.mu.Unlock()
			return context.Cause(p.ctx)
		}
	}
}

func (p *Place) count(n int64) {
	p.bytes += n
	p.flow.bytes += n
	p.limiter.bytes += n
}

// serve gives free bytes to waiting requests, first to the flow that holds
// fewest, and makes the first of them the leader if there is none.
func (l *Limiter) serve() {
	for len(l.byteRequests) > 0 {
		next := l.byteRequests[0]
		for _, t := range l.byteRequests {
			if t.place.flow.bytes < next.place.flow.bytes {
				next = t
			}
		}
		if l.bytes+next.n > l.conf.Bytes {
			if l.leader != nil {
				return
			}
			l.leader = next.place
		}
		next.place.count(next.n)
		remove(&l.byteRequests, next)
		close(next.done)
	}
}

// reclaimBytes tells the flow with the most bytes to give back the request
// that holds most of them, if t's flow is below its share and the other above.
func (l *Limiter) reclaimBytes(t *byteRequest) {
	if l.conf.Share == 0 || l.yielding >= len(l.byteRequests) {
		return
	}
	share := l.conf.Bytes / int64(l.conf.Share)
	if t.place.flow.bytes+t.n > share {
		return
	}
	var largest *Place // of the flow that keeps most
	var most int64
	for _, f := range l.flows {
		places := f.places()
		var sum int64
		for _, p := range places {
			sum += p.bytes
		}
		if sum > max(most, share) {
			most = sum
			largest = slices.MaxFunc(places, func(a, b *Place) int { return cmp.Compare(a.bytes, b.bytes) })
		}
	}
	if largest != nil {
		l.yield(largest)
	}
}
