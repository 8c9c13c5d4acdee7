package models_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestSmallRequestsDoNotWaitBehindLargeOnes: while events are being stored, a
// request that is given up leaves the queue at once, and one with few events
// goes with the next large one.
func TestSmallRequestsDoNotWaitBehindLargeOnes(t *testing.T) {
	var gated atomic.Bool
	inside, pass := make(chan struct{}), make(chan struct{})
	o := modelstest.Options(t, "sqlite")
	o.Clock = func() time.Time { // which each transaction asks once
		if gated.Load() {
			inside <- struct{}{}
			<-pass
		}
		return time.Now()
	}
	s := modelstest.Open(t, o)
	record := func(ctx context.Context, name string, n int) chan error {
		events := make([]models.NewEvent, n)
		for i := range events {
			events[i] = event(fmt.Sprint(name, " ", i))
		}
		done := make(chan error, 1)
		go func() {
			_, _, err := s.Events.Record(ctx, events)
			done <- err
		}()
		return done
	}
	ok(t, <-record(t.Context(), "before", 1)) // so that the location is known
	gated.Store(true)
	first := record(t.Context(), "first", 1)
	<-inside
	queued := func(n int, done chan error) chan error {
		t.Helper()
		for s.Events.Recording() < n {
			runtime.Gosched()
		}
		return done
	}
	large := []chan error{
		queued(1, record(t.Context(), "large 1", 1000)), queued(2, record(t.Context(), "large 2", 1000)), queued(3, record(t.Context(), "large 3", 1000)),
	}
	ctx, giveUp := context.WithCancelCause(t.Context())
	given := queued(4, record(ctx, "given up", 1))
	small := queued(5, record(t.Context(), "small", 1))
	why := errors.New("the place is wanted")
	giveUp(why)
	if err := <-given; !errors.Is(err, why) {
		t.Errorf("given up: %v", err)
	}
	pass <- struct{}{} // the first
	ok(t, <-first)
	<-inside
	pass <- struct{}{} // the next group
	ok(t, <-large[0])
	ok(t, <-small)
	<-inside
	if n := s.Events.Recording(); n != 1 {
		t.Errorf("%d wait behind the second large one", n)
	}
	gated.Store(false)
	pass <- struct{}{}
	ok(t, <-large[1])
	ok(t, <-large[2])
	if named, err := s.Events.Named(t.Context(), "given up 0", 1); err != nil || len(named) != 0 {
		t.Errorf("stored although it was given up: %v %v", named, err)
	}
}
