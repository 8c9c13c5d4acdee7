package api

import (
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

// problem is an error as RFC 9457 has it.
type problem struct {
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
	body, err := json.Marshal(problem{Type: "about:blank", Title: title, Status: status, Detail: detail, Errors: errs})
	if err != nil {
		body = []byte(`{"type":"about:blank"}`) // cannot happen: strings and numbers
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who does not listen gets nothing
}

// Reasons why requests are refused: a label of a metric, and a key of the log.
const (
	reasonNoToken      = "no_token"
	reasonUnknownToken = "unknown_token"
	reasonScope        = "scope"
	reasonLocation     = "location"
	reasonMediaType    = "media_type"
	reasonTooLarge     = "too_large"
	reasonInvalid      = "invalid"
	reasonTooSlow      = "too_slow"
	reasonBrokenOff    = "broken_off"
	reasonBusy         = "busy"
)

// refusal is an answer other than success, to be written in one place.
type refusal struct {
	status     int
	reason     string // one of the reasons above; empty for a status of 5xx
	detail     string
	errs       []FieldError
	retryAfter int // seconds; 0: not said
	challenge  string
}

func (r *refusal) write(w http.ResponseWriter) {
	if r.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(r.retryAfter))
	}
	if r.challenge != "" {
		w.Header().Set("WWW-Authenticate", r.challenge)
	}
	if r.status == http.StatusUnsupportedMediaType {
		w.Header().Set("Accept", typeJSON+", "+typeNDJSON)
		w.Header().Set("Accept-Encoding", "identity")
	}
	WriteProblem(w, r.status, "", r.detail, r.errs...)
}

const typeJSON = "application/json"

const typeNDJSON = "application/x-ndjson"
