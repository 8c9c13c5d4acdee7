package db

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Batcher lets concurrent calls share their work at the database: the cost is
// in the statements and the commit, not in the rows. A call that finds no leader
// becomes the leader and does the work of all calls that wait by then.
type Batcher[C any] struct {
	work func(ctx context.Context, calls []C, shared bool) error
	size func(call C) int
	// most is how large a group may be. One call may be larger; then an eighth
	// of it is left for small ones beside it.
	most   int
	within time.Duration
	leader chan struct{} // full while there is a leader

	mu      sync.Mutex
	waiting []*batchCall[C]
}

// batchCall is one call on its way.
type batchCall[C any] struct {
	call C
	err  error
	done chan struct{} // closed when err is set
}

// NewBatcher makes groups of calls of at most a size together; size nil: each
// counts as 1. Work does all or none of a group within a time, under a context
// that is that of none of its calls. It is shared when other calls wait for it.
func NewBatcher[C any](most int, size func(C) int, within time.Duration, work func(ctx context.Context, calls []C, shared bool) error) *Batcher[C] {
	return &Batcher[C]{work: work, size: size, most: most, within: within, leader: make(chan struct{}, 1)}
}

// Do makes a call. When ctx ends before its turn has come, the call is not made
// and the cause is returned. A fault of one call must not fail or delay the
// others: if the shared work fails, each call is tried by itself. If the
// database did not answer, none is tried again, and the calls that wait for
// their turn fail too: otherwise each group would wait for a database that does
// not answer.
func (b *Batcher[C]) Do(ctx context.Context, call C) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	mine := &batchCall[C]{call: call, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, mine)
	b.mu.Unlock()
	select {
	case <-mine.done:
	case b.leader <- struct{}{}:
		if !b.leadUntil(ctx, mine) {
			return context.Cause(ctx)
		}
	case <-ctx.Done():
		if b.withdraw(mine) {
			return context.Cause(ctx)
		}
		<-mine.done // it is being made
	}
	if mine.err == nil || unanswered(mine.err) {
		return mine.err
	}
	ctx, cancel := context.WithTimeout(ctx, b.within)
	defer cancel()
	return b.work(ctx, []C{call}, false)
}

// Waiting is how many calls wait for their turn.
func (b *Batcher[C]) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}

func unanswered(err error) bool {
	return errors.Is(err, errHung) || errors.Is(err, context.DeadlineExceeded)
}

// leadUntil works until a call is done, or withdrawn because ctx ended: then it
// returns false. Another call can lead afterwards, also when something panics.
func (b *Batcher[C]) leadUntil(ctx context.Context, mine *batchCall[C]) bool {
	defer func() { <-b.leader }()
	for {
		select {
		case <-mine.done:
			return true
		default:
		}
		if ctx.Err() != nil && b.withdraw(mine) {
			return false
		}
		b.run(ctx, b.next())
	}
}

var errPanicked = errors.New("the work of the group panicked")

// run does the work of a group, and answers each of its calls in every case.
func (b *Batcher[C]) run(ctx context.Context, group []*batchCall[C]) {
	err := errPanicked
	defer func() {
		if unanswered(err) {
			group = append(group, b.all()...)
		}
		for _, c := range group {
			c.err = err
			close(c.done)
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.within)
	defer cancel()
	calls := make([]C, len(group))
	for i, c := range group {
		calls[i] = c.call
	}
	err = b.work(ctx, calls, true)
}

// next takes the oldest call, and of the others the smallest that fit beside
// it, so that small ones do not wait behind many large ones.
func (b *Batcher[C]) next() []*batchCall[C] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.size == nil {
		return b.first(min(len(b.waiting), b.most))
	}
	others := slices.Clone(b.waiting[1:])
	slices.SortStableFunc(others, func(x, y *batchCall[C]) int { return b.size(x.call) - b.size(y.call) })
	sum := b.size(b.waiting[0].call)
	limit := max(b.most, sum+b.most/8)
	chosen := map[*batchCall[C]]bool{b.waiting[0]: true}
	for _, other := range others {
		if sum += b.size(other.call); sum > limit {
			break
		}
		chosen[other] = true
	}
	var group []*batchCall[C]
	b.waiting = slices.DeleteFunc(b.waiting, func(c *batchCall[C]) bool {
		if chosen[c] {
			group = append(group, c)
		}
		return chosen[c]
	})
	return group
}

// withdraw takes back a call that is not in work yet.
func (b *Batcher[C]) withdraw(mine *batchCall[C]) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.waiting, mine)
	if i < 0 {
		return false
	}
	b.waiting = slices.Delete(b.waiting, i, i+1)
	return true
}

// all takes all waiting calls.
func (b *Batcher[C]) all() []*batchCall[C] {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.first(len(b.waiting))
}

// first takes the first n that wait; b.mu is held.
func (b *Batcher[C]) first(n int) []*batchCall[C] {
	group := slices.Clone(b.waiting[:n])
	b.waiting = slices.Delete(b.waiting, 0, n)
	return group
}
