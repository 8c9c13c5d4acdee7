package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// confirmPage asks before something that cannot be undone, or that concerns
// many. Its button says what happens and to how many.
type confirmPage struct {
	page
	Crumb, CrumbPath string   // where one comes from
	Lines            []string // what happens, what does not
	Rows             []confirmRow
	Action           string // path that is posted to
	Fields           []confirmField
	Also             *confirmAlso // what may be done with it
	Button           string       // empty: there is nothing to do
	Danger           bool
	Back             string
	Fault            string // why it was refused; empty: it was not
	Narrow           *confirmSince
	Older            string // path of the same question about what was not looked at
}

// confirmSince asks the same about fewer: only those since a time. Fields keep
// what was chosen.
type confirmSince struct {
	Path   string
	Fields []confirmField
	From   string
}

// confirmRow is one thing that is named with the question.
type confirmRow struct {
	Path, Name, Note string
}

// confirmAlso offers tokens to revoke along with what is confirmed.
type confirmAlso struct {
	Legend string
	Tokens []models.Token
	Names  locationNames
	Ticked bool
}

// confirmField is what goes with the answer.
type confirmField struct{ Name, Value string }

// confirm shows the question; with a fault it answers 422.
func (s *Site) confirm(c *gin.Context, p *confirmPage) error {
	if p.Fault != "" {
		return s.render(c, http.StatusUnprocessableEntity, "confirm", p)
	}
	return s.render(c, http.StatusOK, "confirm", p)
}

// Place is where a token may be used, in words.
func (a *confirmAlso) Place(slug string) string { return a.Names.place(slug) }
