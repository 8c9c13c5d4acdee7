package jobs

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

const (
	claimMost  = 256              // lanes in one statement
	laneLease  = 45 * time.Second // and renewed every leaseRenew
	leaseRenew = 15 * time.Second
	// stopSoft is how long a stop lets requests run before it cuts them, and
	// stopCut how long it waits for what they leave to be recorded.
	stopSoft = 25 * time.Second
	stopCut  = 5 * time.Second
	// openMost requests are open at once, with all the memory that limits are
	// made for: one to a silent receiver takes about 40 KiB. Lanes whose newest
	// attempt was no quick success leave a quarter of them to the others.
	openMost = 2048
)

// runner works on lanes in this process. The row of a lane with its lease is
// the truth: what is lost here, a sweep finds again.
type runner struct {
	*deliverer
	wake  chan struct{}  // a lane waits, or a place is free
	lanes sync.WaitGroup // the goroutines of lanes
	open  atomic.Int64   // requests
	most  int64          // openMost, or less with little memory
	runs  dispatchRuns

	mu     sync.Mutex // guards the fields below
	places *places
	held   map[int64]*lane
}

func newRunner(d *deliverer, limits map[string]int, most int) *runner {
	return &runner{
		deliverer: d, wake: make(chan struct{}, 1), most: int64(most),
		places: newPlaces(limits), held: map[int64]*lane{},
	}
}

// offer hands over lanes that have something due.
func (r *runner) offer(refs []models.LaneRef) {
	if len(refs) == 0 {
		return
	}
	r.mu.Lock()
	for _, ref := range refs {
		if l := r.held[ref.WebhookID]; l != nil {
			poke(l.filled)
			continue
		}
		r.places.add(ref)
	}
	r.mu.Unlock()
	poke(r.wake)
}

// missing asks for lanes that nobody offered.
func (r *runner) missing() models.SweepQuery {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := models.SweepQuery{Full: r.places.full(), Limit: claimMost * 4}
	for id := range r.places.known {
		q.Waiting = append(q.Waiting, id)
	}
	return q
}

// run begins lanes until ctx ends; lanes goes on, and ends them.
func (r *runner) run(ctx, lanes context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		for r.begin(lanes) {
		}
	}
}

// begin claims lanes for which there are places; false: there are none.
func (r *runner) begin(ctx context.Context) bool {
	batch := r.choose()
	if len(batch) == 0 {
		return false
	}
	ids := make([]int64, len(batch))
	for i, at := range batch {
		ids[i] = at.id
	}
	holder, now := r.instance+"-"+rand.Text(), time.Now()
	works, err := r.store.Lanes.Claim(ctx, ids, holder, laneLease)
	if err != nil && ctx.Err() == nil {
		r.log.ErrorContext(ctx, "cannot begin to deliver; retrying", slog.Any("error", err))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, at := range batch {
		work, claimed := works[at.id]
		if !claimed {
			r.places.free(at)
			continue
		}
		l := newLane(r, at, holder)
		r.held[at.id] = l
		r.lanes.Go(func() { l.work(ctx, work, now) })
	}
	return err == nil
}

// choose gives places to lanes that wait.
func (r *runner) choose() (batch []seat) {
	select {
	case <-r.stopping:
		return nil // what is due stays due, for another instance or the next start
	default:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for now := time.Now(); len(batch) < claimMost; {
		at, ok := r.places.next(now)
		if !ok {
			break
		}
		batch = append(batch, at)
	}
	return batch
}

// ended gives back what a lane had. One that was filled while it ended waits
// for its next turn.
func (r *runner) ended(l *lane) {
	r.mu.Lock()
	delete(r.held, l.at.id)
	if l.outside {
		r.places.heard(l.at)
	} else {
		r.places.free(l.at)
	}
	r.mu.Unlock()
	select {
	case <-l.filled:
		if len(l.next) == 0 {
			l.next = []models.LaneRef{{WebhookID: l.at.id, Share: l.at.share, URLShown: l.at.host}}
		}
	default:
	}
	r.offer(l.next)
	poke(r.wake)
}

// crowded reports whether other lanes wait for a place in this one's share.
func (l *lane) crowded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.places.crowded(l.at.share)
}

// fetchMost is how many due deliveries the lane reads at once. Lanes share the
// statements that read: many lanes with many deliveries each would keep one with
// a single delivery waiting for seconds.
func (l *lane) fetchMost() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return min(laneFetch, max(fetchAhead, lanesFetch/max(1, len(l.held))))
}

// stepOutside gives the lane's place back while it waits for its receiver. What
// it has read is due still.
func (l *lane) stepOutside() {
	l.mu.Lock()
	l.places.silent(l.at)
	l.mu.Unlock()
	l.outside = true
	l.pre.drop()
	poke(l.wake)
}

// stepInside takes a place again if that delays no other.
func (l *lane) stepInside() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outside = !l.places.retake(l.at, time.Now())
}

// heard notes that the lane's receiver answered.
func (l *lane) heard() {
	l.mu.Lock()
	l.places.answered(l.at, time.Now())
	l.mu.Unlock()
}

// mayOpen reports whether this lane may open one request more.
func (l *lane) mayOpen() bool {
	most := l.most
	if l.at.share != models.ShareFast {
		most -= most / 4
	}
	return l.open.Load() < most
}

// renewals prolongs the leases of all lanes until ctx ends.
func (r *runner) renewals(ctx context.Context) {
	tick := time.NewTicker(leaseRenew)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := r.renew(ctx); err != nil && ctx.Err() == nil {
				r.log.ErrorContext(ctx, "cannot renew leases; retrying", slog.Any("error", err))
			}
		}
	}
}

func (r *runner) renew(ctx context.Context) error {
	r.mu.Lock()
	leases := make([]models.Lease, 0, len(r.held))
	for id, l := range r.held {
		leases = append(leases, models.Lease{WebhookID: id, Holder: l.holder})
	}
	r.mu.Unlock()
	if len(leases) == 0 {
		return nil
	}
	_, err := r.store.Lanes.Renew(ctx, leases, laneLease)
	return err // a lane that lost its lease learns of it when it looks
}

// stop waits for lanes to end, cuts their requests after stopSoft or when ctx
// ends, and returns when what is left is recorded.
func (r *runner) stop(ctx context.Context, cut context.CancelFunc) error {
	done := make(chan struct{})
	go func() {
		r.lanes.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(stopSoft):
	case <-ctx.Done():
	}
	cut()
	select {
	case <-done:
		return nil
	case <-time.After(stopCut):
		return fmt.Errorf("stop delivering: %w", context.DeadlineExceeded)
	}
}
