package follow

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/sitehooks/sitehooks/app/client"
)

// poster posts events, and leaves out those that the instance does not take.
type poster struct {
	client *client.Client
	source string
	log    *slog.Logger

	skipped     int64 // events left out since the last report
	lastSkipped string
}

// post posts all events, in requests that are not too large.
func (p *poster) post(ctx context.Context, events []event) error {
	for len(events) > 0 {
		n, size := 0, 0
		for n < len(events) && n < client.MaxEvents && (n == 0 || size+len(events[n].line) <= client.MaxBody) {
			size += len(events[n].line)
			n++
		}
		if err := p.postOnce(ctx, events[:n]); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

// postOnce posts events in one request, and in further ones when some of them
// are refused: nothing is stored of a request with a fault.
func (p *poster) postOnce(ctx context.Context, events []event) error {
	if len(events) == 0 {
		return nil
	}
	var body bytes.Buffer
	for _, e := range events {
		body.Write(e.line)
	}
	_, _, err := p.client.PostEvents(ctx, body.Bytes(), p.source)
	refused, is := errors.AsType[*client.RefusedError](err)
	if !is || refused.Status != http.StatusBadRequest && refused.Status != http.StatusRequestEntityTooLarge {
		return err
	}
	faults := faultsByEvent(refused.Faults, len(events))
	switch {
	case len(faults) > 0:
		rest := make([]event, 0, len(events))
		for i, e := range events {
			if why, bad := faults[i]; bad {
				p.skip(ctx, e, why)
			} else {
				rest = append(rest, e)
			}
		}
		return p.postOnce(ctx, rest)
	case len(events) == 1:
		p.skip(ctx, events[0], refused.Detail)
		return nil
	}
	// The fault names no event: it is found by halves.
	half := len(events) / 2
	if err := p.postOnce(ctx, events[:half]); err != nil {
		return err
	}
	return p.postOnce(ctx, events[half:])
}

func (p *poster) skip(ctx context.Context, e event, why string) {
	p.log.WarnContext(ctx, "event skipped", slog.String("id", e.id), slog.String("reason", why))
	p.skipped++
	p.lastSkipped = e.id + ": " + why
}

// faultsByEvent are the first faults of n events, by their index.
func faultsByEvent(faults []client.Fault, n int) map[int]string {
	all := map[int]string{}
	for _, f := range faults {
		if f.Index == nil || *f.Index < 0 || *f.Index >= n {
			continue
		}
		if _, more := all[*f.Index]; !more {
			all[*f.Index] = strings.TrimSpace(f.Field + " " + f.Message)
		}
	}
	return all
}
