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

// maxInWork is how many requests may be in work at once; more are asked to
// come back.
const maxInWork = 256

// Recorder stores events, all or none, and has them safe when it returns.
type Recorder interface {
	Record(ctx context.Context, events []models.NewEvent) (accepted, duplicates int, err error)
}

// Authenticator finds a token that is not revoked, or returns
// models.ErrUnauthorized.
type Authenticator interface {
	Authenticate(ctx context.Context, plaintext string) (models.Token, error)
}

// EventsDeps is what the ingest API needs from the rest of the program.
type EventsDeps struct {
	Events Recorder
	Tokens Authenticator
	// IngestToken works beside the stored tokens, for all locations; empty: none.
	IngestToken string
	// OnAccepted is called after new events were stored, to wake dispatch; nil:
	// nobody.
	OnAccepted func()
	// Accepted counts new events by type, for metrics; nil: nobody. Custom types
	// go by "custom", since their number has no limit.
	Accepted func(types map[string]int)
	Log      *slog.Logger     // nil: the default one
	Now      func() time.Time // nil: the real clock
}

// Events is the ingest API.
type Events struct {
	EventsDeps
	ownToken tokenHash
	inWork   chan struct{}
	room     room
	within   time.Duration // for a body to arrive
}

// NewEvents returns the ingest API. It is an http.Handler for POST.
func NewEvents(d EventsDeps) *Events {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Events{
		EventsDeps: d, ownToken: hashToken(d.IngestToken),
		inWork: make(chan struct{}, maxInWork), room: room{most: maxHeld}, within: maxWait,
	}
}

// Mount registers POST /api/v1/events.
func (e *Events) Mount(r gin.IRoutes) { r.POST("/api/v1/events", gin.WrapH(e)) }

// ServeHTTP takes one request.
func (e *Events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	readUntil(w, time.Now().Add(e.within))
	select {
	case e.inWork <- struct{}{}:
		defer func() { <-e.inWork }()
	default:
		busy().write(w)
		return
	}
	accepted, duplicates, no := e.take(w, r)
	if no != nil {
		drain(w, r)
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

// take does the work of a request: who, what, how much, is it right, store it.
func (e *Events) take(w http.ResponseWriter, r *http.Request) (accepted, duplicates int, no *refusal) {
	token, no := e.authorize(r)
	if no != nil {
		return 0, 0, no
	}
	lines, no := contentKind(r)
	if no != nil {
		return 0, 0, no
	}
	leave, ok := e.room.take(r)
	if !ok {
		return 0, 0, busy()
	}
	defer leave()
	body, no := readBody(w, r)
	if no != nil {
		return 0, 0, no
	}
	defer body.release()
	events, no := readEvents(body.Bytes(), lines, e.Now())
	if no != nil {
		return 0, 0, no
	}
	if no = onlyLocation(token.Location, events); no != nil {
		return 0, 0, no
	}
	accepted, duplicates, err := e.Events.Record(r.Context(), events)
	if full, is := errors.AsType[*models.LocationLimitError](err); is {
		return 0, 0, unknownLocations(full.Slugs, events)
	}
	if err != nil {
		return 0, 0, e.away(r.Context(), "events not stored", err)
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

// away is the answer while the database is. Sending again is safe by the
// events' ids. A sender that has gone is no fault of the database.
func (e *Events) away(ctx context.Context, what string, err error) *refusal {
	if ctx.Err() == nil {
		e.Log.ErrorContext(ctx, "the database is away", slog.String("while", what), slog.Any("error", err))
	}
	return &refusal{
		status:     http.StatusServiceUnavailable,
		detail:     "The database cannot be reached, so this request could not be stored. Send it again later.",
		retryAfter: 5,
	}
}
