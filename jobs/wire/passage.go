package wire

import (
	"bytes"

	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// minPassage is how long a passage is at least, in bytes: naming a shorter one
// saves nothing.
const minPassage = 64

// Shorten looks in a body for a passage of the event's payload: its data or the
// text of its post. It returns the body with a NUL byte in place of the passage,
// and where in the payload that is, in bytes; or the whole body and 0 bytes.
// JoinBody puts body and passage together again.
func (e Event) Shorten(body, payload []byte) (short []byte, at, length int) {
	text := []byte(e.Data)
	if post := e.text(); len(post) > len(text) {
		text = object.Quote(post)
	}
	if len(text) < minPassage || bytes.IndexByte(body, 0) >= 0 {
		return body, 0, 0
	}
	in, at := bytes.Index(body, text), bytes.Index(payload, text)
	if in < 0 || at < 0 {
		return body, 0, 0
	}
	short = make([]byte, 0, len(body)-len(text)+1)
	short = append(append(append(short, body[:in]...), 0), body[in+len(text):]...)
	return short, at, len(text)
}

// text is that of the post that the event is about; empty: it is about none.
func (e Event) text() string {
	switch {
	case e.Comment != nil:
		return e.Comment.Body
	case e.Answer != nil:
		return e.Answer.Body
	case e.Question != nil:
		return e.Question.Body
	}
	return ""
}
