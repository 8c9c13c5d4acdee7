// Package handlers builds the areas of the console and the APIs from their
// dependencies. routes.go is the whole list of URLs.
//
// The areas promise that every change needs a session, a role and a request
// from our own pages, and that no saved secret leaves in a page but by Reveal.
// They do not know how things are stored, when events are dispatched, or the
// wire format of a type of webhook.
package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/account"
	"github.com/sitehooks/sitehooks/handlers/admin"
	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/api/inbound"
	"github.com/sitehooks/sitehooks/handlers/api/management"
	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/overview"
	"github.com/sitehooks/sitehooks/handlers/receivers"
	"github.com/sitehooks/sitehooks/handlers/reference"
	"github.com/sitehooks/sitehooks/handlers/reveal"
	"github.com/sitehooks/sitehooks/handlers/sources"
	"github.com/sitehooks/sitehooks/handlers/triggers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/templates"
)

// Deps are the dependencies of the handlers.
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
	// TrustedProxies are the proxies whose headers about the client's address
	// are trusted.
	TrustedProxies []netip.Prefix
	// Ingest answers POST /api/v1/events.
	Ingest gin.HandlerFunc
	// Cursors keeps the places of followers.
	Cursors *inbound.Cursors
	// Inbound receives the webhooks of other systems below /in/; nil: none are.
	Inbound *inbound.API
	// Program describes the fault of a source's jq program in a sentence; nil:
	// programs cannot be run.
	Program func(ctx context.Context, program string) error
	// IngestToken says that SITEHOOKS_INGEST_TOKEN is set.
	IngestToken bool
	// Access lets requests of the management API in; nil: there is no such API.
	Access *api.Access
	// MemoryShare is as in ingest.Deps.
	MemoryShare float64
	// Refused returns the requests that the APIs of this instance refused; nil:
	// none are known.
	Refused func() []api.Refused
	// SuperOffice answers everything below /superoffice/api/.
	SuperOffice gin.HandlerFunc
	// Static serves the files below /static/.
	Static http.Handler
	// OnChange wakes the jobs after a change that may give them work; nil: it
	// is not called.
	OnChange func()
	// Ready says why this instance cannot work now; nil error: it can.
	Ready   func(ctx context.Context) error
	Metrics http.Handler
	// LoginRefused counts a log-in that was refused; nil: it is not counted.
	LoginRefused func()
	// SendsMail says that this installation sends e-mail.
	SendsMail bool
	Version   string
	// OIDC is the provider of single sign-on, if there is one.
	OIDC account.OIDC
}

// Areas are the areas of the console, each with its pages.
type Areas struct {
	Site       *web.Site
	Account    *account.Pages
	Admin      *admin.Pages
	Deliveries *deliveries.Pages
	Overview   *overview.Pages
	Receivers  *receivers.Pages
	Reference  *reference.Pages
	Sources    *sources.Pages
	Triggers   *triggers.Pages
	Webhooks   *webhooks.Pages
	Management *management.API
	deps       Deps
}

// New returns the handler of the whole program.
func New(d Deps) (http.Handler, error) {
	a, err := Build(d)
	if err != nil {
		return nil, err
	}
	return a.Routes()
}

// Build makes the areas from their dependencies.
func Build(d Deps) (*Areas, error) {
	site, err := web.NewSite(web.Config{
		Store: d.Store, Templates: d.Templates, BaseURL: d.BaseURL, CookieKeys: d.CookieKeys, Log: d.Log,
		TrustedProxies: d.TrustedProxies, OnChange: d.OnChange, SendsMail: d.SendsMail, Version: d.Version,
	})
	if err != nil {
		return nil, err
	}
	a := &Areas{
		deps: d, Site: site, Account: account.New(site, d.OIDC, d.LoginRefused),
		Admin:      &admin.Pages{Site: site, Ready: d.Ready, Refused: d.Refused, IngestToken: d.IngestToken},
		Deliveries: deliveries.New(site),
		Overview:   &overview.Pages{Site: site},
		Triggers:   &triggers.Pages{Site: site},
	}
	if a.Receivers, err = receivers.New(site); err != nil {
		return nil, err
	}
	if a.Reference, err = reference.New(site); err != nil {
		return nil, err
	}
	secrets := &reveal.Pages{Site: site, Identity: a.Account}
	a.Sources = &sources.Pages{Site: site, Sender: d.Sender, Inbound: d.Inbound, Secrets: secrets, Program: d.Program, IngestToken: d.IngestToken}
	a.Webhooks = &webhooks.Pages{Site: site, Sender: d.Sender, Secrets: secrets}
	a.Management = management.New(management.Deps{Site: site, Triggers: a.Triggers, Access: d.Access, Sender: d.Sender, Program: d.Program, MemoryShare: d.MemoryShare})
	site.LogInAgain, site.KnownBrowser = a.Account.LogInAgain, a.Account.KnownBrowser
	return a, nil
}
