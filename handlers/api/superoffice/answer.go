package superoffice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/models"
)

// answer is the result of a request. A nil value means no content.
type answer struct {
	value    any
	modified time.Time // of the webhook; zero: not said
}

// sendAnswer sends an answer. An error means that nothing was sent. Only requests
// without changes have large answers.
func sendAnswer(q *api.Request, w http.ResponseWriter, a answer) error {
	var body []byte
	if a.value != nil {
		body = api.PlainJSON(a.value)
	}
	return q.Send(w, body, func() { a.head(w) })
}

func (a answer) head(w http.ResponseWriter) {
	if !a.modified.IsZero() {
		w.Header().Set("Last-Modified", a.modified.UTC().Format(http.TimeFormat))
	}
	if a.value == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
}

// keyFault is a fault of one key of a definition, as a sentence.
type keyFault struct{ key, text string }

// keyFaults are the faults of a body.
type keyFaults []keyFault

// add keeps the first fault of a key.
func (f *keyFaults) add(key, format string, args ...any) {
	if !f.has(key) {
		*f = append(*f, keyFault{key, api.Clip(fmt.Sprintf(format, args...))})
	}
}

func (f *keyFaults) has(key string) bool {
	for _, known := range *f {
		if known.key == key {
			return true
		}
	}
	return false
}

// failure returns nil when there are no faults.
func (f *keyFaults) failure() error {
	if len(*f) == 0 {
		return nil
	}
	return &failure{status: http.StatusBadRequest, faults: *f}
}

// badKey is a failure by one key.
func badKey(key, format string, args ...any) error {
	var f keyFaults
	f.add(key, format, args...)
	return f.failure()
}

// failure is an answer other than success.
type failure struct {
	status     int
	reason     string // why an event, or a request of any kind, was not let in; empty for other failures
	message    string
	faults     keyFaults // of a body; the message is then made of them
	retryAfter int       // seconds; 0: not said
	challenge  string
	allow      string
}

// Error is the message that the client gets.
func (f *failure) Error() string { return f.text() }

func (f *failure) text() string {
	if len(f.faults) == 0 {
		return f.message
	}
	texts := make([]string, len(f.faults))
	for i, fault := range f.faults {
		texts[i] = fault.key + ": " + fault.text
	}
	return strings.Join(texts, " ")
}

// superOfficeProblem is an error as RFC 9457 has it, like those of the other
// API, with the members beside it that the vendor's clients read.
type superOfficeProblem struct {
	api.ProblemDetails
	Error     bool
	ErrorType string
	Message   string
}

var errorTypes = map[int]string{
	http.StatusBadRequest:            "ArgumentException",
	http.StatusUnauthorized:          "AuthenticationException",
	http.StatusForbidden:             "AccessDeniedException",
	http.StatusNotFound:              "NotFoundException",
	http.StatusMethodNotAllowed:      "NotSupportedException",
	http.StatusConflict:              "ConflictException",
	http.StatusPreconditionFailed:    "PreconditionFailedException",
	http.StatusRequestEntityTooLarge: "ArgumentException",
	http.StatusUnsupportedMediaType:  "NotSupportedException",
	http.StatusTooManyRequests:       "TooManyRequestsException",
	http.StatusServiceUnavailable:    "ServiceUnavailableException",
}

func (f *failure) write(w http.ResponseWriter) {
	text := f.text()
	p := superOfficeProblem{
		ProblemDetails: api.ProblemDetails{Type: "about:blank", Title: http.StatusText(f.status), Status: f.status, Detail: text},
		Error:          true, ErrorType: errorTypes[f.status], Message: text,
	}
	for _, fault := range f.faults {
		p.Errors = append(p.Errors, api.FieldError{Field: fault.key, Message: fault.text})
	}
	if p.Errors == nil {
		p.Errors = []api.FieldError{{Message: text}}
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	for name, value := range map[string]string{"WWW-Authenticate": f.challenge, "Allow": f.allow} {
		if value != "" {
			h.Set(name, value)
		}
	}
	if f.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(f.retryAfter))
	}
	w.WriteHeader(f.status)
	_, _ = w.Write(api.PlainJSON(p)) // an error means that the client is gone
}

// fail finds the answer to an error.
func (s *API) fail(ctx context.Context, err error) *failure {
	if known, ok := errors.AsType[*failure](err); ok {
		return known
	}
	if errors.Is(err, models.ErrNotFound) {
		return &failure{status: http.StatusNotFound, message: "There is no such webhook. It may have been deleted."}
	}
	switch fault, is := definition.FaultOf(err); {
	case is && fault.Field == definition.FieldURL:
		return &failure{status: http.StatusBadRequest, faults: keyFaults{{keyTarget, api.Clip(fault.Text)}}}
	case is:
		return &failure{status: http.StatusConflict, message: fault.Text}
	}
	// A client that has gone is no fault of the database.
	if ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "request not finished", slog.String("while", "SuperOffice API"), slog.Any("error", err))
	}
	return &failure{
		status: http.StatusServiceUnavailable, retryAfter: 5,
		message: api.WhyAway(err),
	}
}
