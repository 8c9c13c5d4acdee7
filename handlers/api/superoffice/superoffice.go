// Package superoffice is the API by which programs manage webhooks as they do
// with SuperOffice's own: the REST API and its RPC twin. It is the one place
// outside jobs/wire that names a type, because the API is that vendor's own.
package superoffice

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

const (
	typeName = "superoffice"
	prefix   = "/superoffice/api/v1/"

	// Requests in work at once, many of which wait for a receiver to answer a
	// test, and the bytes of their bodies together.
	placesInAll = 64
	bytesInAll  = 32 << 20
)

// Deps are the dependencies of the SuperOffice API.
type Deps struct {
	Store *models.Store
	// Sender sends the test event before a webhook is saved.
	Sender definition.Sender
	Access *api.Access
	// OnChange is called after a webhook was saved, resumed or deleted; nil: it
	// is not called.
	OnChange func()
	// OnAccepted and Accepted are called for signalled events, as in
	// ingest.Deps.
	OnAccepted func()
	Accepted   func(types map[string]int)
	// MemoryShare is as in ingest.Deps.
	MemoryShare float64
	Log         *slog.Logger     // nil: the default one
	Now         func() time.Time // nil: the real clock
}

// API is the SuperOffice REST API with its RPC twin.
type API struct {
	Deps
	format *wire.Format
	rules  definition.Checker
	places api.Places
}

// New returns the API.
func New(d Deps) *API {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.OnChange == nil {
		d.OnChange = func() {}
	}
	format, ok := wire.Lookup(typeName)
	if !ok {
		panic("api: the type " + typeName + " is not there") // a mistake in the program
	}
	return &API{
		Deps: d, format: format, rules: newRules(d), places: api.NewPlaces(placesInAll, bytesInAll, d.MemoryShare),
	}
}

// call is one request on its way to an operation.
type call struct {
	request *http.Request
	token   models.Token
	patch   patchKind
	body    []byte // one valid JSON value, compact; null when there was none
	// The parts of the path, as they came.
	id, event, key string
}

// operation carries out a request. An error that is not a *failure is the
// system's, except for the errors of models that fail knows.
type operation func(ctx context.Context, c *call) (answer, error)

// Handle answers a request of any method to a path below /superoffice/api/v1/.
func (s *API) Handle(c *gin.Context) {
	w, r := c.Writer, c.Request
	w.Header().Set("Cache-Control", "no-store")
	token, rej := s.Access.Authorize(r, models.ScopeSuperOffice, "managing webhooks")
	err := failureOf(rej)
	if rej == nil {
		err = s.answer(w, r, token)
	}
	if err != nil {
		f := s.fail(r.Context(), err)
		s.Access.Note(api.NameSuperOffice, r, token, &api.Refusal{Reason: f.reason, Detail: f.text()})
		s.Access.Drain(w, r)
		f.write(w)
	}
}

// answer carries out a request and sends the answer, or returns the error. The
// request's place is given back when it returns.
func (s *API) answer(w http.ResponseWriter, r *http.Request, token models.Token) error {
	c := &call{request: r, token: token, body: []byte("null")}
	do, err := s.find(c)
	if err != nil {
		return err
	}
	q, rej := s.places.Enter(r.Context(), api.Flow(token))
	if rej != nil {
		return failureOf(rej)
	}
	defer q.Release()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if err := c.read(w, q); err != nil {
			return err
		}
	}
	a, err := do(q.Context(), c)
	if err == nil {
		err = sendAnswer(q, w, a)
	}
	if err != nil && q.Yielded() {
		return failureOf(api.Busy())
	}
	return err
}

// failureOf is a refusal in the words of this API; nil stays nil.
func failureOf(r *api.Refusal) error {
	if r == nil {
		return nil
	}
	return &failure{status: r.Status, reason: r.Reason, message: r.Detail, challenge: r.Challenge, retryAfter: r.RetryAfter}
}

// place is the location of the webhooks that a call creates.
func (c *call) place() string { return c.token.Within().Default() }

// by is the author of a call's changes.
func (c *call) by() models.Actor { return api.AuthorOf(c.token, c.request) }

// parts splits the path below the prefix, whose case does not matter: the
// vendor's server does not look at it either.
func parts(path string) []string {
	if len(path) < len(prefix) || !strings.EqualFold(path[:len(prefix)], prefix) {
		return nil
	}
	return strings.Split(strings.TrimSuffix(path[len(prefix):], "/"), "/")
}
