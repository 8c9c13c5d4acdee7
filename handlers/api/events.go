// Package api answers the programs that talk to Sitehooks: the site that
// reports its events, and those that manage webhooks as SuperOffice's do.
//
// It promises that an event it lets through is complete, within its limits and
// readable by everything behind it, that a request with any fault stores
// nothing and hears of all its faults, and that 202 is said only after the
// events are stored. It takes bearer tokens and ignores cookies. It does not
// know who will be told of an event, or when.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// Requests of the ingest API in work at once, and the bytes of their bodies
// together. Requests of the usual size never come near the bytes; many of the
// largest at once would otherwise fill the memory while the database is slow.
const (
	ingestPlaces = 256
	ingestBytes  = 128 << 20
)

// Recorder stores events, all or none, and has them safe when it returns.
type Recorder interface {
	Record(ctx context.Context, events []models.NewEvent) (accepted, duplicates int, err error)
}

// EventsDeps is what the ingest API needs from the rest of the program.
type EventsDeps struct {
	Events Recorder
	Access *Access
	// OnAccepted is called after new events were stored, to wake dispatch; nil:
	// nobody.
	OnAccepted func()
	// Accepted counts new events by type, for metrics; nil: nobody. Custom types
	// go by "custom", since their number has no limit.
	Accepted func(types map[string]int)
	// MemoryShare is how much of the bytes that bodies may take together fits
	// into memory, up to 1; 0: all of them.
	MemoryShare float64
	Log         *slog.Logger     // nil: the default one
	Now         func() time.Time // nil: the real clock
}

// Events is the ingest API.
type Events struct {
	EventsDeps
	places places
}

// NewEvents returns the ingest API. It is an http.Handler for POST.
func NewEvents(d EventsDeps) *Events {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Events{EventsDeps: d, places: newPlaces(ingestPlaces, ingestBytes, d.MemoryShare)}
}

// Mount registers POST /api/v1/events.
func (e *Events) Mount(r gin.IRoutes) { r.POST("/api/v1/events", gin.WrapH(e)) }

// ServeHTTP takes one request.
func (e *Events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, no := e.Access.authorize(r, models.ScopeIngest, "sending events")
	var accepted, duplicates int
	if no == nil {
		accepted, duplicates, no = e.take(w, r, token)
	}
	if no != nil {
		e.Access.note(apiIngest, r, token, no)
		e.Access.drain(w, r)
		no.write(w)
		return
	}
	body, _ := json.Marshal(struct { //nolint:errchkjson // two numbers
		Accepted   int `json:"accepted"`
		Duplicates int `json:"duplicates"`
	}{accepted, duplicates})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write(body) // who does not listen will send again, and find duplicates
}

// take does the work of a request that may send events: read, check and store
// them. Its place is given back when it returns.
func (e *Events) take(w http.ResponseWriter, r *http.Request, token models.Token) (accepted, duplicates int, no *refusal) {
	lines, no := contentKind(r)
	if no != nil {
		return 0, 0, no
	}
	// A sender that does not wait for the answer is served as well.
	q, no := e.places.enter(context.WithoutCancel(r.Context()), flow(token))
	if no != nil {
		return 0, 0, no
	}
	defer q.Release()
	body, no := q.read(w, r)
	if no != nil {
		return 0, 0, no
	}
	events, no := readEvents(body.text, lines, e.Now())
	body.release() // events have their payloads by themselves
	if no != nil {
		return 0, 0, no
	}
	if no = onlyLocation(token.Location, events); no != nil {
		return 0, 0, no
	}
	accepted, duplicates, err := e.Events.Record(q.Context(), events)
	if full, is := errors.AsType[*models.LocationLimitError](err); is {
		return 0, 0, unknownLocations(full.Slugs, events)
	}
	switch {
	case err != nil && q.yielded():
		return 0, 0, busy()
	case err != nil:
		return 0, 0, e.Access.away(r.Context(), "storing events", err)
	}
	e.tell(events, accepted)
	return accepted, duplicates, nil
}

func (e *Events) tell(events []models.NewEvent, accepted int) {
	if accepted == 0 {
		return
	}
	if e.OnAccepted != nil {
		e.OnAccepted()
	}
	if e.Accepted == nil {
		return
	}
	types := map[string]int{}
	for i := range events {
		if !events[i].Duplicate {
			types[metricType(events[i].Type)]++
		}
	}
	e.Accepted(types)
}
