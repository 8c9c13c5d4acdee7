package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sitehooks/sitehooks/models"
)

// realm of the WWW-Authenticate header.
const challenge = `Bearer realm="sitehooks"`

// tokenHash lets tokens be compared in a time that tells nothing, not even
// their length.
type tokenHash [sha256.Size]byte

func hashToken(plain string) tokenHash { return sha256.Sum256([]byte(plain)) }

func (h tokenHash) equal(other tokenHash) bool {
	return subtle.ConstantTimeCompare(h[:], other[:]) == 1
}

// authorize finds out who sends, and whether they may send events at all.
func (e *Events) authorize(r *http.Request) (models.Token, *refusal) {
	plain, no := bearer(r)
	if no != nil {
		return models.Token{}, no
	}
	if e.IngestToken != "" && hashToken(plain).equal(e.ownToken) {
		return models.Token{Scope: models.ScopeIngest}, nil
	}
	token, err := e.Tokens.Authenticate(r.Context(), plain)
	switch {
	case errors.Is(err, models.ErrUnauthorized):
		return models.Token{}, &refusal{
			status: http.StatusUnauthorized, detail: "The token is unknown or was revoked.",
			challenge: challenge + `, error="invalid_token"`,
		}
	case err != nil:
		return models.Token{}, e.away(r.Context(), "token not looked up", err)
	case token.Scope != models.ScopeIngest:
		return models.Token{}, &refusal{
			status:    http.StatusForbidden,
			detail:    fmt.Sprintf("The token has the scope %s; sending events needs the scope %s.", token.Scope, models.ScopeIngest),
			challenge: challenge + `, error="insufficient_scope", scope="` + models.ScopeIngest + `"`,
		}
	}
	return token, nil
}

// bearer returns the token of a request's one Authorization header.
func bearer(r *http.Request) (string, *refusal) {
	values := r.Header.Values("Authorization")
	if len(values) == 1 {
		scheme, token, _ := strings.Cut(values[0], " ")
		if token = strings.TrimSpace(token); strings.EqualFold(scheme, "Bearer") && token != "" {
			return token, nil
		}
	}
	return "", &refusal{
		status: http.StatusUnauthorized, challenge: challenge,
		detail: "A bearer token is needed: Authorization: Bearer <token>.",
	}
}

// onlyLocation refuses events of locations that a token is not for; empty: it
// is for all.
func onlyLocation(location string, events []models.NewEvent) *refusal {
	if location == "" {
		return nil
	}
	var errs faults
	for i := range events {
		if events[i].Location != location {
			errs.add(i, "location", "is %s, but the token is for %s only", events[i].Location, location)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return &refusal{
		status: http.StatusForbidden, errs: errs,
		detail: fmt.Sprintf("The token is for the location %s only. Nothing of this request was stored.", location),
	}
}

// unknownLocations refuses events of locations that cannot be registered.
func unknownLocations(slugs map[string]bool, events []models.NewEvent) *refusal {
	var errs faults
	for i := range events {
		if slugs[events[i].Location] {
			errs.add(i, "location", "is not registered: %s", events[i].Location)
		}
	}
	return &refusal{
		status: http.StatusForbidden, errs: errs,
		detail: fmt.Sprintf("The location is unknown, and %d locations are registered, the most that events may register. "+
			"An administrator can add it, or remove empty ones. Nothing of this request was stored.", models.MaxLocations),
	}
}
