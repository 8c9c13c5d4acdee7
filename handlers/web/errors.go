package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/models"
)

// handler is a handler of the console. fail answers its errors, in one place.
type handler func(c *gin.Context) error

// StatusError is an error with the status and the sentence to answer with.
type StatusError struct {
	Status int
	Text   string // for people
}

// Error is the status and the text, for the log.
func (e *StatusError) Error() string { return fmt.Sprintf("%d: %s", e.Status, e.Text) }

// NotFound is a 404 with a sentence for people.
func NotFound(text string) error { return &StatusError{http.StatusNotFound, text} }

func forbidden(text string) error { return &StatusError{http.StatusForbidden, text} }

// Unusable is a 422 with a sentence for people.
func Unusable(text string) error { return &StatusError{http.StatusUnprocessableEntity, text} }

type errorPage struct {
	Page
	Status int
	Text   string
	Home   string // where the console is, when it is not here; empty: here
}

// On adapts a handler to gin.
func (s *Site) On(h handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h(c); err != nil {
			s.Fail(c, err)
		}
	}
}

// Fail answers an error as a page, or as problem+json below the APIs.
func (s *Site) Fail(c *gin.Context, err error) {
	c.Abort()
	status, text := http.StatusInternalServerError, ""
	switch cause := context.Cause(c.Request.Context()); {
	case errors.Is(cause, limit.ErrYield):
		err = ErrBusy()
	case errors.Is(cause, errPageLate):
		s.Log.ErrorContext(c.Request.Context(), "page took too long", "method", c.Request.Method, "route", c.FullPath(), "error", err)
		err = errLate(c.Request.Context())
	}
	var known *StatusError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		status, text = known.Status, known.Text
	case errors.Is(err, models.ErrWrongKey):
		status, text = http.StatusConflict, "This webhook cannot be opened: "+models.LockedWhy+"."
	case errors.Is(err, models.ErrNotFound):
		status, text = http.StatusNotFound, "There is no page at this address. It may have been deleted."
	case errors.As(err, &tooLarge):
		status, text = http.StatusRequestEntityTooLarge, "This form is too large."
	case errors.Is(err, context.Canceled) && c.Request.Context().Err() != nil:
		return // the client has gone
	case models.Unable(err) != "":
		status, text = http.StatusServiceUnavailable, "This could not be done: "+models.Unable(err)+". Nothing was changed. Try again in a moment."
		s.Log.ErrorContext(c.Request.Context(), "request failed", "method", c.Request.Method, "route", c.FullPath(), "error", err)
	default:
		s.Log.ErrorContext(c.Request.Context(), "request failed", "method", c.Request.Method, "route", c.FullPath(), "error", err)
	}
	if c.Writer.Written() {
		return
	}
	if status == http.StatusServiceUnavailable {
		c.Header("Retry-After", "1")
	}
	if IsAPI(c.Request.URL.Path) {
		api.Problem(c, status, "", text)
		return
	}
	if status != http.StatusInternalServerError {
		p := &errorPage{Page: Page{Title: http.StatusText(status), Quiet: status == http.StatusServiceUnavailable}, Status: status, Text: text}
		if status == http.StatusMisdirectedRequest {
			p.Home = s.BaseURL.String()
		}
		if err = s.Render(c, status, "error", p); err == nil {
			return
		}
		s.Log.ErrorContext(c.Request.Context(), "error page failed", "error", err)
	}
	c.Data(http.StatusInternalServerError, "text/html; charset=utf-8", s.page500)
}

// renderError renders the 500 page ahead, because rendering itself may fail when
// the page is needed.
func (s *Site) renderError() ([]byte, error) {
	p := &errorPage{
		Page:   Page{Title: "Something went wrong", Bare: true, Theme: themeSystem},
		Status: http.StatusInternalServerError,
		Text:   "This could not be done. The log of Sitehooks says why. Nothing was changed. Try again in a moment.",
	}
	var buf bytes.Buffer
	if err := s.Templates.Render(&buf, "error", p); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// IsAPI tells whether errors at a path are answered as problem+json.
func IsAPI(path string) bool {
	return strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/superoffice/") || strings.HasPrefix(path, "/in/")
}
