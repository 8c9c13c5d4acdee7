package models

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm"
)

// together lets calls that come at the same time share what they do at the
// database: what costs is the statements and the commit, not the rows. Who
// finds nobody at it does what waits by then, for all.
type together[C any] struct {
	work func(ctx context.Context, calls []C, turn bool) error // all or none; turn: others wait for it
	size func(call C) int                                      // nil: 1
	most int                                                   // of the sizes; one call alone may have more
	turn chan struct{}

	mu      sync.Mutex
	waiting []*joined[C]
}

// joined is one call on its way.
type joined[C any] struct {
	call C
	err  error
	done chan struct{} // closed when err is set
}

// togetherPatience bounds what is done for several calls, and so belongs to
// none of them.
const togetherPatience = 15 * time.Second

func newTogether[C any](most int, size func(C) int, work func(context.Context, []C, bool) error) *together[C] {
	return &together[C]{work: work, size: size, most: most, turn: make(chan struct{}, 1)}
}

// do makes a call. Whatever is wrong with one must not fail or delay the
// others: where it did not work in its turn, each is tried by itself.
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
		t.lead(ctx, mine)
	}
	if mine.err == nil {
		return nil
	}
	return t.work(ctx, []C{call}, false)
}

// lead works until a call is done. It gives the turn back also when something
// panics.
func (t *together[C]) lead(ctx context.Context, until *joined[C]) {
	defer func() { <-t.turn }()
	for {
		select {
		case <-until.done:
			return
		default:
			t.group(ctx, t.next())
		}
	}
}

var errGroupBroke = errors.New("what was done together broke off")

// group answers each of its calls whatever happens.
func (t *together[C]) group(ctx context.Context, group []*joined[C]) {
	err := errGroupBroke
	defer func() {
		for _, j := range group {
			j.err = err
			close(j.done)
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), togetherPatience)
	defer cancel()
	calls := make([]C, len(group))
	for i, j := range group {
		calls[i] = j.call
	}
	err = t.work(ctx, calls, true)
}

func (t *together[C]) next() []*joined[C] {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for size := 0; n < len(t.waiting); n++ {
		if t.size == nil {
			size++
		} else {
			size += t.size(t.waiting[n].call)
		}
		if n > 0 && size > t.most {
			break
		}
	}
	group := slices.Clone(t.waiting[:n])
	t.waiting = slices.Delete(t.waiting, 0, n)
	return group
}

// lockPatience is how long a turn waits for what somebody else has locked.
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
