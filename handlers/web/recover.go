package web

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
)

// Recovered answers 500 where a handler panicked.
func (s *Site) Recovered(c *gin.Context) {
	defer func() {
		if v := recover(); v != nil {
			if err, ok := v.(error); ok && err == http.ErrAbortHandler { //nolint:errorlint // compared as net/http does
				panic(v)
			}
			s.Fail(c, fmt.Errorf("panic: %v", v))
		}
	}()
	c.Next()
}
