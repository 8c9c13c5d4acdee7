// Package client speaks to the APIs of a running instance, for the commands
// that work through one.
//
// It promises that an error says whether the same request may succeed later
// (LaterError) or was refused (RefusedError), in a sentence for people that
// never contains the token. It knows the APIs by their documentation.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// MaxEvents, MaxBody and MaxEvent are the limits of a request that sends
// events: how many, and the bytes of the body and of one event.
const (
	MaxEvents = 1000
	MaxBody   = 4 << 20
	MaxEvent  = 256 << 10
)

// maxAnswer is the most of an answer that is read, in bytes.
const maxAnswer = 8 << 20

// Client sends requests to one instance. Its methods may be called from any
// goroutine.
type Client struct {
	Base  string // the URL of the instance, without a slash at the end
	Token string
	HTTP  *http.Client // nil: one that gives up after a minute and follows no redirect
}

var defaultHTTP = &http.Client{
	Timeout:       time.Minute,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// LaterError says that the same request may succeed later.
type LaterError struct {
	After   time.Duration // as the instance asked; 0: it did not
	Reached bool          // something answered
	Reason  string
}

func (e *LaterError) Error() string { return e.Reason }

// RefusedError says that the instance refused the request, which must not be
// repeated as it is.
type RefusedError struct {
	Status int
	Known  bool // the answer is Sitehooks' own
	Detail string
	Faults []Fault
	Reason string // the sentence of Error
}

// Fault is one fault of a request.
type Fault struct {
	Index          *int // of the event, from 0; nil: the whole request
	Field, Message string
}

func (e *RefusedError) Error() string { return e.Reason }

// Unauthorized says whether the token is the reason.
func (e *RefusedError) Unauthorized() bool {
	return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
}

// Request is a request to an API.
type Request struct {
	Method, Path string
	ContentType  string
	Body         []byte
	Header       map[string]string
}

// Do sends a request and decodes the JSON of the answer into result. Any
// answer but a 2xx is an error.
func (c *Client) Do(ctx context.Context, q Request, result any) error {
	_, err := c.Ask(ctx, q, result)
	return err
}

// Ask is Do that also returns the headers of the answer. A nil result takes none.
func (c *Client) Ask(ctx context.Context, q Request, result any) (http.Header, error) {
	p, text, err := c.send(ctx, q) //nolint:bodyclose // send has read and closed it
	if err != nil {
		return nil, err
	}
	if p.StatusCode < 200 || p.StatusCode > 299 {
		return nil, c.refused(p, text)
	}
	if result == nil {
		return p.Header, nil
	}
	if err := json.Unmarshal(text, result); err != nil {
		return nil, &RefusedError{Status: p.StatusCode, Reason: fmt.Sprintf("the server at %s is not Sitehooks", c.Base)}
	}
	return p.Header, nil
}

// PostEvents sends lines of JSON, one event a line. Sending them again is
// harmless if they have ids. source names the source that they come from; empty:
// none.
func (c *Client) PostEvents(ctx context.Context, lines []byte, source string) (accepted, duplicates int, err error) {
	q := Request{Method: http.MethodPost, Path: "/api/v1/events", ContentType: "application/x-ndjson", Body: lines}
	if source != "" {
		q.Header = map[string]string{"Sitehooks-Source": source}
	}
	var answer struct{ Accepted, Duplicates int }
	err = c.Do(ctx, q, &answer)
	return answer.Accepted, answer.Duplicates, err
}

func (c *Client) send(ctx context.Context, q Request) (*http.Response, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, q.Method, c.Base+q.Path, bytes.NewReader(q.Body))
	if err != nil {
		return nil, nil, err
	}
	if q.ContentType != "" {
		r.Header.Set("Content-Type", q.ContentType)
	}
	r.Header.Set("Authorization", "Bearer "+c.Token)
	for name, value := range q.Header {
		r.Header.Set(name, value)
	}
	h := c.HTTP
	if h == nil {
		h = defaultHTTP
	}
	p, err := h.Do(r)
	if err != nil {
		return nil, nil, c.unreachable(ctx, err)
	}
	defer p.Body.Close()
	text, err := io.ReadAll(io.LimitReader(p.Body, maxAnswer))
	if err != nil {
		return nil, nil, c.unreachable(ctx, err)
	}
	return p, text, nil
}

func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if outer, is := errors.AsType[*url.Error](err); is {
		err = outer.Err
	}
	return &LaterError{Reason: fmt.Sprintf("%s cannot be reached: %v", c.Base, err)}
}

// refused puts an answer other than success into words.
func (c *Client) refused(p *http.Response, text []byte) error {
	var problem struct {
		Detail string
		Errors []Fault
	}
	known := json.Unmarshal(text, &problem) == nil && problem.Detail != ""
	reason := p.Status
	if known {
		reason += ": " + problem.Detail
	}
	e := &RefusedError{Status: p.StatusCode, Known: known, Detail: problem.Detail, Faults: problem.Errors}
	switch p.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &LaterError{After: retryAfter(p.Header.Get("Retry-After")), Reached: true, Reason: c.Base + " answered " + reason}
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Reason = fmt.Sprintf("%s does not accept the token: %s (--token, or SITEHOOKS_INGEST_TOKEN)", c.Base, reason)
		if len(problem.Errors) > 0 { // the request names what the token may not reach, or what is not there
			e.Reason = fmt.Sprintf("%s answered %s", c.Base, reason)
		}
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		e.Reason = fmt.Sprintf("%s redirects to %s; set --url to the right address", c.Base, p.Header.Get("Location"))
	default:
		e.Reason = fmt.Sprintf("%s answered %s", c.Base, reason)
		if !known {
			e.Reason += "; it does not seem to be Sitehooks"
		}
		e.Reason += faultLines(problem.Errors)
	}
	return e
}

// faultLines are the first faults of events, a line each.
func faultLines(faults []Fault) string {
	const most = 5
	var lines strings.Builder
	for i, f := range faults {
		if i == most {
			break
		}
		if f.Index != nil {
			fmt.Fprintf(&lines, "\n  event %d of the request, %s %s", *f.Index, f.Field, f.Message)
		}
	}
	return lines.String()
}

// retryAfter reads seconds or a date; 0 when there is neither.
func retryAfter(value string) time.Duration {
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
