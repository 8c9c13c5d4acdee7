// Package inbound receives the webhooks of other systems at /in/NAME and turns
// them into events.
//
// It promises that a request is verified before anything of it is read, that
// the rules for its events are those of the ingest API, that all its events are
// stored or none, and that each request of a known sender is kept with what
// became of it. It takes none of the ingest API's places. It does not know the
// format of a kind of source.
package inbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/api/ingest"
	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/jobs/wire/read"
	"github.com/sitehooks/sitehooks/models"
)

// Name is the label of this API in metrics.
const Name = "inbound"

// MaxBody is the most that the body of a request may hold, in bytes.
const MaxBody = 1 << 20

// Reasons why requests are refused: labels of a metric.
const (
	reasonSource    = "unknown_source"
	reasonSignature = "signature"
	reasonLoop      = "loop"
)

// Deps are the dependencies of the receiving of webhooks.
type Deps struct {
	Store  *models.Store
	Reader *Reader
	Sender *send.Client // makes look-ups
	Access *api.Access  // counts what is refused
	// OnAccepted is called after new events were stored, and OnWaiting after a
	// request that waits for look-ups; nil: they are not called.
	OnAccepted, OnWaiting func()
	// Accepted counts new events by type, for metrics; nil: they are not counted.
	Accepted    func(types map[string]int)
	MemoryShare float64 // of the bytes that bodies may take together, up to 1; 0: all
	Log         *slog.Logger
	Now         func() time.Time // nil: the real clock
}

// API receives webhooks of other systems.
type API struct {
	Deps
	places    places
	strangers strangers
}

// New returns the receiver of webhooks.
func New(d Deps) *API {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return &API{Deps: d, places: newPlaces(d.MemoryShare), strangers: newStrangers()}
}

// call is one request of a source.
type call struct {
	src      models.Source
	secrets  []string
	header   http.Header
	body     []byte
	at       time.Time
	recorded models.SourceRequest // what will be kept of it
	reading  Reading
}

// Post answers POST /in/NAME and /in/NAME/TOKEN.
func (a *API) Post(c *gin.Context) {
	w, r := c.Writer, c.Request
	q := &call{header: r.Header, at: a.Now()}
	rej := a.receive(w, r, q, c.Param("name"), c.Param("token"))
	if rej != nil {
		a.refuse(w, r, q, rej)
		return
	}
	if q.recorded.State == models.RequestIgnored {
		answer(w, http.StatusOK, map[string]string{"ignored": q.recorded.Reason})
		return
	}
	counts := struct {
		Accepted   int64 `json:"accepted"`
		Duplicates int64 `json:"duplicates"`
		Waiting    int   `json:"waiting,omitempty"` // for look-ups
	}{Accepted: q.recorded.Accepted, Duplicates: q.recorded.Duplicates}
	if q.recorded.State == models.RequestWaiting {
		counts.Waiting = 1
	}
	status := http.StatusAccepted
	if kind, known := read.ReaderOf(q.src.Kind); known && kind.Success != 0 {
		status = kind.Success
	}
	answer(w, status, counts)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", api.TypeJSON)
	w.WriteHeader(status)
	_, _ = w.Write(api.PlainJSON(v)) // a sender that misses the answer sends again
}

// receive does the work of a request under its places.
func (a *API) receive(w http.ResponseWriter, r *http.Request, q *call, name, token string) *api.Refusal {
	// A sender that does not wait for the answer is served as well.
	ctx := context.WithoutCancel(r.Context())
	group, err := a.places.groups.Acquire(ctx, limit.AddressGroup(r.RemoteAddr))
	if err != nil {
		return busy()
	}
	defer group.Release()
	if rej := a.find(group.Context(), q, name, token); rej != nil {
		return rej
	}
	q.recorded = models.SourceRequest{
		Source: name, Location: q.src.Location, State: models.RequestRefused, FromAddr: limit.AddressGroup(r.RemoteAddr), EventIDs: []string{}, Headers: recorded(r.Header, q.secrets),
	}
	place, rej := a.places.sources.Enter(group.Context(), name)
	if rej != nil {
		return busy()
	}
	defer place.Release()
	body, rej := place.Read(w, r)
	if rej != nil {
		return asBusy(rej)
	}
	defer body.Release()
	q.body = body.Text
	if rej := a.verify(q, token); rej != nil {
		return rej
	}
	q.recorded.Verified, q.recorded.Body = true, slices.Clone(q.body)
	rej = a.process(place.Context(), q)
	if rej != nil {
		a.keepRefused(ctx, q, rej) // while its bytes are counted
	}
	return rej
}

// find looks the source up, and checks the token of its address.
func (a *API) find(ctx context.Context, q *call, name, token string) (rej *api.Refusal) {
	var err error
	q.src, err = a.Store.Sources.Get(ctx, name)
	switch {
	case errors.Is(err, models.ErrNotFound) || err == nil && q.src.Follows():
		return &api.Refusal{Status: http.StatusNotFound, Reason: reasonSource, Detail: "There is no source at this address."}
	case err != nil:
		return a.away(ctx, "finding the source", err)
	}
	if token != "" && !q.src.RightAddress(token) {
		q.recorded = models.SourceRequest{Source: name, Location: q.src.Location, State: models.RequestRefused}
		return unverified("The token in the address is wrong. The source's page shows the right address.")
	}
	opened, err := a.Store.Sources.Open(q.src)
	if err != nil {
		return a.away(ctx, "opening the source's secrets", err)
	}
	for _, secret := range opened {
		if secret != "" {
			q.secrets = append(q.secrets, secret)
		}
	}
	return nil
}

// verify checks the signature, if the source has a secret. Without one the token
// of the address is needed.
func (a *API) verify(q *call, token string) *api.Refusal {
	if len(q.secrets) == 0 {
		if token == "" {
			return unverified("This source has no signing secret, so its address needs a token. The source's page shows the right address.")
		}
		return nil
	}
	kind, known := read.ReaderOf(q.src.Kind)
	if !known || kind.Verify == nil {
		return unverified("This version of Sitehooks cannot verify requests of this source.")
	}
	if err := kind.Verify(q.received(nil)); err != nil {
		return unverified(wording.Sentence(err))
	}
	return nil
}

func (q *call) received(answers map[string]read.LookupAnswer) read.Received {
	return read.Received{Header: q.header, Body: q.body, At: q.at, Secrets: q.secrets, Fields: q.src.Fields, Answers: answers}
}

// process reads a verified request, stores its events and keeps it.
func (a *API) process(ctx context.Context, q *call) *api.Refusal {
	via, err := wire.ReadVia(q.header.Values(wire.ViaHeader), a.Store.PublicID())
	if err != nil {
		return invalid(reasonLoop, err.Error())
	}
	if encoding := q.header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return invalid(api.ReasonMediaType, "The body is encoded. It must be sent without Content-Encoding.")
	}
	q.reading, err = a.Reader.Read(ctx, q.src, via, q.received(nil))
	notRun, isNotRun := errors.AsType[*notRunError](err)
	switch {
	case ctx.Err() != nil:
		return busy()
	case isNotRun:
		return a.notRun(ctx, q.src.Name, notRun)
	case err != nil:
		return invalid(api.ReasonInvalid, wording.Sentence(err))
	case len(q.reading.Lookups) > 0:
		q.recorded.State, q.recorded.NextAt = models.RequestWaiting, new(a.Now())
	case len(q.reading.Events) == 0:
		q.recorded.State, q.recorded.Reason = models.RequestIgnored, q.reading.Ignored
	default:
		if rej := a.record(ctx, &q.recorded, q.reading); rej != nil {
			return rej
		}
	}
	return a.keep(ctx, q)
}

// notRun asks to send again.
func (a *API) notRun(ctx context.Context, source string, err *notRunError) *api.Refusal {
	a.Log.ErrorContext(ctx, "cannot run the program of a source", slog.String("source", source), slog.Any("error", err.err))
	rej := busy()
	rej.Detail = "The source's program could not be run. Send this request again later."
	return rej
}

// record stores the events of a request, and notes in recorded how many are new.
func (a *API) record(ctx context.Context, recorded *models.SourceRequest, reading Reading) *api.Refusal {
	accepted, duplicates, err := a.Store.Events.Record(ctx, reading.Events)
	if _, full := errors.AsType[*models.LocationLimitError](err); full {
		return invalid(api.ReasonLocation, "The source's location is unknown, and no more locations can be registered.")
	}
	if err != nil {
		return a.away(ctx, "storing events", err)
	}
	recorded.State, recorded.Reason = models.RequestAccepted, reading.Ignored
	recorded.Accepted, recorded.Duplicates = int64(accepted), int64(duplicates)
	recorded.EventIDs = make([]string, len(reading.Events))
	types := map[string]int{}
	for i, e := range reading.Events {
		recorded.EventIDs[i] = e.EventID
		if !e.Duplicate {
			types[ingest.MetricType(e.Type)]++
		}
	}
	if accepted > 0 && a.OnAccepted != nil {
		a.OnAccepted()
	}
	if accepted > 0 && a.Accepted != nil {
		a.Accepted(types)
	}
	return nil
}

// keep stores the request. One whose events are stored was received, whatever
// becomes of the note about it; one that waits for look-ups is nowhere else.
func (a *API) keep(ctx context.Context, q *call) *api.Refusal {
	err := a.Store.Sources.Keep(ctx, &q.recorded)
	switch {
	case err == nil:
		if q.recorded.State == models.RequestWaiting && a.OnWaiting != nil {
			a.OnWaiting()
		}
	case q.recorded.State != models.RequestWaiting:
		if !errors.Is(err, models.ErrNotFound) { // it was deleted meanwhile
			a.Log.WarnContext(ctx, "cannot keep a request of a source", slog.String("source", q.src.Name), slog.Any("error", err))
		}
	case errors.Is(err, models.ErrNotFound):
		return &api.Refusal{Status: http.StatusNotFound, Reason: reasonSource, Detail: "There is no source at this address."}
	case errors.Is(err, models.ErrManyWaiting):
		rej := busy()
		rej.Detail = fmt.Sprintf("%d requests of this source wait for look-ups. Send this one again later.", models.RequestsWaitingMax)
		return rej
	default:
		return a.away(ctx, "keeping the request", err)
	}
	return nil
}

// refuse answers a refused request, and keeps one that was not verified if it
// belongs to a source.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, q *call, rej *api.Refusal) {
	a.Access.Note(Name, r, models.Token{Name: q.src.Name}, rej)
	if q.recorded.Source != "" && !q.recorded.Verified && a.strangers.mayKeep(q.src.Name, a.Now()) {
		if q.recorded.Headers == nil {
			q.recorded.FromAddr, q.recorded.Headers = limit.AddressGroup(r.RemoteAddr), recorded(r.Header, q.secrets)
		}
		a.keepRefused(context.WithoutCancel(r.Context()), q, rej)
	}
	a.Access.Drain(w, r)
	rej.Write(w)
}

// keepRefused keeps a refused request, unless its sender is asked to repeat it.
func (a *API) keepRefused(ctx context.Context, q *call, rej *api.Refusal) {
	if rej.Status >= http.StatusInternalServerError {
		return
	}
	q.recorded.State, q.recorded.Reason, q.recorded.NextAt = models.RequestRefused, rej.Detail, nil
	if err := a.Store.Sources.Keep(ctx, &q.recorded); err != nil && !errors.Is(err, models.ErrNotFound) {
		a.Log.WarnContext(ctx, "cannot keep a request of a source", slog.String("source", q.src.Name), slog.Any("error", err))
	}
}

// recorded are the headers of a request as they may be kept, as JSON.
func recorded(h http.Header, secrets []string) []byte {
	list := send.RecordedHeaders(h, secrets)
	pairs := make([][2]string, len(list))
	for i, one := range list {
		pairs[i] = [2]string{one.Name, one.Value}
	}
	text, _ := json.Marshal(pairs) //nolint:errchkjson // strings
	return text
}

func (a *API) away(ctx context.Context, what string, err error) *api.Refusal {
	return a.Access.Away(ctx, what, err)
}

func unverified(detail string) *api.Refusal {
	return &api.Refusal{Status: http.StatusUnauthorized, Reason: reasonSignature, Detail: detail}
}

func invalid(reason, detail string) *api.Refusal {
	return &api.Refusal{Status: http.StatusUnprocessableEntity, Reason: reason, Detail: detail}
}

// busy asks to send again: many senders do so after a 503 and not after a 429.
func busy() *api.Refusal { return asBusy(api.Busy()) }

func asBusy(rej *api.Refusal) *api.Refusal {
	if rej.Status == http.StatusTooManyRequests {
		rej.Status = http.StatusServiceUnavailable
	}
	return rej
}
