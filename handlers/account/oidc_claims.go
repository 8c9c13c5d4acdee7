package account

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sitehooks/sitehooks/handlers/wording"
)

// identity is a user whom the provider has authenticated.
type identity struct {
	Email string    // verified, as the provider writes it
	At    time.Time // time of the last authentication at the provider; 1970: unknown
}

// claims are the values of an ID token, by their exact names, each present
// once.
type claims struct {
	Issuer          string         `json:"iss"`
	Audience        jsontext.Value `json:"aud"` // a text or a list of them
	Expiry          float64        `json:"exp"`
	Nonce           string         `json:"nonce"`
	AuthorizedParty *string        `json:"azp"`
	Email           string         `json:"email"`
	Verified        jsontext.Value `json:"email_verified"` // some providers write "true"
	AuthTime        jsontext.Value `json:"auth_time"`      // seconds; it matters only where it is asked for
}

// readClaims reads a token that was verified. The package that verified it
// ignores the case of names and takes the last of two, so readClaims checks
// that both read the same values.
func readClaims(id *oidc.IDToken, clientID string) (c claims, err error) {
	var text jsontext.Value
	if err = id.Claims(&text); err != nil {
		return c, err
	}
	if err = json.Unmarshal(text, &c); err != nil { // refuses names that come twice
		return c, err
	}
	var audience []string
	if c.Audience.Kind() == '"' {
		audience = make([]string, 1)
		err = json.Unmarshal(c.Audience, &audience[0])
	} else {
		err = json.Unmarshal(c.Audience, &audience)
	}
	if err != nil {
		return c, err
	}
	if c.Issuer != id.Issuer || c.Nonce != id.Nonce || int64(c.Expiry) != id.Expiry.Unix() || !slices.Equal(audience, id.Audience) {
		return c, errors.New("claims that differ in their case only")
	}
	// OpenID Connect Core 3.1.3.7, 4 and 5.
	switch {
	case len(audience) > 1 && c.AuthorizedParty == nil:
		return c, errors.New("several audiences and no authorized party")
	case c.AuthorizedParty != nil && *c.AuthorizedParty != clientID:
		return c, errors.New("another client is the authorized party")
	}
	return c, nil
}

// identity is the subject of the claims, if the provider has verified the
// e-mail.
func (c claims) identity() (identity, error) {
	if c.Email == "" || !wording.IsText(c.Email) || strings.Trim(string(c.Verified), `"`) != "true" {
		return identity{}, &oidcError{http.StatusForbidden, "The provider has not verified your e-mail address. Verify it there first.", errors.New("no verified e-mail")}
	}
	at, _ := strconv.ParseFloat(strings.Trim(string(c.AuthTime), `"`), 64)
	return identity{c.Email, time.Unix(int64(at), 0)}, nil
}
