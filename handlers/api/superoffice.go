package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// The SuperOffice REST API and its RPC twin: the files superoffice*.go. They
// are the one place outside jobs/wire that names a type, because the API is
// that vendor's own.

const (
	superOfficeType   = "superoffice"
	superOfficePrefix = "/superoffice/api/v1/"

	// maxSuperOffice is how many requests may be in work at once. Many of them
	// wait for a receiver to answer a test.
	maxSuperOffice = 64
)

// SuperOfficeDeps is what the SuperOffice API needs from the rest of the
// program.
type SuperOfficeDeps struct {
	Store *models.Store
	// Sender sends the test event before a webhook is saved.
	Sender *send.Client
	// IngestToken is known here to say that it is for something else; empty:
	// none.
	IngestToken string
	// OnChange is called after a webhook was saved, resumed or deleted; nil:
	// nobody.
	OnChange func()
	// OnAccepted and Accepted are told of signalled events as in EventsDeps.
	OnAccepted func()
	Accepted   func(types map[string]int)
	Log        *slog.Logger     // nil: the default one
	Now        func() time.Time // nil: the real clock
}

// SuperOffice is the SuperOffice REST API with its RPC twin.
type SuperOffice struct {
	SuperOfficeDeps
	format   *wire.Format
	ownToken tokenHash
	inWork   chan struct{}
}

// NewSuperOffice returns the API. It is an http.Handler for everything below
// /superoffice/api/v1/, whatever the method.
func NewSuperOffice(d SuperOfficeDeps) *SuperOffice {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.OnChange == nil {
		d.OnChange = func() {}
	}
	format, ok := wire.Lookup(superOfficeType)
	if !ok {
		panic("api: the type " + superOfficeType + " is not there") // a mistake in the program
	}
	return &SuperOffice{
		SuperOfficeDeps: d, format: format, ownToken: hashToken(d.IngestToken),
		inWork: make(chan struct{}, maxSuperOffice),
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

// operation does what a request asks for. An error that is no *failure is the
// system's, apart from those of models that fail knows.
type operation func(ctx context.Context, c *call) (answer, error)

// ServeHTTP takes one request.
func (s *SuperOffice) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	readUntil(w, time.Now().Add(maxWait))
	w.Header().Set("Cache-Control", "no-store")
	select {
	case s.inWork <- struct{}{}:
		defer func() { <-s.inWork }()
	default:
		busy := failure{status: http.StatusTooManyRequests, message: "Too many requests are in work. Send this one again later.", retryAfter: 1}
		busy.write(w)
		return
	}
	a, err := s.answer(w, r)
	if err != nil {
		drain(w, r)
		s.fail(r.Context(), err).write(w)
		return
	}
	a.write(w)
}

// answer finds out who asks, for what, and does it.
func (s *SuperOffice) answer(w http.ResponseWriter, r *http.Request) (answer, error) {
	token, err := s.authorize(r)
	if err != nil {
		return answer{}, err
	}
	c := &call{request: r, token: token, body: []byte("null")}
	do, err := s.find(c)
	if err != nil {
		return answer{}, err
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if err := c.read(w); err != nil {
			return answer{}, err
		}
	}
	return do(r.Context(), c)
}

// authorize finds out who asks, and whether they may manage webhooks.
func (s *SuperOffice) authorize(r *http.Request) (models.Token, error) {
	plain, no := bearer(r)
	if no != nil {
		return models.Token{}, &failure{status: no.status, message: no.detail, challenge: no.challenge}
	}
	token, err := models.Token{Scope: models.ScopeIngest}, error(nil)
	if s.IngestToken == "" || !hashToken(plain).equal(s.ownToken) {
		token, err = s.Store.Tokens.Authenticate(r.Context(), plain)
	}
	switch {
	case errors.Is(err, models.ErrUnauthorized):
		return token, &failure{
			status: http.StatusUnauthorized, message: "The token is unknown or was revoked.",
			challenge: challenge + `, error="invalid_token"`,
		}
	case err != nil:
		return token, err
	case token.Scope != models.ScopeSuperOffice:
		return token, &failure{
			status:    http.StatusForbidden,
			message:   "The token has the scope " + token.Scope + "; managing webhooks needs the scope " + models.ScopeSuperOffice + ".",
			challenge: challenge + `, error="insufficient_scope", scope="` + models.ScopeSuperOffice + `"`,
		}
	}
	return token, nil
}

// place is the location to which belongs what a call makes.
func (c *call) place() string {
	if c.token.Location == "" {
		return models.MainLocation
	}
	return c.token.Location
}

// by is the author of what a call changes. The audit log has the token beside
// the address.
func (c *call) by() models.Actor {
	host, _, err := net.SplitHostPort(c.request.RemoteAddr)
	if err != nil {
		host = c.request.RemoteAddr
	}
	by := c.token.Actor()
	by.From = host + " with the token " + c.token.Name
	return by
}

// parts splits the path below the prefix, whose case does not matter: the
// vendor's server does not look at it either.
func parts(path string) []string {
	if len(path) < len(superOfficePrefix) || !strings.EqualFold(path[:len(superOfficePrefix)], superOfficePrefix) {
		return nil
	}
	return strings.Split(strings.TrimSuffix(path[len(superOfficePrefix):], "/"), "/")
}
