package api

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestTooManyBytes fills the room with large requests that the store holds:
// the next large one is asked to come back, a small one still fits, and both
// do when the others are done.
func TestTooManyBytes(t *testing.T) {
	const fits = 3
	store := &fakeStore{block: make(chan struct{}), inside: make(chan struct{}, fits+2)}
	e := newTestEvents(store)
	large := event + strings.Repeat(" ", 1<<20)
	e.room.most = fits*int64(len(large)) + 1<<10
	url := serve(t, e)
	var done sync.WaitGroup
	for range fits {
		done.Go(func() {
			if r := post(t, url, large); r.status != http.StatusAccepted {
				t.Errorf("held request: %d %s", r.status, r.body)
			}
		})
	}
	for range fits {
		<-store.inside
	}
	r := post(t, url, large)
	r.problem(t)
	if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "1" {
		t.Errorf("%d %v", r.status, r.header)
	}
	done.Go(func() {
		if r := post(t, url, event); r.status != http.StatusAccepted {
			t.Errorf("small request: %d %s", r.status, r.body)
		}
	})
	<-store.inside
	close(store.block)
	done.Wait()
	if r = post(t, url, large); r.status != http.StatusAccepted || e.room.held.Load() != 0 {
		t.Errorf("afterwards: %d %s, %d bytes held", r.status, r.body, e.room.held.Load())
	}
}
