// Package web is the code that the pages of all areas share: rendering, errors,
// sessions, access, forms, filters, and how things are put into words.
//
// It promises that every change needs a session and a request from our own
// pages. It knows no area.
package web

import (
	"errors"
	"html/template"
	"log/slog"
	"net/netip"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"

	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/handlers/passwords"
	"github.com/sitehooks/sitehooks/handlers/repeat"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/templates"
)

// Config is the configuration that all areas of the console share.
type Config struct {
	Store     *models.Store
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
	// OnChange wakes the jobs after a change that may give them work; nil: it
	// is not called.
	OnChange func()
	// SendsMail says that this installation sends e-mail.
	SendsMail bool
	Version   string
}

// Site has the shared parts of all pages: each area embeds it.
type Site struct {
	Config
	// PageWithin is how long most pages may take, LongWithin one that may change
	// all deliveries of a webhook.
	PageWithin, LongWithin time.Duration
	// OpenFormWithin is how long a form that needs no session may take to arrive.
	OpenFormWithin time.Duration
	// LogInAgain shows the login page for a request whose session has ended.
	// The page carries the fields of a form that was sent.
	LogInAgain func(c *gin.Context, carried url.Values) error
	// KnownBrowser is the account, as text that stands for it, whose owner has
	// logged in with this browser; empty: none.
	KnownBrowser func(c *gin.Context) string
	Passwords    *passwords.Checker
	Warnings     *repeat.Log

	Pages      *limit.Limiter // by member
	Queries    *limit.Limiter // of these, for those that use the database; by member
	openForms  *limit.Limiter // of strangers, by address group
	knownForms *limit.Limiter // of known browsers, by account
	Sessions   *sessionCookies
	flashes    *sessions.CookieStore
	page500    []byte                       // the 500 page, rendered at start
	entries    map[entriesKey]template.HTML // the navigation, rendered at start, by current entry
}

// NewSite renders the shared parts of all pages in advance.
func NewSite(c Config) (*Site, error) {
	if c.Store == nil || c.Templates == nil || c.BaseURL == nil || c.Log == nil {
		return nil, errors.New("handlers: Store, Templates, BaseURL and Log are required")
	}
	if len(c.CookieKeys) == 0 || len(c.CookieKeys[0]) < 32 {
		return nil, errors.New("handlers: CookieKeys need 32 bytes")
	}
	if c.OnChange == nil {
		c.OnChange = func() {}
	}
	secure := c.BaseURL.Scheme == "https"
	s := &Site{
		Config: c, PageWithin: pageWithin, LongWithin: longWithin, OpenFormWithin: openFormWithin,
		KnownBrowser: func(*gin.Context) string { return "" },
		Passwords:    passwords.New(BusyWait), Warnings: repeat.New(c.Log), Pages: newPages(), Queries: newQueries(c.Store.Connections()),
		openForms: newOpenForms(), knownForms: newOpenForms(),
		Sessions: newSessionCookies(c.Store.Sessions, secure, c.CookieKeys),
		flashes:  newFlashes(secure, c.CookieKeys),
	}
	var err error
	if s.page500, err = s.renderError(); err != nil {
		return nil, err
	}
	if s.entries, err = s.renderEntries(); err != nil {
		return nil, err
	}
	return s, nil
}

// Templates are the templates of these pages, each with the struct that it is
// rendered with.
func Templates() map[string]any {
	return map[string]any{
		"confirm": &ConfirmPage{},
		"error":   &errorPage{},
	}
}
