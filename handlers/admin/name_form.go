package admin

import (
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// nameForm is the typed name and description, with their faults.
type nameForm struct {
	Name        web.Line   `form:"name" binding:"required,name"`
	Description web.Text   `form:"description" binding:"text"`
	Faults      web.Faults `form:"-"`
}

func (f *nameForm) naming() models.Label {
	return models.Label{Name: string(f.Name), Description: string(f.Description)}
}
