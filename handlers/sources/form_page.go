package sources

import (
	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/fields"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// previewFragment is the part of the form's page that our script asks for.
const previewFragment = "source-preview"

type formPage struct {
	web.Page
	Saved    *models.Source // nil: a new source
	Kind     string         // name; empty: a follower
	Label    string
	Help     string
	Form     sourceForm
	Faults   web.Faults
	Summary  []web.ErrorLine
	Location web.Picker
	Secrets  []fields.Secret
	Fields   []fields.Own
	Program  bool
	Preview  *preview
}

func (s *Pages) showForm(c *gin.Context, status int, e *editing) error {
	p := &formPage{
		Page: web.Page{Title: "Add a source", Nav: nav}, Saved: e.old, Form: e.form, Faults: e.faults, Label: "Follower",
		Preview: e.preview,
	}
	if e.kind != nil {
		p.offerKind(e)
	}
	if e.old != nil {
		p.Title = "Edit " + e.old.Name
	}
	if err := s.offerLocations(c, p); err != nil {
		return err
	}
	p.Summary = web.ErrorLines(p.Faults, p.labels()...)
	return s.RenderFragment(c, status, "source_form", p, previewFragment)
}

// offerKind fills in what depends on the kind.
func (p *formPage) offerKind(e *editing) {
	k, path := e.kind, ""
	if e.old != nil {
		path = Path(e.old.Name)
	}
	p.Kind, p.Label, p.Help, p.Program = k.Kind, k.Label, k.Help, k.HasProgram
	p.Fields = fields.Owns(k.Fields, e.form.Options, e.faults)
	p.Secrets = e.form.Fields(k.Secrets, e.savedSecrets(), path, e.faults)
	for i := range p.Secrets {
		p.Secrets[i].Generate = k.NewSecret != nil
	}
}

func (s *Pages) offerLocations(c *gin.Context, p *formPage) (err error) {
	p.Location, err = s.LocationPicker(c, "location", web.Storable(p.Form.Location))
	p.Location.Label, p.Location.Fault = "Location", p.Faults["location"]
	p.Location.Help = "The events of this source belong to this location."
	if p.Saved != nil && !p.Saved.Follows() {
		p.Location.Help += " When it changes, the requests that are kept of this source are deleted."
	}
	return err
}

// Whole is the fault that belongs to no field.
func (p *formPage) Whole() string { return p.Faults[wholeForm] }

// labels are the fields in the order of the form, with their labels.
func (p *formPage) labels() []string {
	labels := []string{"name", "Name", "location", "Location"}
	for _, f := range p.Fields {
		labels = append(labels, f.ID, f.Label)
	}
	for _, f := range p.Secrets {
		labels = append(labels, f.ID, f.Label)
	}
	return append(labels, "program", "Program (jq)", "expect_hours", "Expect an event every (hours)")
}
