package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
)

// FieldError is one fault of a request.
type FieldError struct {
	Index   *int   `json:"index"` // of the event, from 0; nil: the whole request
	Field   string `json:"field"` // dotted, as question.tags[3]; empty: all of it
	Message string `json:"message"`
}

// ProblemDetails is an error as RFC 9457 has it.
type ProblemDetails struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail"`
	Errors []FieldError `json:"errors"`
}

// Problem answers with an error as problem+json and ends the handling of the
// request. An empty title is the status's own. Without errs the detail stands
// as the one error, of the whole request.
func Problem(c *gin.Context, status int, title, detail string, errs ...FieldError) {
	c.Abort()
	WriteProblem(c.Writer, status, title, detail, errs...)
}

// WriteProblem is Problem for a plain http.Handler.
func WriteProblem(w http.ResponseWriter, status int, title, detail string, errs ...FieldError) {
	if title == "" {
		title = http.StatusText(status)
	}
	if len(errs) == 0 {
		errs = []FieldError{{Message: detail}}
	}
	body := PlainJSON(ProblemDetails{Type: "about:blank", Title: title, Status: status, Detail: detail, Errors: errs})
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the client is gone
}

// PlainJSON encodes <, > and & as themselves.
func PlainJSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte("null") // cannot happen: only plain values are given
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Reasons why requests are refused: a label of a metric, and a key of the log.
const (
	reasonNoToken      = "no_token"
	reasonUnknownToken = "unknown_token"
	reasonScope        = "scope"
	ReasonLocation     = "location"
	ReasonMediaType    = "media_type"
	ReasonTooLarge     = "too_large"
	ReasonInvalid      = "invalid"
	reasonTooSlow      = "too_slow"
	reasonBrokenOff    = "broken_off"
	reasonBusy         = "busy"
)

// Refusal is an answer other than success, to be written in one place.
type Refusal struct {
	Status     int
	Reason     string // one of the reasons above; empty for a status of 5xx
	Detail     string
	Errs       []FieldError
	RetryAfter int // seconds; 0: not said
	Challenge  string
}

// Write answers with the refusal as problem+json and the headers that belong to
// it.
func (r *Refusal) Write(w http.ResponseWriter) {
	if r.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(r.RetryAfter))
	}
	if r.Challenge != "" {
		w.Header().Set("WWW-Authenticate", r.Challenge)
	}
	if r.Status == http.StatusUnsupportedMediaType {
		if w.Header().Get("Accept") == "" {
			w.Header().Set("Accept", TypeJSON+", "+TypeNDJSON)
		}
		w.Header().Set("Accept-Encoding", "identity")
	}
	WriteProblem(w, r.Status, "", r.Detail, r.Errs...)
}

// TypeJSON is the media type of one JSON value.
const TypeJSON = "application/json"

// TypeNDJSON is the media type of JSON values, one a line.
const TypeNDJSON = "application/x-ndjson"
