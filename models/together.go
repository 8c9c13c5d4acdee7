package models

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm"
)

// together lets concurrent calls share their work at the database: the cost is
// in the statements and the commit, not in the rows. A call that finds no other
// at work does the work of all calls that wait by then.
type together[C any] struct {
	work func(ctx context.Context, calls []C, turn bool) error // all or none; turn: others wait for it
	size func(call C) int                                      // nil: 1
	// most is how much the calls of a group may have together. One call may have
	// more; then an eighth of it is left for small ones beside it.
	most int
	// within bounds the work for several calls, which has the context of none
	// of them, and the work for one by itself.
	within time.Duration
	turn   chan struct{}

	mu      sync.Mutex
	waiting []*joined[C]
}

// joined is one call on its way.
type joined[C any] struct {
	call C
	err  error
	done chan struct{} // closed when err is set
}

func newTogether[C any](most int, size func(C) int, within time.Duration, work func(context.Context, []C, bool) error) *together[C] {
	return &together[C]{work: work, size: size, most: most, within: within, turn: make(chan struct{}, 1)}
}

// do makes a call. When ctx ends before its turn has come, the call is not made
// and the cause is returned. A fault of one call must not fail or delay the
// others: if the shared work fails, each call is tried by itself. If the
// database did not answer, none is tried again, and the calls that wait for
// their turn fail too: otherwise each group would wait for a database that does
// not answer.
func (t *together[C]) do(ctx context.Context, call C) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	mine := &joined[C]{call: call, done: make(chan struct{})}
	t.mu.Lock()
	t.waiting = append(t.waiting, mine)
	t.mu.Unlock()
	select {
	case <-mine.done:
	case t.turn <- struct{}{}:
		if !t.lead(ctx, mine) {
			return context.Cause(ctx)
		}
	case <-ctx.Done():
		if t.withdraw(mine) {
			return context.Cause(ctx)
		}
		<-mine.done // it is being made
	}
	if mine.err == nil || unanswered(mine.err) {
		return mine.err
	}
	ctx, cancel := context.WithTimeout(ctx, t.within)
	defer cancel()
	return t.work(ctx, []C{call}, false)
}

func unanswered(err error) bool {
	return errors.Is(err, errHung) || errors.Is(err, context.DeadlineExceeded)
}

// lead works until a call is done, or withdrawn because ctx ended: then it
// returns false. It gives the turn back also when something panics.
func (t *together[C]) lead(ctx context.Context, until *joined[C]) bool {
	defer func() { <-t.turn }()
	for {
		select {
		case <-until.done:
			return true
		default:
		}
		if ctx.Err() != nil && t.withdraw(until) {
			return false
		}
		t.group(ctx, t.next())
	}
}

var errGroupBroke = errors.New("what was done together broke off")

// group answers each of its calls in every case.
func (t *together[C]) group(ctx context.Context, group []*joined[C]) {
	err := errGroupBroke
	defer func() {
		if unanswered(err) {
			group = append(group, t.all()...)
		}
		for _, j := range group {
			j.err = err
			close(j.done)
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.within)
	defer cancel()
	calls := make([]C, len(group))
	for i, j := range group {
		calls[i] = j.call
	}
	err = t.work(ctx, calls, true)
}

// next takes the oldest call, and of the others the smallest that fit beside
// it, so that small ones do not wait behind many large ones.
func (t *together[C]) next() []*joined[C] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.size == nil {
		return t.first(min(len(t.waiting), t.most))
	}
	others := slices.Clone(t.waiting[1:])
	slices.SortStableFunc(others, func(a, b *joined[C]) int { return t.size(a.call) - t.size(b.call) })
	sum := t.size(t.waiting[0].call)
	limit := max(t.most, sum+t.most/8)
	taken := map[*joined[C]]bool{t.waiting[0]: true}
	for _, other := range others {
		if sum += t.size(other.call); sum > limit {
			break
		}
		taken[other] = true
	}
	var group []*joined[C]
	t.waiting = slices.DeleteFunc(t.waiting, func(j *joined[C]) bool {
		if taken[j] {
			group = append(group, j)
		}
		return taken[j]
	})
	return group
}

// withdraw takes back a call that is not in work yet.
func (t *together[C]) withdraw(mine *joined[C]) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.waiting, mine)
	if i < 0 {
		return false
	}
	t.waiting = slices.Delete(t.waiting, i, i+1)
	return true
}

// all takes all waiting calls.
func (t *together[C]) all() []*joined[C] {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.first(len(t.waiting))
}

// first takes the first n that wait; t.mu is held.
func (t *together[C]) first(n int) []*joined[C] {
	group := slices.Clone(t.waiting[:n])
	t.waiting = slices.Delete(t.waiting, 0, n)
	return group
}

// lockPatience is how long a turn waits for another transaction's locks.
const lockPatience = "set local lock_timeout = '300ms'"

// txTogether is tx for calls that have their turn, or for one by itself.
func (s *Store) txTogether(ctx context.Context, turn bool, work func(tx *gorm.DB) error) error {
	return s.tx(ctx, func(tx *gorm.DB) error {
		if turn && s.pool != nil {
			if err := tx.Exec(lockPatience).Error; err != nil {
				return err
			}
		}
		return work(tx)
	})
}

// lockOf is lock for the rows of one table of several.
func (s *Store) lockOf(table string) string {
	if s.pool == nil {
		return ""
	}
	return " for update of " + table
}
