package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// ConfirmPage asks before something that cannot be undone, or that concerns
// many. Its button says what happens and to how many.
type ConfirmPage struct {
	Page
	Crumb, CrumbPath string   // where one comes from
	Lines            []string // what happens, what does not
	Rows             []ConfirmRow
	Action           string // path that is posted to
	Fields           []ConfirmField
	Also             *ConfirmAlso // what may be done with it
	Button           string       // empty: there is nothing to do
	Danger           bool
	Back             string
	Fault            string // why it was refused; empty: it was not
	Narrow           *ConfirmSince
	Older            string // path of the same question about what was not looked at
}

// ConfirmSince asks the same about fewer: only those since a time. Fields keep
// what was chosen.
type ConfirmSince struct {
	Path   string
	Fields []ConfirmField
	From   string
}

// ConfirmRow is one thing that is named with the question.
type ConfirmRow struct {
	Path, Name, Note string
}

// ConfirmAlso offers tokens to revoke along with what is confirmed.
type ConfirmAlso struct {
	Legend string
	Tokens []models.Token
	Names  LocationNames
	Ticked bool
}

// ConfirmField is what goes with the answer.
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
