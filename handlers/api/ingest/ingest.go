// Package ingest is the API to which a site reports its events.
//
// It promises that an event it lets through is complete, within its limits and
// readable by everything behind it, that a request with any fault stores nothing
// and is answered with all its faults, and that 202 is sent only after the
// events are stored. It does not know which webhooks get an event, or when.
package ingest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api"
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

// Sources knows the followers, and counts what they and the tokens report.
type Sources interface {
	// Get returns a source, or models.ErrNotFound.
	Get(ctx context.Context, name string) (models.Source, error)
	// Count notes that a source or a token reported new events.
	Count(source string, events int)
}

// Deps are the dependencies of the ingest API.
type Deps struct {
	Events Recorder
	// Sources takes the names of followers and the counts of new events; nil: no
	// follower is known, and nothing is counted.
	Sources Sources
	Access  *api.Access
	// OnAccepted is called after new events were stored, to wake dispatch; nil:
	// it is not called.
	OnAccepted func()
	// Accepted counts new events by type, for metrics; nil: they are not
	// counted. Custom types go by "custom", since their number has no limit.
	Accepted func(types map[string]int)
	// MemoryShare is how much of the bytes that bodies may take together fits
	// into memory, up to 1; 0: all of them.
	MemoryShare float64
	Log         *slog.Logger     // nil: the default one
	Now         func() time.Time // nil: the real clock
}

// API is the ingest API.
type API struct {
	Deps
	places api.Places
}

// New returns the ingest API.
func New(d Deps) *API {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return &API{Deps: d, places: api.NewPlaces(ingestPlaces, ingestBytes, d.MemoryShare)}
}

// Post answers POST /api/v1/events.
func (e *API) Post(c *gin.Context) {
	w, r := c.Writer, c.Request
	token, rej := e.Access.Authorize(r, models.ScopeIngest, "sending events")
	var accepted, duplicates int
	if rej == nil {
		accepted, duplicates, rej = e.accept(w, r, token)
	}
	if rej != nil {
		e.Access.Note(api.NameIngest, r, token, rej)
		e.Access.Drain(w, r)
		rej.Write(w)
		return
	}
	body, _ := json.Marshal(Accepted{accepted, duplicates}) //nolint:errchkjson // two numbers
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write(body) // a client that misses the answer sends again and gets duplicates
}

// accept does the work of a request that may send events: read, check and store
// them. Its place is given back when it returns.
func (e *API) accept(w http.ResponseWriter, r *http.Request, token models.Token) (accepted, duplicates int, rej *api.Refusal) {
	lines, rej := contentKind(r)
	if rej != nil {
		return 0, 0, rej
	}
	source, rej := e.sourceOf(r, token)
	if rej != nil {
		return 0, 0, rej
	}
	// A sender that does not wait for the answer is served as well.
	q, rej := e.places.Enter(context.WithoutCancel(r.Context()), api.Flow(token))
	if rej != nil {
		return 0, 0, rej
	}
	defer q.Release()
	body, rej := q.Read(w, r)
	if rej != nil {
		return 0, 0, rej
	}
	events, rej := ReadEvents(body.Text, lines, e.Now())
	body.Release() // events have their payloads by themselves
	if rej != nil {
		return 0, 0, rej
	}
	if rej = onlyLocation(token.Location, events); rej != nil {
		return 0, 0, rej
	}
	for i := range events {
		events[i].Source = source
	}
	accepted, duplicates, err := e.Events.Record(q.Context(), events)
	if full, is := errors.AsType[*models.LocationLimitError](err); is {
		return 0, 0, UnknownLocations(full.Slugs, events)
	}
	switch {
	case err != nil && q.Yielded():
		return 0, 0, api.Busy()
	case err != nil:
		return 0, 0, e.Access.Away(r.Context(), "storing events", err)
	}
	e.reportAccepted(events, accepted)
	if e.Sources != nil {
		e.Sources.Count(cmp.Or(source, models.TokenSource(token.ID)), accepted)
	}
	return accepted, duplicates, nil
}

func (e *API) reportAccepted(events []models.NewEvent, accepted int) {
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
			types[MetricType(events[i].Type)]++
		}
	}
	e.Accepted(types)
}
