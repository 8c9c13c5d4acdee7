// Package handlers turns requests into questions to models and answers into
// pages. routes.go is the whole list of URLs.
//
// It promises that every change needs a session, a role and a request from our
// own pages, and that no saved secret ever leaves in a page. It does not know
// how things are stored, when events are dispatched, or what a type of webhook
// puts on the wire.
package handlers

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/gorilla/securecookie"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/handlers/repeat"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/templates"
)

// Deps is what the handlers need from the rest of the program.
type Deps struct {
	Store     *models.Store
	Sender    *send.Client
	Templates *templates.Set
	// BaseURL is how browsers reach the console.
	BaseURL *url.URL
	// CookieKeys sign cookies, the first new ones, all old ones: 32 bytes
	// or more, equal on all instances, derived from the secret key.
	CookieKeys [][]byte
	Log        *slog.Logger
	// TrustedProxies are believed in what they say about the client's address.
	TrustedProxies []netip.Prefix
	// Ingest answers POST /api/v1/events.
	Ingest http.Handler
	// IngestToken says that SITEHOOKS_INGEST_TOKEN is set.
	IngestToken bool
	// Refused tells what the APIs of this instance refused; nil: nobody does.
	Refused func() []api.Refused
	// SuperOffice answers everything below /superoffice/api/.
	SuperOffice http.Handler
	// Static serves the files below /static/.
	Static http.Handler
	// OnChange wakes the jobs after a change that may give them work; nil: nobody.
	OnChange func()
	// Ready says why this instance cannot work now; nil error: it can.
	Ready   func(ctx context.Context) error
	Metrics http.Handler
	// LoginRefused counts a log-in that was refused; nil: nobody counts.
	LoginRefused func()
	Version      string
	// OIDC is the provider of single sign-on, if there is one.
	OIDC OIDC
}

// Site answers the requests of the console.
type Site struct {
	Deps
	showWithin     time.Duration // for a page that changes nothing
	changeWithin   time.Duration // for one that changes something
	passwords      *passwords
	exports        exports
	pages          *limit.Limiter // by member
	openForms      *limit.Limiter // by address group
	openFormWithin time.Duration
	refusals       *refusals
	devices        []securecookie.Codec
	warnings       *repeat.Log
	sessions       *sessionCookies
	flashes        *securecookie.SecureCookie
	signOn         *singleSignOn            // nil: there is none
	oops           []byte                   // the 500 page, rendered at start
	entries        map[string]template.HTML // the navigation, rendered at start, by what is current
}

// New returns the handler of the whole program.
func New(d Deps) (http.Handler, error) {
	s, err := newSite(d)
	if err != nil {
		return nil, err
	}
	return s.routes()
}

func newSite(d Deps) (*Site, error) {
	if d.Store == nil || d.Templates == nil || d.BaseURL == nil || d.Log == nil {
		return nil, errors.New("handlers: Store, Templates, BaseURL and Log are required")
	}
	if len(d.CookieKeys) == 0 || len(d.CookieKeys[0]) < 32 {
		return nil, errors.New("handlers: CookieKeys need 32 bytes")
	}
	if d.OnChange == nil {
		d.OnChange = func() {}
	}
	if d.LoginRefused == nil {
		d.LoginRefused = func() {}
	}
	secure := d.BaseURL.Scheme == "https"
	s := &Site{
		Deps: d, showWithin: showWithin, changeWithin: changeWithin,
		sessions:       newSessionCookies(d.Store.Sessions, secure, d.CookieKeys),
		flashes:        securecookie.New(d.CookieKeys[0], nil).SetSerializer(securecookie.JSONEncoder{}).MaxAge(int(flashFor.Seconds())),
		openFormWithin: openFormWithin,
		signOn:         newSingleSignOn(d.OIDC, d.BaseURL, d.CookieKeys[0]),
	}
	var err error
	s.exports = newExports()
	s.passwords, s.refusals, s.devices = newPasswords(), newRefusals(), deviceCodecs(d.CookieKeys)
	s.pages, s.openForms, s.warnings = newPages(), newOpenForms(), repeat.New(d.Log)
	if s.oops, err = s.renderOops(); err != nil {
		return nil, err
	}
	if s.entries, err = s.renderEntries(); err != nil {
		return nil, err
	}
	return s, nil
}

// Funcs are the functions that templates may call; asset returns the URL of a
// file of the static folder.
func Funcs(asset func(name string) string) template.FuncMap {
	return pageFuncs(asset)
}
