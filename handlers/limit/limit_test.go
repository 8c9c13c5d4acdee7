package limit

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

var small = Config{Places: 16, Bytes: 1600, Share: 8, Queue: 8, Wait: time.Second}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func busy(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrBusy) {
		t.Errorf("error %v, not ErrBusy", err)
	}
}

// hold takes n places for a flow.
func hold(t *testing.T, l *Limiter, flow string, n int) []*Place {
	t.Helper()
	var places []*Place
	for range n {
		p, err := l.Acquire(t.Context(), flow)
		ok(t, err)
		places = append(places, p)
	}
	return places
}

// obey releases places once they are told to yield.
func obey(places []*Place) {
	for _, p := range places {
		context.AfterFunc(p.Context(), p.Release)
	}
}

func yields(p *Place) bool { return errors.Is(context.Cause(p.Context()), ErrYield) }

// soon fails when more than two times grace have passed.
func soon(t *testing.T, start time.Time) {
	t.Helper()
	if took := time.Since(start); took > 2*grace {
		t.Errorf("it took %v", took)
	}
}

func yielded(places []*Place) (n int) {
	for _, p := range places {
		if yields(p) {
			n++
		}
	}
	return n
}

func empty(t *testing.T, l *Limiter) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.flows)+len(l.byteRequests)+l.places+l.yielding+l.waiting+int(l.bytes) != 0 || l.leader != nil {
		t.Errorf("something is still held: %+v", l)
	}
}

func TestOneFlowAloneMayHoldEveryPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(small)
		places := hold(t, l, "a", 16)
		for range small.Queue {
			go func() {
				if p, err := l.Acquire(t.Context(), "a"); err == nil {
					p.Release()
				}
			}()
		}
		synctest.Wait()
		start := time.Now()
		_, err := l.Acquire(t.Context(), "a")
		busy(t, err)
		if took := time.Since(start); took != 0 {
			t.Errorf("a full queue waited %v", took)
		}
		time.Sleep(2 * small.Wait)
		if n := yielded(places); n != 0 {
			t.Errorf("%d yield to their own flow", n)
		}
		for _, p := range places {
			p.Release()
			p.Release()
		}
		empty(t, l)
	})
}

func TestAFlowThatWaitsGetsPlacesUpToItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(small)
		flood := hold(t, l, "crowd", 16)
		obey(flood)
		for i := range 3 {
			start := time.Now()
			p, err := l.Acquire(t.Context(), "other")
			if i < 2 {
				ok(t, err)
				soon(t, start)
				if !yields(flood[i]) {
					t.Error("the oldest was not the first to yield")
				}
				defer p.Release()
			} else {
				busy(t, err) // it has its share
			}
		}
		if n := yielded(flood); n != 2 {
			t.Errorf("%d yield", n)
		}
	})
}

func TestNoFlowKeepsMoreThanItsShareWhileOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Places: 16, Share: 8, Queue: 100, Wait: time.Minute})
		flood := hold(t, l, "crowd", 16)
		obey(flood)
		for i := range 20 {
			go func() { _, _ = l.Acquire(t.Context(), fmt.Sprint("other", i)) }()
		}
		time.Sleep(30 * time.Second)
		if n := yielded(flood); n != 14 {
			t.Errorf("%d of 16 yield; an eighth stays", n)
		}
		time.Sleep(time.Hour)
	})
}

func TestTheFlowThatHoldsLeastIsServedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Places: 2, Queue: 100, Wait: time.Minute})
		places := hold(t, l, "a", 2)
		served := make(chan string, 20)
		wait := func(flow string) {
			go func() {
				if p, err := l.Acquire(t.Context(), flow); err == nil {
					served <- flow
					time.Sleep(time.Second)
					p.Release()
				}
			}()
			synctest.Wait()
		}
		for range 5 {
			wait("a")
		}
		wait("b")
		places[0].Release()
		if flow := <-served; flow != "b" {
			t.Errorf("first served: %s", flow)
		}
		places[1].Release()
		if flow := <-served; flow != "a" {
			t.Errorf("then served: %s", flow)
		}
		time.Sleep(time.Minute)
		empty(t, l)
	})
}

func TestFlowsThatHoldTheSameTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Places: 1, Queue: 100, Wait: time.Hour})
		place := hold(t, l, "a", 1)[0]
		var served []string
		wait := func(flow string) {
			go func() {
				p, err := l.Acquire(t.Context(), flow)
				ok(t, err)
				served = append(served, flow)
				time.Sleep(time.Second)
				p.Release()
			}()
			synctest.Wait()
		}
		for range 20 {
			wait("a")
		}
		for range 3 {
			wait("b")
		}
		place.Release()
		time.Sleep(2*time.Second + 1)
		wait("c") // comes later, and need not wait for all that came before
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := fmt.Sprint(served[:8]); got != "[b a b c a b a a]" {
			t.Errorf("served: %s", got)
		}
		empty(t, l)
	})
}

func TestAFullQueueDropsTheNewestOfTheLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Config{Places: 1, Queue: 4, Wait: time.Minute})
		place := hold(t, l, "crowd", 1)[0]
		flood := make(chan error, 10)
		for range 4 {
			go func() {
				p, err := l.Acquire(t.Context(), "crowd")
				flood <- err
				if err == nil {
					p.Release()
				}
			}()
		}
		synctest.Wait()
		got := make(chan error)
		go func() {
			p, err := l.Acquire(t.Context(), "other")
			got <- err
			p.Release()
		}()
		synctest.Wait()
		busy(t, <-flood)
		place.Release()
		ok(t, <-got)
		for range 3 {
			ok(t, <-flood)
		}
		empty(t, l)
	})
}

func TestAFlowIsBoundedByItself(t *testing.T) {
	l := New(Config{Places: 4, PerFlow: 1})
	p := hold(t, l, "a", 1)[0]
	_, err := l.Acquire(t.Context(), "a")
	busy(t, err)
	other := hold(t, l, "b", 1)[0]
	p.Release()
	hold(t, l, "a", 1)[0].Release()
	other.Release()
	empty(t, l)
}

func TestWaitingEndsWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(small)
		places := hold(t, l, "a", 16)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		_, err := l.Acquire(ctx, "b")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		for _, p := range places {
			p.Release()
		}
		empty(t, l)
	})
}

func TestBytesOfOneFlowWaitForOneAnotherAndAllEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(small)
		done := make(chan error, 16)
		for range 16 { // 16 times 400 bytes, of which 1600 fit
			go func() {
				p, err := l.Acquire(t.Context(), "a")
				for range 4 {
					if err == nil {
						err = p.Reserve(100)
					}
					time.Sleep(time.Millisecond)
				}
				l.mu.Lock()
				if l.bytes > small.Bytes+400 {
					t.Errorf("%d bytes are held", l.bytes)
				}
				l.mu.Unlock()
				done <- err
				p.Release()
			}()
		}
		for range 16 {
			ok(t, <-done)
		}
		synctest.Wait()
		empty(t, l)
	})
}

func TestAFlowThatWaitsGetsBytesUpToItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(small)
		flood := hold(t, l, "crowd", 4)
		obey(flood)
		for i, n := range []int64{500, 600, 400, 100} {
			ok(t, flood[i].Reserve(n))
		}
		p := hold(t, l, "other", 1)[0]
		ok(t, p.Reserve(150))
		q := hold(t, l, "other", 1)[0]
		start := time.Now()
		ok(t, q.Reserve(50))
		soon(t, start)
		if n := yielded(flood); n != 1 || !yields(flood[1]) {
			t.Errorf("%d yield; only the largest should", n)
		}
		p.Release()
		q.Release()
		for _, p := range flood {
			p.Release()
		}
		synctest.Wait()
		empty(t, l)
	})
}

func TestAFlowThatHoldsItsShareOfBytesKeepsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(small)
		var full []*Place
		for i := range 8 { // each flow holds an eighth
			full = append(full, hold(t, l, fmt.Sprint("flow", i), 1)...)
			ok(t, full[i].Reserve(200))
		}
		late := hold(t, l, "late", 2)
		ok(t, late[0].Reserve(1)) // the leader
		go func() {
			time.Sleep(time.Minute)
			full[0].Release()
		}()
		start := time.Now()
		ok(t, late[1].Reserve(100))
		if took := time.Since(start); took != time.Minute || yielded(full) != 0 {
			t.Errorf("after %v, %d yield", took, yielded(full))
		}
	})
}
