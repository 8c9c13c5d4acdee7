package api

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/sitehooks/sitehooks/handlers/limit"
)

// MaxBody is the most that the body of a request may hold, in bytes.
const MaxBody = 4 << 20

// Pace is the minimum speed of a body: while it arrives, it occupies a place
// that other requests need.
type Pace struct {
	Bytes  int64         // of which so many must arrive
	Window time.Duration // within this time, or all that is left
	All    time.Duration // the whole body
	Answer time.Duration // within which the answer must be read
}

// slowest is 13 kbit/s, which bad mobile networks reach, and at most a minute
// for the whole body.
var slowest = Pace{Bytes: 16 << 10, Window: 10 * time.Second, All: time.Minute, Answer: 20 * time.Second}

// errSlow is the cause of a request's end when its body took too long.
var errSlow = errors.New("the body took too long")

// Body is the body of a request. It counts as memory in use until it is
// released.
type Body struct{ Text []byte }

var bodies = sync.Pool{New: func() any { return new(Body) }}

// Release gives the memory back for other requests. Very large ones are let
// go, or they would stay for good.
func (b *Body) Release() {
	if cap(b.Text) <= 1<<20 {
		b.Text = b.Text[:0]
		bodies.Put(b)
	}
}

// grow enlarges the buffer, but never beyond the limit of a body. Otherwise the
// memory in use could be twice the bytes counted.
func (b *Body) grow() {
	if len(b.Text) == cap(b.Text) {
		size := max(2*cap(b.Text), bytes.MinRead)
		b.Text = append(make([]byte, 0, min(size, MaxBody+bytes.MinRead)), b.Text...)
	}
}

// A plain client writes all of its body before it reads the answer, and loses
// the answer when the connection is closed before. A refusal waits a moment
// for the rest of the body, up to a bound.
const (
	drainMax  = 4 * MaxBody
	drainWait = 2 * time.Second
)

// Drain reads the rest of a refused request's body, unless its client waits for
// "100 Continue". When many bodies are being drained already, the connection is
// closed instead.
func (a *Access) Drain(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Expect") != "" || r.ContentLength == 0 {
		return
	}
	control := http.NewResponseController(w)
	place, err := a.Drains.Acquire(r.Context(), limit.AddressGroup(r.RemoteAddr))
	if err != nil {
		w.Header().Set("Connection", "close")
		_ = control.SetReadDeadline(time.Unix(1, 0))
		return
	}
	defer place.Release()
	_ = control.SetReadDeadline(time.Now().Add(drainWait))
	_, _ = io.CopyN(io.Discard, r.Body, drainMax)
}
