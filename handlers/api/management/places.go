package management

import (
	"context"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// places finds locations that a token may use. That of a bound token need not be
// registered yet.
type places struct {
	*web.Directory
	token models.Token
}

// FilterLocation refuses every other location than that of a bound token,
// whether there is one or not.
func (p *places) FilterLocation(ctx context.Context, typed string) (slug, fault string, err error) {
	if p.token.Within().All() {
		return p.Directory.FilterLocation(ctx, typed)
	}
	if !p.token.Within().Has(typed) {
		return "", "", otherLocation(p.token)
	}
	return typed, "", nil
}

// otherLocation refuses a request about another location than the token's.
func otherLocation(t models.Token) error {
	return forbidden("location", "The token is for the location "+t.Location+" only.")
}

// defaultLocation is the location of a new webhook that names none.
func (c *call) defaultLocation() string { return c.token.Within().Default() }

// location is the one that a list is limited to; false: the token sees nothing
// of what was asked for.
func (c *call) location(only string) (slug string, visible bool) {
	switch {
	case c.token.Within().All() || only == c.token.Location:
		return only, true
	case only == "":
		return c.token.Location, true
	}
	return "", false
}
