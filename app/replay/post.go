package replay

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/sitehooks/sitehooks/app/client"
)

// Limits of a request to the ingest API.
const (
	maxEvents = client.MaxEvents
	maxBody   = client.MaxBody
	maxEvent  = client.MaxEvent
)

// poster posts a dump's moments in their order.
type poster struct {
	dump     *dump
	options  Options
	sender   *sender
	progress *progress
	now      func() time.Time
	wait     func(ctx context.Context, d time.Duration) error

	batch      bytes.Buffer   // lines of JSON
	inBatch    []string       // types of the events in it
	posted     map[string]int // events posted, by type
	accepted   int
	duplicates int
	tooLarge   int
	startedAt  time.Time
	took       time.Duration
}

func (r *poster) post(ctx context.Context) error {
	r.startedAt, r.posted = r.now(), map[string]int{}
	defer func() { r.took = r.now().Sub(r.startedAt) }()
	for i, m := range r.dump.moments {
		if err := r.await(ctx, i); err != nil {
			return err
		}
		eventType, line, err := r.line(m)
		if err != nil {
			return err
		}
		if len(line) > maxEvent+1 { // the line's end is no part of the event
			r.tooLarge++
			continue
		}
		if len(r.inBatch) == maxEvents || r.batch.Len()+len(line) > maxBody {
			if err := r.flush(ctx); err != nil {
				return err
			}
			r.progress.show(i, r.now().Sub(r.startedAt))
		}
		r.batch.Write(line)
		r.inBatch = append(r.inBatch, eventType)
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	r.progress.show(len(r.dump.moments), r.now().Sub(r.startedAt))
	return nil
}

// await waits until an event of the dump is due at the chosen speed. It sends
// the collected events first.
func (r *poster) await(ctx context.Context, i int) error {
	if r.options.Speed == 0 {
		return ctx.Err()
	}
	since := float64(r.dump.moments[i].at-r.dump.moments[0].at) / r.options.Speed * float64(time.Millisecond)
	left := r.startedAt.Add(time.Duration(since)).Sub(r.now())
	if left <= 0 {
		return ctx.Err()
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	r.progress.show(i, r.now().Sub(r.startedAt))
	return r.wait(ctx, left)
}

func (r *poster) line(m moment) (eventType string, line []byte, err error) {
	event, err := r.dump.event(m, r.options)
	if err != nil {
		return "", nil, err
	}
	line, err = event.Line()
	return event.Type, line, err
}

func (r *poster) flush(ctx context.Context) error {
	if len(r.inBatch) == 0 {
		return nil
	}
	accepted, duplicates, err := r.sender.send(ctx, r.batch.Bytes())
	r.accepted += accepted
	r.duplicates += duplicates
	if err == nil {
		for _, eventType := range r.inBatch {
			r.posted[eventType]++
		}
	}
	r.batch.Reset()
	r.inBatch = r.inBatch[:0]
	return err
}

// summary says how much was posted and where to see the outcome, also after an
// interruption.
func (r *poster) summary(w io.Writer) {
	seconds := r.took.Seconds()
	rate := 0.0
	if seconds > 0 {
		rate = float64(r.accepted+r.duplicates) / seconds
	}
	_, _ = fmt.Fprintf(w, "accepted %d, duplicates %d, %.1f s, %.0f events/s\n", r.accepted, r.duplicates, seconds, rate)
	if r.tooLarge > 0 {
		_, _ = fmt.Fprintf(w, "skipped %s larger than %d bytes\n", plural(r.tooLarge, "event"), maxEvent)
	}
	if r.dump.skipped > 0 {
		_, _ = fmt.Fprintf(w, "skipped %s: incomplete, or an answer to a question that is not in the file\n", plural(r.dump.skipped, "post"))
	}
	if n := r.dump.comments.skipped; n > 0 {
		_, _ = fmt.Fprintf(w, "skipped %s: incomplete, or on a post that is not in the file\n", plural(n, "comment"))
	}
	if len(r.posted) == 0 {
		return
	}
	_, _ = fmt.Fprintf(w, "posted to the location %s:\n", r.options.Location)
	for _, eventType := range slices.Sorted(maps.Keys(r.posted)) {
		_, _ = fmt.Fprintf(w, "  %d %s\n", r.posted[eventType], eventType)
	}
	_, _ = fmt.Fprintf(w, "see which webhooks they triggered: %s/admin/trigger-history?location=%s\n", r.options.URL, r.options.Location)
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
