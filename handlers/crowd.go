package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

const (
	// pagesAtOnce are in work for members at most. The APIs have limits of
	// their own, and who is not logged in takes none of these places.
	pagesAtOnce = 256
	// passwordsWaiting are those who wait for their password to be checked.
	passwordsWaiting = 64
)

func errBusy() error {
	return &statusError{http.StatusServiceUnavailable, "Sitehooks is busy with other requests. Try again in a moment."}
}

// crowd lets so many requests in at once and asks the others to come back,
// rather than have all of them wait for the database and fill the memory.
func (s *Site) crowd(places int) gin.HandlerFunc {
	taken := make(chan struct{}, places)
	return func(c *gin.Context) {
		select {
		case taken <- struct{}{}:
			defer func() { <-taken }()
			c.Next()
		default:
			s.fail(c, errBusy())
		}
	}
}
