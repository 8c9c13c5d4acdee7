package models_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
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
	s, gated, inside, pass := gatedStore(t)
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
	if named, err := s.Events.Named(t.Context(), models.AllLocations(), "given up 0", 1); err != nil || len(named) != 0 {
		t.Errorf("stored although it was given up: %v %v", named, err)
	}
}

// gatedStore is a store of which each transaction says that it is inside and
// waits until it may pass, while gated is set.
func gatedStore(t *testing.T) (s *models.Store, gated *atomic.Bool, inside, pass chan struct{}) {
	gated, inside, pass = &atomic.Bool{}, make(chan struct{}), make(chan struct{})
	o := modelstest.Options(t, "sqlite")
	o.Clock = func() time.Time { // which each transaction asks once
		if gated.Load() {
			inside <- struct{}{}
			<-pass
		}
		return time.Now()
	}
	return modelstest.Open(t, o), gated, inside, pass
}

// TestATransactionStoresFewLargePayloads: of three requests that wait with
// 5 MiB each, one is stored at a time.
func TestATransactionStoresFewLargePayloads(t *testing.T) {
	s, gated, inside, pass := gatedStore(t)
	done := make(chan error, 4)
	record := func(name string, bytes int) {
		e := event(name)
		e.Payload = []byte(`"` + strings.Repeat("x", bytes) + `"`)
		go func() {
			_, _, err := s.Events.Record(t.Context(), []models.NewEvent{e})
			done <- err
		}()
	}
	record("before", 1) // so that the location is known
	ok(t, <-done)
	gated.Store(true)
	record("first", 1)
	<-inside
	for i := range 3 {
		record(fmt.Sprint("large ", i), 5<<20)
	}
	for s.Events.Recording() < 3 {
		runtime.Gosched()
	}
	ended := 0
	for ; ended < 3 && !t.Failed(); ended++ {
		pass <- struct{}{}
		ok(t, <-done)
		<-inside
		if n := s.Events.Recording(); n != 2-ended {
			t.Errorf("%d wait, not %d", n, 2-ended)
		}
	}
	gated.Store(false)
	pass <- struct{}{}
	for ; ended < 4; ended++ {
		ok(t, <-done)
	}
}
