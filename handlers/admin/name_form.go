package admin

import (
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// nameForm is the typed name, description and kind, with their faults.
type nameForm struct {
	Name        web.Line   `form:"name" binding:"required,name"`
	Description web.Text   `form:"description" binding:"text"`
	Kind        string     `form:"kind" binding:"omitempty,oneof=main_site private_team"` // of a location; empty: it stays
	Faults      web.Faults `form:"-"`
}

func (f *nameForm) naming() models.Label {
	return models.Label{Name: string(f.Name), Description: string(f.Description), Kind: f.Kind}
}

// Kinds are the choices of a location's kind.
func (f *nameForm) Kinds() []web.Choice {
	var list []web.Choice
	for _, kind := range []string{models.KindMainSite, models.KindPrivateTeam} {
		list = append(list, web.Choice{Value: kind, Label: models.KindName(kind), Chosen: kind == f.Kind})
	}
	return list
}
