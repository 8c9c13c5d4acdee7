package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/gin-gonic/gin"
	"github.com/gorilla/securecookie"
	"golang.org/x/oauth2"

	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// OIDC names the provider of single sign-on; the zero value: none.
type OIDC struct{ Issuer, ClientID, ClientSecret string }

const (
	// OidcPath is the address at which single sign-on begins and ends.
	OidcPath = "/login/oidc"
	// OidcCookie is the name of the cookie that keeps a log-in until the provider
	// sends the browser back.
	OidcCookie = "sitehooks_oidc"

	oidcFor     = 10 * time.Minute // to log in at the provider
	oidcTimeout = 10 * time.Second // for each answer of the provider
)

// singleSignOn logs in members whom the provider has authenticated.
type singleSignOn struct {
	config    OIDC
	redirect  string
	client    *http.Client
	cookies   *securecookie.SecureCookie
	discovery *discovery
	exchanges *limit.Limiter // codes that the provider is asked about, by address group
}

func newSingleSignOn(c OIDC, base *url.URL, key []byte) *singleSignOn {
	if c.Issuer == "" {
		return nil
	}
	client := &http.Client{Timeout: oidcTimeout}
	return &singleSignOn{
		config: c, redirect: base.JoinPath(OidcPath).String(), client: client, discovery: newDiscovery(c.Issuer, client),
		cookies:   securecookie.New(key, nil).SetSerializer(securecookie.JSONEncoder{}).MaxAge(int(oidcFor.Seconds())),
		exchanges: limit.New(limit.Config{Places: 32, Share: 8, Queue: 32, Wait: web.BusyWait}),
	}
}

// oidcBegun is the signed state that the browser keeps during a log-in at the
// provider.
type oidcBegun struct {
	State, Nonce, Verifier, Next string
	Confirm                      bool // it confirms the identity of a logged-in member
}

func (o *singleSignOn) oauth(p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: o.config.ClientID, ClientSecret: o.config.ClientSecret, Endpoint: p.Endpoint(),
		RedirectURL: o.redirect, Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}
}

// identity gets the authenticated identity from the provider.
func (o *singleSignOn) identity(ctx context.Context, begun oidcBegun, code string) (identity, error) {
	p, err := o.discovery.provider(ctx)
	if err != nil {
		return identity{}, &oidcError{http.StatusBadGateway, providerUnavailable, err}
	}
	ctx = oidc.ClientContext(ctx, o.client)
	token, err := o.oauth(p).Exchange(ctx, code, oauth2.VerifierOption(begun.Verifier))
	if err != nil {
		return identity{}, &oidcError{http.StatusBadGateway, "The provider did not confirm this log-in. Try again.", bareAnswer(err)}
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.Verifier(&oidc.Config{ClientID: o.config.ClientID}).Verify(ctx, raw)
	if err == nil && subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(begun.Nonce)) != 1 {
		err = errors.New("the nonce is another")
	}
	var claimed claims
	if err == nil {
		claimed, err = readClaims(id, o.config.ClientID)
	}
	if err != nil {
		return identity{}, &oidcError{http.StatusForbidden, "The provider's answer could not be verified, so you were not logged in. Try again.", err}
	}
	return claimed.identity()
}

// bareAnswer leaves out the provider's text: it was sent our secret, and may
// repeat it.
func bareAnswer(err error) error {
	if answered, is := errors.AsType[*oauth2.RetrieveError](err); is {
		return fmt.Errorf("the provider answered %s to the code", answered.Response.Status)
	}
	return err
}

const providerUnavailable = "The single sign-on provider does not answer. Try again in a moment, or log in with your password."

// oidcError is a refused log-in, with a message for the member and one for the
// log.
type oidcError struct {
	Status int
	Text   string
	Cause  error
}

// Error is the cause, for the log.
func (e *oidcError) Error() string { return fmt.Sprintf("single sign-on: %v", e.Cause) }

// Unwrap returns the cause.
func (e *oidcError) Unwrap() error { return e.Cause }

// Oidc begins a log-in at the provider, and ends it when the provider sends
// the browser back.
func (s *Pages) Oidc(c *gin.Context) error {
	if s.signOn == nil {
		return web.NotFound("There is no page at this address.")
	}
	answer := c.Request.URL.Query()
	if answer.Get("code") == "" && answer.Get("error") == "" && answer.Get("state") == "" {
		return s.oidcBegin(c, c.Query("next"), c.Query("confirm") != "")
	}
	begun, err := s.oidcBegun(c, answer.Get("state"))
	if err != nil {
		return s.oidcRefuse(c, "", err)
	}
	if what := answer.Get("error"); what != "" {
		err = &oidcError{http.StatusForbidden, "The provider refused: " + wording.Cut(web.OrNone(answer.Get("error_description"), what), 300), errors.New(wording.Cut(what, 100))}
		return s.oidcRefuse(c, begun.Next, err)
	}
	ctx := c.Request.Context()
	who, err := s.identity(c, begun, answer.Get("code"))
	if err != nil {
		return s.oidcRefuse(c, begun.Next, err)
	}
	email := who.Email
	user, err := s.Store.Users.ByEmail(ctx, email)
	if errors.Is(err, models.ErrNotFound) {
		err = &oidcError{http.StatusForbidden, wording.Cut(email, 254) + " is not on the list of members. An administrator can add you.", errors.New("not a member")}
		return s.oidcRefuse(c, begun.Next, err)
	}
	if err != nil {
		return err
	}
	if user.DisabledAt != nil {
		err = &oidcError{http.StatusForbidden, wording.Cut(email, 254) + " is disabled here. An administrator can enable you again.", errors.New("disabled")}
		return s.oidcRefuse(c, begun.Next, err)
	}
	if begun.Confirm {
		return s.oidcConfirmed(c, begun, user, who.At)
	}
	if user.MustChangePassword {
		// A member who logs in through the provider needs no one-time password,
		// so an unused one is removed.
		if err = s.Store.Users.SetPassword(ctx, user.ID, ""); err != nil {
			return err
		}
	}
	if err = s.loggedIn(c, user, "login.oidc", "as "+wording.Cut(email, 254)); err != nil {
		return err
	}
	return s.Redirect(c, web.LocalPath(begun.Next))
}

// identity asks the provider in a place that is shared among address groups: a
// code may be made up.
func (s *Pages) identity(c *gin.Context, begun oidcBegun, code string) (identity, error) {
	place, err := s.signOn.exchanges.Acquire(c.Request.Context(), limit.AddressGroup(c.ClientIP()))
	if err != nil {
		return identity{}, web.Busy(err)
	}
	defer place.Release()
	who, err := s.signOn.identity(place.Context(), begun, code)
	if errors.Is(context.Cause(place.Context()), limit.ErrYield) {
		err = web.ErrBusy()
	}
	return who, err
}

func (s *Pages) oidcBegin(c *gin.Context, next string, confirm bool) error {
	p, err := s.signOn.discovery.provider(c.Request.Context())
	if err != nil {
		return s.oidcRefuse(c, next, &oidcError{http.StatusBadGateway, providerUnavailable, err})
	}
	begun := oidcBegun{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: wording.Cut(web.LocalPath(next), web.FlashLimit), Confirm: confirm}
	value, err := s.signOn.cookies.Encode(OidcCookie, begun)
	if err != nil {
		return err
	}
	s.SetCookie(c, OidcCookie, value, oidcFor)
	options := []oauth2.AuthCodeOption{oidc.Nonce(begun.Nonce), oauth2.S256ChallengeOption(begun.Verifier)}
	if confirm { // the provider asks for a new proof, and says when it was
		options = append(options, oauth2.SetAuthURLParam("max_age", "0"))
	}
	return s.Redirect(c, s.signOn.oauth(p).AuthCodeURL(begun.State, options...))
}

// oidcBegun returns the log-in that this browser began, once. An answer that
// this browser did not ask for is refused.
func (s *Pages) oidcBegun(c *gin.Context, state string) (begun oidcBegun, err error) {
	cookie, err := c.Request.Cookie(OidcCookie)
	if err == nil {
		s.SetCookie(c, OidcCookie, "", -1)
		err = s.signOn.cookies.Decode(OidcCookie, cookie.Value, &begun)
	}
	if err == nil && subtle.ConstantTimeCompare([]byte(begun.State), []byte(state)) != 1 {
		err = errors.New("the state is another")
	}
	if err != nil {
		return oidcBegun{}, &oidcError{http.StatusBadRequest, "This login was started too long ago or in another browser. Try again.", err}
	}
	return begun, nil
}

// oidcRefuse shows the log-in page with the reason.
func (s *Pages) oidcRefuse(c *gin.Context, next string, err error) error {
	var refused *oidcError
	if !errors.As(err, &refused) {
		return err
	}
	s.loginRefused("single sign-on", "from", limit.AddressGroup(c.ClientIP()), "error", err)
	return s.showLogin(c, refused.Status, &loginPage{Next: next, Fault: refused.Text})
}

// signOnPath is where the log-in page's button leads; empty: there is none.
func (s *Pages) signOnPath(next string) string {
	switch {
	case s.signOn == nil:
		return ""
	case next == "":
		return OidcPath
	default:
		return OidcPath + "?next=" + url.QueryEscape(next)
	}
}
