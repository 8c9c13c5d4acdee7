package web

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
)

// policy lets a page load only our own files and send forms only to ourselves.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; connect-src 'self'"

// formLimit is the most that a form may hold, in bytes.
const formLimit = 1 << 20

// Secured sets the headers that every answer carries.
func (s *Site) Secured(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	if s.BaseURL.Scheme == "https" {
		h.Set("Cross-Origin-Opener-Policy", "same-origin") // browsers ignore it over http, and complain
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// Readable refuses addresses that no database column could hold.
func (s *Site) Readable(c *gin.Context) {
	ok := IsText(c.Request.URL.Path)
	for _, values := range c.Request.URL.Query() {
		for _, v := range values {
			ok = ok && IsText(v)
		}
	}
	if !ok {
		s.Fail(c, &StatusError{http.StatusBadRequest, "This address contains characters that are not text."})
	}
}

// IsText tells valid UTF-8 without NUL, which is what can be stored.
func IsText(v string) bool { return utf8.ValidString(v) && !strings.ContainsRune(v, 0) }

// GuardOrigin refuses changes that a page of another site asks a browser for.
// The APIs are left out: they read no cookies, so there is nothing to abuse.
func (s *Site) GuardOrigin() (gin.HandlerFunc, error) {
	guard := http.NewCrossOriginProtection()
	if err := guard.AddTrustedOrigin(s.BaseURL.Scheme + "://" + s.BaseURL.Host); err != nil {
		return nil, fmt.Errorf("trust the base URL: %w", err)
	}
	return s.On(func(c *gin.Context) error {
		if IsAPI(c.Request.URL.Path) {
			return nil
		}
		if err := guard.Check(c.Request); err != nil {
			return forbidden("This request came from a page of another site, so nothing was changed. If you reach Sitehooks " +
				"at another address, set SITEHOOKS_BASE_URL to that address.")
		}
		return nil
	}), nil
}

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

// ParseForm reads a posted form of a member, which may not be larger than
// formLimit.
func ParseForm(c *gin.Context) error {
	return Untimed(c.Request.Context(), func() error { return readForm(c, formLimit) })
}

func readForm(c *gin.Context, most int64) error {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, most)
	if err := c.Request.ParseForm(); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return err
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return &StatusError{http.StatusRequestTimeout, "This form took too long to arrive. Try again."}
		}
		return &StatusError{http.StatusBadRequest, "This form could not be read."}
	}
	return nil
}
