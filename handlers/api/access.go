// Package api is the code that the APIs share: bearer tokens, bodies with a
// minimum speed, places shared among tokens, JSON with the places of its
// faults, and answers as problem details (RFC 9457). It ignores cookies.
package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/handlers/repeat"
	"github.com/sitehooks/sitehooks/models"
)

// challenge is the beginning of the WWW-Authenticate header.
const challenge = `Bearer realm="sitehooks"`

const (
	// StrangersAtOnce is how many tokens that this process does not know yet
	// are looked up in the database at once, and strangersWaiting how many more
	// wait. A look-up takes less than a millisecond, so this bounds the cost of
	// a flood of false tokens without delaying the first request of a right
	// one.
	StrangersAtOnce  = 4
	strangersWaiting = 256
	// lookupWait is how long a request waits for its token to be looked up.
	lookupWait = 5 * time.Second

	// Refused bodies that are read to their end at once, for an address group
	// and in all.
	drainsOfGroup = 8
	drainsInAll   = 64
)

// Authenticator knows the stored tokens.
type Authenticator interface {
	// Authenticate finds a token that is not revoked, or returns
	// models.ErrUnauthorized.
	Authenticate(ctx context.Context, plaintext string) (models.Token, error)
	// ConfiguredUsed notes that AccessDeps.IngestToken was used.
	ConfiguredUsed(ctx context.Context) error
}

// AccessDeps are the dependencies of Access.
type AccessDeps struct {
	Tokens Authenticator
	// IngestToken works beside the stored tokens, with the scope ingest and for
	// all locations; empty: none.
	IngestToken string
	// Refused is called for each request that an API refused, for metrics; nil:
	// it is not.
	Refused func(api, reason string)
	Log     *slog.Logger     // nil: the default one
	Now     func() time.Time // nil: the real clock
}

// Access decides which requests the APIs let in. Its instance is shared by all
// of them. It promises that requests without a valid token cannot keep out
// those that have one, and that a token is refused within a second of its
// revocation.
type Access struct {
	AccessDeps
	ownToken tokenHash
	ownNoted atomic.Int64 // when the use of ownToken was noted, in seconds since 1970
	// known are tokens that were valid when this process last looked. They are
	// looked up again for each request, but do not wait for unknown ones.
	mu        sync.Mutex
	known     map[tokenHash]struct{}
	lookups   singleflight.Group // by hash: one token takes one connection
	strangers *limit.Limiter     // of look-ups of unknown tokens, by address group
	Drains    *limit.Limiter     // of refused bodies, by address group
	refusals  refusals
}

// NewAccess returns the Access of this process.
func NewAccess(d AccessDeps) *Access {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Access{
		AccessDeps: d, ownToken: hashToken(d.IngestToken), known: map[tokenHash]struct{}{},
		strangers: limit.New(limit.Config{Places: StrangersAtOnce, Queue: strangersWaiting, Wait: lookupWait}),
		Drains:    limit.New(limit.Config{Places: drainsInAll, PerFlow: drainsOfGroup}),
		refusals:  refusals{log: repeat.New(d.Log), all: map[[2]string]*Refused{}},
	}
}

// tokenHash lets tokens be compared in a time that tells nothing, not even
// their length.
type tokenHash [sha256.Size]byte

func hashToken(plain string) tokenHash { return sha256.Sum256([]byte(plain)) }

func (h tokenHash) equal(other tokenHash) bool {
	return subtle.ConstantTimeCompare(h[:], other[:]) == 1
}

// Authorize returns the token of a request, which must have a scope. Purpose
// names the use of that scope.
func (a *Access) Authorize(r *http.Request, scope, purpose string) (models.Token, *Refusal) {
	plain, rej := bearer(r)
	if rej != nil {
		return models.Token{}, rej
	}
	token, err := a.find(r.Context(), plain, limit.AddressGroup(r.RemoteAddr))
	switch {
	case errors.Is(err, models.ErrUnauthorized):
		return models.Token{}, &Refusal{
			Status: http.StatusUnauthorized, Reason: reasonUnknownToken, Detail: "The token is unknown or was revoked.",
			Challenge: challenge + `, error="invalid_token"`,
		}
	case errors.Is(err, limit.ErrBusy):
		return models.Token{}, Busy()
	case err != nil:
		return models.Token{}, a.Away(r.Context(), "looking up the token", err)
	case !token.Allows(scope):
		return models.Token{}, &Refusal{
			Status:    http.StatusForbidden,
			Reason:    reasonScope,
			Detail:    fmt.Sprintf("The token has the scope %s; %s needs the scope %s.", token.Scope, purpose, scope),
			Challenge: challenge + `, error="insufficient_scope", scope="` + scope + `"`,
		}
	}
	return token, nil
}

// Flow is the name under which the requests of a token share places.
func Flow(t models.Token) string { return strconv.FormatInt(t.ID, 10) }

// find returns the token with a plain text, or models.ErrUnauthorized. The
// configured one has no number.
func (a *Access) find(ctx context.Context, plain, group string) (models.Token, error) {
	hash := hashToken(plain)
	if a.IngestToken != "" && hash.equal(a.ownToken) {
		a.noteOwn(ctx)
		return models.Token{Scope: models.ScopeIngest}, nil
	}
	if !a.isKnown(hash) {
		place, err := a.strangers.Acquire(ctx, group)
		if err != nil {
			return models.Token{}, err
		}
		defer place.Release()
	}
	// Concurrent requests with the same token share a look-up. Its context is
	// independent of theirs, so that none of them cancels it for the others.
	found, err, _ := a.lookups.Do(string(hash[:]), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupWait)
		defer cancel()
		token, err := a.Tokens.Authenticate(ctx, plain)
		a.remember(hash, err)
		return token, err
	})
	token, _ := found.(models.Token)
	return token, err
}

// noteOwn notes once a minute that the configured token is in use. It works
// without the database too.
func (a *Access) noteOwn(ctx context.Context) {
	now, noted := a.Now().Unix(), a.ownNoted.Load()
	if now-noted < 60 || !a.ownNoted.CompareAndSwap(noted, now) {
		return
	}
	if err := a.Tokens.ConfiguredUsed(ctx); err != nil && ctx.Err() == nil {
		a.Log.WarnContext(ctx, "cannot record the use of SITEHOOKS_INGEST_TOKEN", slog.Any("error", err))
	}
}

// Known returns how many tokens were valid when they were last looked up.
func (a *Access) Known() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.known)
}

func (a *Access) isKnown(hash tokenHash) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, known := a.known[hash]
	return known
}

// remember stores the result of a look-up.
func (a *Access) remember(hash tokenHash, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err == nil:
		a.known[hash] = struct{}{}
	case errors.Is(err, models.ErrUnauthorized):
		delete(a.known, hash)
	}
}

// bearer returns the token of a request's one Authorization header.
func bearer(r *http.Request) (string, *Refusal) {
	values := r.Header.Values("Authorization")
	if len(values) == 1 {
		scheme, token, _ := strings.Cut(values[0], " ")
		if token = strings.TrimSpace(token); strings.EqualFold(scheme, "Bearer") && token != "" {
			return token, nil
		}
	}
	return "", &Refusal{
		Status: http.StatusUnauthorized, Reason: reasonNoToken, Challenge: challenge,
		Detail: "A bearer token is needed: Authorization: Bearer <token>.",
	}
}

// Away is the answer when something could not be stored or read. Sending again
// is safe by the events' ids. A sender that has gone is no fault of the
// database.
func (a *Access) Away(ctx context.Context, what string, err error) *Refusal {
	if ctx.Err() == nil {
		a.Log.ErrorContext(ctx, "request not finished", slog.String("while", what), slog.Any("error", err))
	}
	rej := &Refusal{Status: http.StatusServiceUnavailable, Detail: WhyAway(err), RetryAfter: 5}
	if errors.Is(err, models.ErrLocked) {
		rej.RetryAfter = 2
	}
	return rej
}

// WhyAway says why a request could not be finished.
func WhyAway(err error) string {
	why := cmp.Or(models.Unable(err), "the database failed")
	if errors.Is(err, models.ErrLocked) {
		why = "another request is storing an event with the same id"
	}
	return "This request could not be completed: " + why + ". Send it again later."
}

// Busy asks to come back.
func Busy() *Refusal {
	return &Refusal{
		Status: http.StatusTooManyRequests, Reason: reasonBusy, RetryAfter: 1,
		Detail: "Too many requests are being processed. Send this one again later.",
	}
}

// AuthorOf is the author of the changes that a request with this token makes. The
// audit log has the token's name beside the address.
func AuthorOf(token models.Token, r *http.Request) models.Actor {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	by := token.Actor()
	by.From = host + " with the token " + token.Name
	return by
}
