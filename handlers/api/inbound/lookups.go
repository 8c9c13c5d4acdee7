package inbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/jobs/wire/read"
	"github.com/sitehooks/sitehooks/models"
)

const (
	lookupsAtOnce = 64 // requests
	lookupLease   = 10 * time.Minute
	// A request may ask for so many paths, and in so many rounds, each after the
	// answers of the one before.
	lookupPaths  = 20
	lookupRounds = 5
	lookupBytes  = 2 << 20 // of an answer
	lookupFor    = 24 * time.Hour
)

// lookupPauses are those after a failed look-up; the last one repeats.
var lookupPauses = []time.Duration{10 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour}

// Lookups works on the requests that wait for look-ups, until none is due.
// Sources do not wait for one another.
func (a *API) Lookups(ctx context.Context) error {
	for {
		rows, err := a.Store.Sources.Waiting(ctx, lookupsAtOnce, lookupLease)
		if err != nil || len(rows) == 0 {
			return err
		}
		bySource := map[string][]*models.SourceRequest{}
		for i := range rows {
			bySource[rows[i].Source] = append(bySource[rows[i].Source], &rows[i])
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		for name, requests := range bySource {
			all.Go(func() {
				if fault := a.lookUpFor(ctx, name, requests); fault != nil {
					mu.Lock()
					defer mu.Unlock()
					err = fault
				}
			})
		}
		if all.Wait(); err != nil {
			return err
		}
	}
}

// lookUpFor works on requests of one source. When its instance does not answer,
// the others are put off with the first.
func (a *API) lookUpFor(ctx context.Context, name string, requests []*models.SourceRequest) error {
	src, err := a.Store.Sources.Get(ctx, name)
	if err != nil {
		return ignoreGone(err)
	}
	for i, r := range requests {
		// A source that moved to another location since they were claimed has lost them.
		if _, err := a.Store.Sources.Request(ctx, name, r.ID); errors.Is(err, models.ErrNotFound) {
			continue
		} else if err != nil {
			return err
		}
		again, err := a.lookUp(ctx, src, r)
		if ctx.Err() != nil {
			return ctx.Err() // what is claimed is due again when its lease ends
		}
		if err != nil {
			return err
		}
		if err := a.Store.Sources.Again(ctx, r, again); ignoreGone(err) != nil {
			return err
		}
		if again == 0 {
			continue
		}
		for _, other := range requests[i+1:] {
			other.Reason = r.Reason
			if err := a.Store.Sources.Again(ctx, other, again); ignoreGone(err) != nil {
				return err
			}
		}
		return nil
	}
	return nil
}

// lookUp reads a request with the answers that it needs. It returns after what
// pause it is to be tried again; 0: it is done. The error is of the database.
func (a *API) lookUp(ctx context.Context, src models.Source, r *models.SourceRequest) (again time.Duration, err error) {
	reading, err := a.ReadRecorded(ctx, src, r)
	if why, waiting := waitsFor(err); waiting {
		return a.putOff(r, why), nil
	}
	return 0, a.finish(ctx, r, reading, err)
}

// waitError says that a look-up has no answer yet.
type waitError struct{ why string }

func (e *waitError) Error() string { return e.why }

// waitsFor tells whether a request can be read later, and what it waits for.
func waitsFor(err error) (why string, waiting bool) {
	if wait, is := errors.AsType[*waitError](err); is {
		return wait.why, true
	}
	if notRun, is := errors.AsType[*notRunError](err); is {
		return notRun.Error(), true
	}
	return "", false
}

// ReadRecorded reads a request that was kept, and looks up what it needs. The error
// is a sentence for people.
func (a *API) ReadRecorded(ctx context.Context, src models.Source, r *models.SourceRequest) (Reading, error) {
	in := received(r)
	via, err := wire.ReadVia(in.Header.Values(wire.ViaHeader), a.Store.PublicID())
	if err != nil {
		return Reading{}, err
	}
	for range lookupRounds {
		reading, err := a.Reader.Read(ctx, src, via, in)
		if err != nil || len(reading.Lookups) == 0 {
			return reading, err
		}
		if len(in.Answers)+len(reading.Lookups) > lookupPaths {
			break
		}
		for _, path := range reading.Lookups {
			if in.Answers[path], err = a.fetch(ctx, src, path); err != nil {
				return Reading{}, err
			}
		}
	}
	return Reading{}, wire.Sentence("This request needs too many look-ups.")
}

// Attempt reads a request that was kept and looks nothing up. The error is a sentence
// for people.
func (a *API) Attempt(ctx context.Context, src models.Source, r *models.SourceRequest) (Reading, error) {
	return a.Reader.Read(ctx, src, "", received(r))
}

func received(r *models.SourceRequest) read.Received {
	return read.Received{Header: header(r.Headers), Body: r.Body, At: r.At, Answers: map[string]read.LookupAnswer{}}
}

// fetch asks the instance of a source for a path.
func (a *API) fetch(ctx context.Context, src models.Source, path string) (read.LookupAnswer, error) {
	kind, known := read.ReaderOf(src.Kind)
	if !known {
		return read.LookupAnswer{}, wire.Sentence("This version of Sitehooks does not know the kind of this source.")
	}
	instance := strings.TrimRight(src.Fields[kind.InstanceField], "/")
	if instance == "" {
		return read.LookupAnswer{}, wire.Sentence("The source has no URL of the instance, which is needed to look up whether this is public.")
	}
	status, body, err := a.Sender.Fetch(ctx, instance+"/"+strings.TrimLeft(path, "/"), lookupBytes)
	if err != nil {
		return read.LookupAnswer{}, &waitError{"The look-up failed: " + err.Error()}
	}
	answer := read.LookupAnswer{Status: status, Body: body}
	if !answer.Final() {
		return answer, &waitError{fmt.Sprintf("The look-up failed: the instance answered %d %s.", status, http.StatusText(status))}
	}
	return answer, nil
}

// putOff keeps a request for another look-up, for a day.
func (a *API) putOff(r *models.SourceRequest, why string) time.Duration {
	r.Tries++
	r.Reason = why
	if a.Now().Sub(r.At) > lookupFor {
		r.State, r.Reason = models.RequestRefused, why+" It was tried for 24 hours."
		return 0
	}
	return lookupPauses[min(int(r.Tries)-1, len(lookupPauses)-1)]
}

// finish stores the events of a request that was kept, and what became of it in
// r. The error is of the database.
func (a *API) finish(ctx context.Context, r *models.SourceRequest, reading Reading, fault error) error {
	r.Accepted, r.Duplicates, r.EventIDs = 0, 0, []string{}
	switch {
	case fault != nil:
		r.State, r.Reason = models.RequestRefused, wording.Sentence(fault)
	case len(reading.Events) == 0:
		r.State, r.Reason = models.RequestIgnored, reading.Ignored
	default:
		if rej := a.record(ctx, r, reading); rej != nil {
			if rej.Status >= http.StatusInternalServerError {
				return fmt.Errorf("store the events of a request of %s: %s", r.Source, rej.Detail)
			}
			r.State, r.Reason = models.RequestRefused, rej.Detail
		}
	}
	return nil
}

// Again reads a request again, stores its events and what became of it. Error:
// models.ErrNotFound, or of the database.
func (a *API) Again(ctx context.Context, src models.Source, r *models.SourceRequest) error {
	reading, err := a.ReadRecorded(ctx, src, r)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	pause := time.Duration(0)
	if why, waiting := waitsFor(err); waiting {
		r.State, r.Tries = models.RequestWaiting, 0
		pause = a.putOff(r, why)
	} else if err := a.finish(ctx, r, reading, err); err != nil {
		return err
	}
	return a.Store.Sources.Again(ctx, r, pause)
}

// header reads the headers of a request that was kept.
func header(recorded []byte) http.Header {
	var pairs [][2]string
	_ = json.Unmarshal(recorded, &pairs) // our own; without them there are none
	h := http.Header{}
	for _, one := range pairs {
		h.Add(one[0], one[1])
	}
	return h
}

func ignoreGone(err error) error {
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	return err
}
