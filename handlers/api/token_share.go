package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/sitehooks/sitehooks/handlers/limit"
)

// Places gives requests a place and reads their bodies, which are counted as
// they arrive.
type Places struct {
	*limit.Limiter
	Pace Pace
	Most int64 // bytes of a body; 0: MaxBody
}

// NewPlaces shares out places and bytes, of which only a part may fit into
// memory; 0: all do.
func NewPlaces(count int, bytes int64, memoryShare float64) Places {
	bytes = int64(float64(bytes) * cmp.Or(memoryShare, 1))
	return Places{
		Limiter: limit.New(limit.Config{Places: count, Bytes: bytes, Share: fairShare, Queue: count, Wait: placeWait}), Pace: slowest,
	}
}

// Enter waits for a place for a request of a flow, which ends with ctx at the
// latest. It must be released.
func (p *Places) Enter(ctx context.Context, flow string) (*Request, *Refusal) {
	ctx, end := context.WithCancelCause(ctx)
	place, err := p.Acquire(ctx, flow)
	if err != nil {
		end(nil)
		return nil, Busy()
	}
	return &Request{place, end, p.Pace, cmp.Or(p.Most, MaxBody)}, nil
}

// Request is a request that has its place.
type Request struct {
	*limit.Place
	end  context.CancelCauseFunc
	Pace Pace
	most int64
}

// Release gives the place back.
func (q *Request) Release() {
	q.Place.Release()
	q.end(nil)
}

// Yielded tells that the place was given to another flow.
func (q *Request) Yielded() bool { return errors.Is(context.Cause(q.Context()), limit.ErrYield) }

// fairShare: while others wait, one token keeps an eighth of these.
const fairShare = 8

// placeWait is how long a request waits for a place, and as many wait as there
// are places. It covers the time in which another token gives back the places
// beyond its share.
const placeWait = time.Second

// Read reads all of a body. Memory grows with the bytes received, not with the
// announced length. The body must be released.
func (q *Request) Read(w http.ResponseWriter, r *http.Request) (*Body, *Refusal) {
	large := &Refusal{
		Status: http.StatusRequestEntityTooLarge, Reason: ReasonTooLarge,
		Detail: fmt.Sprintf("The body is larger than %d bytes.", q.most),
	}
	if r.ContentLength > q.most {
		return nil, large
	}
	b := bodies.Get().(*Body) //nolint:forcetypeassert // the pool holds nothing else
	err := q.fill(b, w, http.MaxBytesReader(w, r.Body, q.most))
	if err == nil {
		return b, nil
	}
	b.Release()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, large
	case errors.Is(err, limit.ErrYield), errors.Is(err, limit.ErrBusy):
		return nil, Busy()
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, errSlow):
		return nil, &Refusal{Status: http.StatusBadRequest, Reason: reasonTooSlow, Detail: fmt.Sprintf(
			"The body arrived too slowly: at least %d KiB must arrive in any %d seconds, and all of it within %d seconds.",
			slowest.Bytes>>10, int(slowest.Window.Seconds()), int(slowest.All.Seconds()))}
	}
	return nil, &Refusal{Status: http.StatusBadRequest, Reason: reasonBrokenOff, Detail: "The body ended before it was complete."}
}

// fill reads into b until the body ends, it is too slow, or the place is taken
// back.
func (q *Request) fill(b *Body, w http.ResponseWriter, from io.Reader) error {
	control := http.NewResponseController(w)
	slow := time.AfterFunc(q.Pace.All, func() { q.end(errSlow) })
	defer slow.Stop()
	interrupted := make(chan struct{})
	watched := context.AfterFunc(q.Context(), func() {
		_ = control.SetReadDeadline(time.Unix(1, 0))
		close(interrupted)
	})
	err := q.fillAtPace(b, control, from)
	if !watched() {
		<-interrupted // so that the deadline is ours again
		if !errors.Is(err, limit.ErrBusy) {
			err = context.Cause(q.Context())
		}
	}
	if err == nil {
		_ = control.SetReadDeadline(time.Time{}) // or waiting for the database would end with it
	}
	return err
}

func (q *Request) fillAtPace(b *Body, control *http.ResponseController, from io.Reader) error {
	for arrived := q.Pace.Bytes; ; { // since the deadline was set
		if arrived >= q.Pace.Bytes {
			arrived = 0
			_ = control.SetReadDeadline(time.Now().Add(q.Pace.Window))
		}
		if err := q.Context().Err(); err != nil { // whose deadline the last one may have replaced
			return err
		}
		b.grow()
		n, err := from.Read(b.Text[len(b.Text):cap(b.Text)])
		b.Text = b.Text[:len(b.Text)+n]
		if n > 0 {
			arrived += int64(n)
			begun := time.Now()
			if err := q.Reserve(int64(n)); errors.Is(err, errSlow) {
				return limit.ErrBusy // the sender is not to blame for a wait that was ours
			} else if err != nil {
				return err
			}
			if time.Since(begun) > time.Millisecond {
				arrived = q.Pace.Bytes
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
