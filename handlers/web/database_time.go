package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// How long a page may take in all, waits for receivers and for the reader's
// form left out: most, and one that may change all deliveries of a webhook.
const (
	pageWithin = 10 * time.Second
	longWithin = time.Minute
)

// errPageLate is the cause with which the context of a page ends that took too
// long.
var errPageLate = errors.New("the page took too long")

// pageTime is the remaining time of a page, in its context.
type pageTime struct {
	within time.Duration
	timer  *time.Timer
}

type pageTimeKey struct{}

// Timed cancels a page's queries when the page takes too long.
func (s *Site) Timed(c *gin.Context) {
	ctx, cancel := context.WithCancelCause(c.Request.Context())
	defer cancel(nil)
	t := &pageTime{s.PageWithin, time.AfterFunc(s.PageWithin, func() { cancel(errPageLate) })}
	defer t.timer.Stop()
	c.Request = c.Request.WithContext(context.WithValue(ctx, pageTimeKey{}, t))
	c.Next()
}

// Long gives a page more time that may change all deliveries of a webhook, or
// many webhooks.
func (s *Site) Long(c *gin.Context) {
	if t, is := c.Request.Context().Value(pageTimeKey{}).(*pageTime); is && t.timer.Stop() {
		t.within = s.LongWithin
		t.timer.Reset(t.within)
	}
	c.Next()
}

// Untimed calls a function with a limit of its own, such as a request to a
// receiver. The page's timer is paused and then restarted. Its database place
// is free for others meanwhile. If no database place is free afterwards, the
// page continues without one.
func Untimed[T any](ctx context.Context, do func() T) T {
	if q := queryPlaceOf(ctx); q != nil {
		q.release()
		defer func() { _ = q.acquire(ctx) }()
	}
	if t, is := ctx.Value(pageTimeKey{}).(*pageTime); is {
		t.timer.Stop()
		defer t.timer.Reset(t.within)
	}
	return do()
}

// errLate is the answer where a page took too long.
func errLate(ctx context.Context) error {
	within := pageWithin
	if t, is := ctx.Value(pageTimeKey{}).(*pageTime); is {
		within = t.within
	}
	return &StatusError{http.StatusServiceUnavailable, fmt.Sprintf(
		"The database did not answer within %g seconds: it is overloaded, or something that this page needs is locked. Try again in a moment.", within.Seconds())}
}
