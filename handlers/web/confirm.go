package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// ConfirmPage asks before something that cannot be undone, or that concerns
// many. Its button names the action and the number of things.
type ConfirmPage struct {
	Page
	Crumb, CrumbPath string   // where one comes from
	Lines            []string // the effects, and what stays unchanged
	Rows             []ConfirmRow
	Action           string // path that is posted to
	Fields           []ConfirmField
	Also             *ConfirmAlso // related tokens to revoke
	Button           string       // empty: there is nothing to do
	Danger           bool
	Back             string
	Fault            string // why it was refused; empty: it was not
	Narrow           *ConfirmSince
	Older            string // path of the same question about rows that were not searched
}

// ConfirmSince asks the same about fewer: only those since a time. Fields keep
// the choice.
type ConfirmSince struct {
	Path   string
	Fields []ConfirmField
	From   string
}

// ConfirmRow is one thing that is named with the question.
type ConfirmRow struct {
	Path, Name, Note string
}

// ConfirmAlso offers tokens to revoke along with the confirmed action.
type ConfirmAlso struct {
	Legend string
	Tokens []models.Token
	Names  LocationNames
	Ticked bool
}

// ConfirmField is a hidden field of the form.
type ConfirmField struct{ Name, Value string }

// Confirm shows the question; with a fault it answers 422.
func (s *Site) Confirm(c *gin.Context, p *ConfirmPage) error {
	if p.Fault != "" {
		return s.Render(c, http.StatusUnprocessableEntity, "confirm", p)
	}
	return s.Render(c, http.StatusOK, "confirm", p)
}

// Place is where a token may be used, in words.
func (a *ConfirmAlso) Place(slug string) string { return a.Names.Place(slug) }
