package api

import (
	"context"
	"net/http"
	"time"
)

// largeAnswer is the size, in bytes, above which connections and the system's
// buffers do not accept an answer at once.
const largeAnswer = 64 << 10

// Send sends an answer, which has to be read soon: head writes the headers and
// the status. Large ones are counted with the bytes of the request, and are cut
// off when the place has to be given back. An error means that nothing was sent.
func (q *Request) Send(w http.ResponseWriter, body []byte, head func()) error {
	control := http.NewResponseController(w)
	if len(body) > largeAnswer {
		if err := q.Reserve(int64(len(body))); err != nil {
			return err
		}
	}
	_ = control.SetWriteDeadline(time.Now().Add(q.Pace.Answer)) // not every writer has one
	if len(body) > largeAnswer {
		defer context.AfterFunc(q.Context(), func() { _ = control.SetWriteDeadline(time.Unix(1, 0)) })()
	}
	head()
	_, _ = w.Write(body) // an error means that the client is gone
	_ = control.Flush()  // while it is counted; an error cannot be reported any more
	return nil
}
