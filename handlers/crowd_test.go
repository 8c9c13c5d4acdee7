package handlers

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"
)

// TestCrowdIsAskedToComeBack fills all places, and sees one more refused.
func TestCrowdIsAskedToComeBack(t *testing.T) {
	c := newConsole(t)
	const places = 3
	inside, leave := make(chan struct{}, places), make(chan struct{})
	r := gin.New()
	r.GET("/", c.site.crowd(places), func(*gin.Context) {
		inside <- struct{}{}
		<-leave
	})
	ask := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		return w
	}
	var done sync.WaitGroup
	for range places {
		done.Go(func() {
			if w := ask(); w.Code != http.StatusOK {
				t.Errorf("one of %d: %d", places, w.Code)
			}
		})
	}
	for range places {
		<-inside
	}
	if w := ask(); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one more: %d %v", w.Code, w.Header())
	}
	close(leave)
	done.Wait()
	if w := ask(); w.Code != http.StatusOK {
		t.Errorf("afterwards: %d", w.Code)
	}
}

// TestPasswordsAreNotWaitedForWithoutEnd: a crowd at the log-in page is asked
// to come back, and counts for nothing against the account.
func TestPasswordsAreNotWaitedForWithoutEnd(t *testing.T) {
	c := newConsole(t)
	c.cookie = ""
	for range passwordsWaiting {
		c.site.passwords.waiting <- struct{}{}
	}
	a := c.post("/login", credentials(adminPassword)).want(http.StatusServiceUnavailable)
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	for range passwordsWaiting {
		<-c.site.passwords.waiting
	}
	c.post("/login", credentials(adminPassword)).want(http.StatusSeeOther)
	if n := len(c.site.passwords.waiting); n != 0 {
		t.Errorf("%d still wait", n)
	}
}
