package deliveries

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
)

const (
	// exportsOpen are sent at once on one instance, one for each member. Each
	// holds the text of one chunk in memory, 0.4 MB as a rule.
	exportsOpen = 32
	// exportReads of them at most use the database and a processor at once.
	exportReads = 2
	// exportPiece must reach the reader within stalled, in bytes.
	exportPiece = 16 << 10
	// exportPatience is how long a chunk may wait for its place, and how long
	// it may take to be read.
	exportPatience = time.Minute
)

// exports are the places of exports. They are none of the pages' places.
type exports struct {
	open    *limit.Limiter // for the whole time of an export
	reads   *limit.Limiter // while a chunk is read and rendered, not while it is sent
	stalled time.Duration  // after which a client that reads nothing is disconnected
	book    *exportBook
}

func newExports() exports {
	reads := max(1, min(exportReads, runtime.GOMAXPROCS(0)/2)) // half of the processors are the pages'
	return exports{
		open:    limit.New(limit.Config{Places: exportsOpen, PerFlow: 1}),
		reads:   limit.New(limit.Config{Places: reads, PerFlow: 1, Queue: exportsOpen, Wait: exportPatience}),
		stalled: 30 * time.Second,
		book:    &exportBook{newest: map[string]exportProgress{}},
	}
}

// OneExport lets a member run one export at a time.
func (s *Pages) OneExport(c *gin.Context) {
	place, err := s.exports.open.Acquire(c.Request.Context(), web.MemberFlow(c))
	if err != nil {
		c.Header("Retry-After", "30")
		s.Fail(c, &web.StatusError{Status: http.StatusTooManyRequests, Text: "Each member can run one export at a time, and all members together " +
			wording.Count(exportsOpen) + ". Wait until another export has finished, or cancel yours, then try again."})
		return
	}
	defer place.Release()
	c.Next()
}

// exportFile is an export on its way to the reader.
type exportFile struct {
	Name, Kind string // of the file
	// Next appends the next chunk of the file, and tells whether more follow and
	// how far the file is with it.
	Next func(ctx context.Context, to *bytes.Buffer, at *exportProgress) (more bool, err error)
}

// export sends a file. A chunk is rendered in full before it is sent, so that
// nothing of the database waits for the reader. An error after the first chunk
// cuts the connection, so that a part is not mistaken for the whole.
func (s *Pages) export(c *gin.Context, file exportFile) error {
	var chunk bytes.Buffer
	member, at := web.MemberFlow(c), exportProgress{File: file.Name, Begun: time.Now()}
	s.exports.book.note(member, at)
	done := at // without the chunk that is still to be sent
	defer func() {
		done.Ended = time.Now()
		s.exports.book.note(member, done)
	}()
	more, err := s.exportChunk(c, file, &chunk, &at)
	if err != nil {
		return err
	}
	c.Header("Content-Type", file.Kind)
	c.Header("Cache-Control", "no-store")
	c.Header("Content-Disposition", `attachment; filename="`+file.Name+`"`)
	c.Status(http.StatusOK)
	for {
		if err = s.sendChunk(c, chunk.Bytes()); err != nil {
			break
		}
		done = at
		s.exports.book.note(member, done)
		if !more {
			done.Whole = true
			return nil
		}
		chunk.Reset()
		if more, err = s.exportChunk(c, file, &chunk, &at); err != nil {
			break
		}
	}
	// A client that disconnects is not logged; one that stops reading is.
	if ctx := c.Request.Context(); ctx.Err() == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		s.Log.WarnContext(ctx, "export cut off", "route", c.FullPath(), "error", err)
	}
	panic(http.ErrAbortHandler)
}

// exportChunk holds a place among all exports while it renders the next chunk.
func (s *Pages) exportChunk(c *gin.Context, file exportFile, to *bytes.Buffer, at *exportProgress) (more bool, err error) {
	place, err := s.exports.reads.Acquire(c.Request.Context(), web.MemberFlow(c))
	if err != nil {
		return false, web.ErrBusy()
	}
	defer place.Release()
	ctx, cancel := context.WithTimeout(place.Context(), exportPatience)
	defer cancel()
	return file.Next(ctx, to, at)
}

// sendChunk writes in pieces, each of which has its own deadline: a reader may
// be slow, but must not stop.
func (s *Pages) sendChunk(c *gin.Context, chunk []byte) error {
	out := http.NewResponseController(c.Writer)
	for len(chunk) > 0 {
		_ = out.SetWriteDeadline(time.Now().Add(s.exports.stalled)) // not every writer has one
		n := min(len(chunk), exportPiece)
		if _, err := c.Writer.Write(chunk[:n]); err != nil {
			return err
		}
		chunk = chunk[n:]
	}
	return out.Flush()
}
