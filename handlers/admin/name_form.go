package admin

import (
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// calledForm is what was typed as name and description, and what is wrong
// with it.
type calledForm struct {
	Name        web.Line   `form:"name" binding:"required,name"`
	Description web.Text   `form:"description" binding:"text"`
	Faults      web.Faults `form:"-"`
}

func (f *calledForm) naming() models.Called {
	return models.Called{Name: string(f.Name), Description: string(f.Description)}
}
