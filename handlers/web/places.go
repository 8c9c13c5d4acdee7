package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/limit"
)

const (
	// pagesAtOnce are in work for members at most. The APIs have limits of
	// their own, and strangers take none of these places.
	pagesAtOnce = 256
	// BusyWait is how long a request waits for a place.
	BusyWait = 5 * time.Second
	// OpenForms are forms that need no session, read at once: so many of
	// strangers, and as many of known browsers.
	OpenForms = 64
	// OpenFormLimit is the most that such a form may hold, in bytes.
	OpenFormLimit = 16 << 10
	// openFormWithin is how long such a form may take to arrive.
	openFormWithin = 5 * time.Second
	// yieldWithin is how long a request that has to give its place back may
	// take to answer: well below BusyWait. Otherwise a waiting request would be
	// refused just before a place became free.
	yieldWithin = 2 * time.Second
)

// ErrBusy is the 503 for a request that got no place in time, or had to give it
// back.
func ErrBusy() error {
	return &StatusError{http.StatusServiceUnavailable, "Sitehooks is busy with other requests. Try again in a moment."}
}

// newPages shares the pages among members: one member may use every free
// place, but keeps no more than an eighth while others wait.
func newPages() *limit.Limiter {
	return limit.New(limit.Config{Places: pagesAtOnce, Share: 8, Queue: pagesAtOnce, Wait: BusyWait})
}

// newOpenForms shares the reading of forms that need no session: among address
// groups, or among the accounts of known browsers.
func newOpenForms() *limit.Limiter {
	return limit.New(limit.Config{Places: OpenForms, Share: 8, Queue: OpenForms, Wait: BusyWait})
}

// InPlace runs the rest of a request in a place of a limiter. A request that
// has to give the place back is cancelled and answered as busy, also while it
// waits for its client.
func (s *Site) InPlace(l *limit.Limiter, flow func(*gin.Context) string) gin.HandlerFunc {
	return func(c *gin.Context) {
		place, err := l.Acquire(c.Request.Context(), flow(c))
		if err != nil {
			s.Fail(c, Busy(err))
			return
		}
		defer place.Release()
		c.Request = c.Request.WithContext(place.Context())
		stop := interruptible(place.Context(), c)
		defer stop()
		c.Next()
	}
}

// interruptible ends reading from the client once ctx has to yield, and gives
// writing a few seconds more.
func interruptible(ctx context.Context, c *gin.Context) (stop func() bool) {
	conn := http.NewResponseController(c.Writer)
	return context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), limit.ErrYield) {
			now := time.Now()
			_ = conn.SetReadDeadline(now)
			_ = conn.SetWriteDeadline(now.Add(yieldWithin))
		}
	})
}

// Busy makes an answer of an error of the limiter.
func Busy(err error) error {
	if errors.Is(err, limit.ErrBusy) || errors.Is(err, limit.ErrYield) {
		return ErrBusy()
	}
	return err
}

// openFormPlace waits until a form that needs no session may be read. Browsers
// that are known to a member have places of their own, which strangers cannot
// take, however many addresses they have.
func (s *Site) openFormPlace(c *gin.Context) (*limit.Place, error) {
	if account := s.KnownBrowser(c); account != "" {
		return s.knownForms.Acquire(c.Request.Context(), account)
	}
	return s.openForms.Acquire(c.Request.Context(), limit.AddressGroup(c.ClientIP()))
}

// ParseOpenForm reads a form that needs no session. It may hold so many bytes,
// has to arrive soon, and few are read at once.
func (s *Site) ParseOpenForm(c *gin.Context, most int64) error {
	if c.Request.ContentLength > most {
		c.Header("Connection", "close") // do not read a refused body
		return &http.MaxBytesError{Limit: most}
	}
	place, err := s.openFormPlace(c)
	if err != nil {
		c.Header("Connection", "close")
		return Busy(err)
	}
	defer place.Release()
	conn := http.NewResponseController(c.Writer)
	_ = conn.SetReadDeadline(time.Now().Add(s.OpenFormWithin)) // not every writer has one
	stop := interruptible(place.Context(), c)
	err = readForm(c, most)
	stop()
	if errors.Is(context.Cause(place.Context()), limit.ErrYield) {
		return ErrBusy()
	}
	if err == nil {
		_ = conn.SetReadDeadline(time.Time{})
	}
	return err
}
