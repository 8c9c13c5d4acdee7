package db_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sitehooks/sitehooks/models/db"
)

// call is a call of a test, of some size.
type call struct {
	name string
	size int
}

// batches runs calls, made one after the other while a first one is at work,
// and returns the groups in which they were done and each call's error.
func batches(t *testing.T, most int, size func(call) int, fail func(group []string, shared bool) error, calls ...call) (groups [][]string, errs map[string]error) {
	t.Helper()
	type result struct {
		name string
		err  error
	}
	entered, proceed := make(chan struct{}), make(chan struct{})
	b := db.NewBatcher(most, size, time.Minute, func(_ context.Context, calls []call, shared bool) error {
		var names []string
		for _, c := range calls {
			names = append(names, c.name)
		}
		if names[0] == "first" && shared {
			close(entered)
			<-proceed
		}
		if !shared {
			names = append(names, "alone")
		}
		groups = append(groups, names)
		return fail(names, shared)
	})
	results := make(chan result, len(calls)+1)
	do := func(c call) { results <- result{c.name, b.Do(t.Context(), c)} }
	go do(call{"first", 1})
	<-entered
	for _, c := range calls {
		go do(c)
		synctest.Wait()
	}
	if n := b.Waiting(); n != len(calls) {
		t.Errorf("%d calls wait, not %d", n, len(calls))
	}
	close(proceed)
	errs = map[string]error{}
	for range len(calls) + 1 {
		r := <-results
		errs[r.name] = r.err
	}
	return groups, errs
}

func none([]string, bool) error { return nil }

// TestBatcherGroups: the oldest call goes first, with the smallest that fit
// beside it; beside one that is too large, an eighth is left for small ones.
func TestBatcherGroups(t *testing.T) {
	for _, c := range []struct {
		what  string
		size  func(call) int
		calls []call
		want  [][]string
	}{
		{"no sizes", nil, []call{{"a", 0}, {"b", 0}, {"c", 0}, {"d", 0}, {"e", 0}, {"f", 0}, {"g", 0}, {"h", 0}, {"i", 0}}, [][]string{{"a", "b", "c", "d", "e", "f", "g", "h"}, {"i"}}},
		{"the small ones", func(c call) int { return c.size }, []call{{"a", 3}, {"b", 5}, {"c", 1}, {"d", 4}}, [][]string{{"a", "c", "d"}, {"b"}}},
		{"beside a large one", func(c call) int { return c.size }, []call{{"a", 100}, {"b", 2}, {"c", 1}}, [][]string{{"a", "c"}, {"b"}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			groups, _ := batches(t, 8, c.size, none, c.calls...)
			if got := groups[1:]; !slices.EqualFunc(got, c.want, slices.Equal) {
				t.Errorf("%s: %v, want %v", c.what, got, c.want)
			}
		})
	}
}

// TestBatcherFaults: where a group fails, each call is tried alone; where the
// database does not answer, none is, and all that wait fail.
func TestBatcherFaults(t *testing.T) {
	refused := errors.New("refused")
	synctest.Test(t, func(t *testing.T) {
		_, errs := batches(t, 8, nil, func(group []string, _ bool) error {
			if slices.Contains(group, "bad") {
				return refused
			}
			return nil
		}, call{"a", 0}, call{"bad", 0}, call{"b", 0})
		if errs["a"] != nil || errs["b"] != nil || !errors.Is(errs["bad"], refused) {
			t.Errorf("one bad call: %v", errs)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		groups, errs := batches(t, 1, nil, func([]string, bool) error { return context.DeadlineExceeded }, call{"a", 0}, call{"b", 0})
		if len(groups) != 1 || errs["first"] == nil || errs["a"] == nil || errs["b"] == nil {
			t.Errorf("no answer: %v, %v", groups, errs)
		}
	})
}

// TestBatcherGivesUp: a call whose context ends while it waits is not made, and
// its cause is returned; one that is being made is waited for.
func TestBatcherGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("the client left")
		ctx, cancel := context.WithCancelCause(t.Context())
		entered, proceed := make(chan struct{}), make(chan struct{})
		var made []string
		b := db.NewBatcher(1, nil, time.Minute, func(_ context.Context, calls []string, _ bool) error {
			made = append(made, calls...)
			if len(made) == 1 {
				close(entered)
				<-proceed
			}
			return nil
		})
		results := make(chan error, 2)
		go func() { results <- b.Do(ctx, "at work") }()
		<-entered
		second := make(chan error, 1)
		go func() { second <- b.Do(ctx, "waiting") }()
		synctest.Wait()
		cancel(why)
		if err := <-second; !errors.Is(err, why) {
			t.Errorf("given up: %v", err)
		}
		close(proceed)
		if err := <-results; err != nil {
			t.Errorf("at work: %v", err)
		}
		if err := b.Do(ctx, "late"); !errors.Is(err, context.Canceled) {
			t.Errorf("late: %v", err)
		}
		if !slices.Equal(made, []string{"at work"}) {
			t.Errorf("made %v", made)
		}
	})
}
