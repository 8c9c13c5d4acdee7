package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	typeJSON   = "application/json"
	typeNDJSON = "application/x-ndjson"

	maxBody  = 4 << 20   // bytes
	maxEvent = 256 << 10 // bytes, without the whitespace around its parts
	// maxWait is how long a body may take to arrive, so that slow senders cannot
	// hold all the places there are.
	maxWait = time.Minute
)

// contentKind tells whether a request holds lines of events, or refuses it.
func contentKind(r *http.Request) (lines bool, no *refusal) {
	if len(r.Header.Values("Content-Encoding")) > 0 {
		return false, &refusal{status: http.StatusUnsupportedMediaType, detail: "The body must not be encoded: send it without Content-Encoding."}
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && (kind == typeJSON || kind == typeNDJSON) {
		if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
			return false, &refusal{status: http.StatusUnsupportedMediaType, detail: "The body must be UTF-8."}
		}
		return kind == typeNDJSON, nil
	}
	return false, &refusal{
		status: http.StatusUnsupportedMediaType,
		detail: fmt.Sprintf("Content-Type must be %s or %s.", typeJSON, typeNDJSON),
	}
}

// body is what a request holds, until it is released.
type body struct{ bytes.Buffer }

var bodies = sync.Pool{New: func() any { return new(body) }}

// release gives the memory back for other requests. Very large ones are let
// go, or they would stay for good.
func (b *body) release() {
	if b.Cap() <= 1<<20 {
		b.Reset()
		bodies.Put(b)
	}
}

// readUntil sets how long the server waits for a request's body, even after its
// refusal. A connection that knows no deadlines has the server's own.
func readUntil(w http.ResponseWriter, at time.Time) {
	_ = http.NewResponseController(w).SetReadDeadline(at)
}

// Whoever is still writing when the answer comes may never read it: a refusal
// waits a moment for the rest of the body, up to a bound.
const (
	drainMax  = 4 * maxBody
	drainWait = 2 * time.Second
)

// drain reads what is left of a refused request's body, unless its sender
// waits to be asked for it.
func drain(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Expect") != "" {
		return
	}
	readUntil(w, time.Now().Add(drainWait))
	_, _ = io.CopyN(io.Discard, r.Body, drainMax)
}

// readBody reads all of a body. Memory grows with what has arrived, not with
// what was announced.
func readBody(w http.ResponseWriter, r *http.Request) (*body, *refusal) {
	large := &refusal{status: http.StatusRequestEntityTooLarge, detail: fmt.Sprintf("The body is larger than %d bytes.", maxBody)}
	if r.ContentLength > maxBody {
		return nil, large
	}
	b := bodies.Get().(*body) //nolint:forcetypeassert // the pool holds nothing else
	_, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		readUntil(w, time.Time{}) // or waiting for the database would end with it
		return b, nil
	}
	b.release()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, large
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &refusal{status: http.StatusBadRequest, detail: "The body did not arrive in time."}
	}
	return nil, &refusal{status: http.StatusBadRequest, detail: "The body ended before it was complete."}
}
