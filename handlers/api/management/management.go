// Package management is the API by which programs do what administrators do in
// the console: webhooks, deliveries, events, sources, settings and locations.
//
// It promises that a token sees and changes only its location, that a token with
// the scope read sees what a viewer sees, and that no saved secret leaves. What
// a valid webhook is stands in handlers/definition. Table lists all operations:
// the addresses, the API's description and the tests are made of it.
package management

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/triggers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// Prefix is the beginning of all addresses.
const Prefix = "/api/v1"

const (
	// Requests in work at once, some of which wait for a receiver to answer a
	// test, and the bytes of their bodies and answers together.
	placesInAll = 64
	bytesInAll  = 32 << 20
)

// Deps are the dependencies of the API.
type Deps struct {
	Site     *web.Site
	Triggers *triggers.Pages // explains matches
	Access   *api.Access
	Sender   definition.Sender
	// Program is as in definition.SourceChecker.
	Program func(ctx context.Context, program string) error
	// MemoryShare is as in ingest.Deps.
	MemoryShare float64
}

// API is the management API.
type API struct {
	Deps
	store  *models.Store
	places api.Places
}

// New returns the API.
func New(d Deps) *API {
	return &API{Deps: d, store: d.Site.Store, places: api.NewPlaces(placesInAll, bytesInAll, d.MemoryShare)}
}

// Handler answers the requests for an operation.
func (a *API) Handler(route Route) gin.HandlerFunc {
	return func(g *gin.Context) {
		w, r := g.Writer, g.Request
		w.Header().Set("Cache-Control", "no-store")
		c := &call{api: a, route: route, request: r, param: g.Param}
		err := a.answer(w, c)
		if err == nil {
			return
		}
		rej := a.refusal(c, err)
		a.Access.Note(api.NameManagement, r, c.token, rej)
		a.Access.Drain(w, r)
		if rej.Status == http.StatusUnsupportedMediaType {
			w.Header().Set("Accept", api.TypeJSON)
		}
		rej.Write(w)
	}
}

// answer carries out a request and sends the answer, or returns the error. The
// request's place is given back when it returns.
func (a *API) answer(w http.ResponseWriter, c *call) error {
	token, rej := a.Access.Authorize(c.request, c.route.Scope, c.route.Purpose)
	c.token = token
	if rej != nil {
		return refused{rej}
	}
	q, rej := a.places.Enter(c.request.Context(), api.Flow(token))
	if rej != nil {
		return refused{rej}
	}
	defer q.Release()
	c.ctx = q.Context()
	if c.route.Query == nil { // dry_run=true would be a change where there is no dry run
		if err := c.query(&struct{}{}); err != nil {
			return err
		}
	}
	if c.route.Body != nil {
		if err := c.read(w, q); err != nil {
			return err
		}
	}
	result, err := c.route.do(a, c)
	if err == nil {
		err = result.send(w, q)
	}
	if err != nil && q.Yielded() {
		return refused{api.Busy()}
	}
	return err
}

// by is the author of a call's changes.
func (c *call) by() models.Actor { return api.AuthorOf(c.token, c.request) }

// rules are those of all webhooks, for one request. Once a change is stored, the
// rest of it is done and the client hears of it.
func (a *API) rules(c *call) *definition.Checker {
	return &definition.Checker{
		Webhooks: a.store.Webhooks, Sender: a.Sender, Places: &places{web.NewDirectory(a.store.Locations, c.token.Within()), c.token}, Settings: a.store.Settings.Get,
		Now: time.Now, Finish: true, Register: a.store.Locations.Register,
	}
}
