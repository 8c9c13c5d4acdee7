package api

import (
	"net/http"
	"sync/atomic"
)

// maxHeld is how many bytes of bodies may be in work together. Requests of the
// usual size never come near it; many of the largest at once would otherwise
// fill the memory while the database is slow.
const maxHeld = 128 << 20

// room counts the bytes of bodies in work.
type room struct {
	held atomic.Int64
	most int64
}

// take makes room for a request's body, as long as it says, or as long as it
// may be when it does not say. False: there is none now.
func (r *room) take(q *http.Request) (leave func(), ok bool) {
	n := q.ContentLength
	if n < 0 || n > maxBody {
		n = maxBody
	}
	leave = func() { r.held.Add(-n) }
	if r.held.Add(n) > r.most {
		leave()
		return nil, false
	}
	return leave, true
}

// busy asks to come back.
func busy() *refusal {
	return &refusal{status: http.StatusTooManyRequests, detail: "Too many requests are in work. Send this one again later.", retryAfter: 1}
}
