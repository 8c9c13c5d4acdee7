package sources

import (
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/definition"
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
	Secrets  []secretField
	Fields   []ownField
	Program  bool
	Preview  *preview
}

// secretField is a signing secret in the form; the partial "secret" shows it.
type secretField struct {
	web.Field
	Number         int
	About          string // the kind's own help
	Value          string // unsaved; a saved one never comes back
	Saved, Removed bool
	Generated      bool
	Generate       bool // one can be made here
	SetAt, UsedAt  *time.Time
	Reveal         string // path of the question before a saved one is shown
}

// ownField is a field that only this kind has; the partial "ownfield" shows it.
type ownField struct {
	web.Field
	Value     string
	Choices   []web.Choice // empty: free text
	Multiline bool
}

func (s *Pages) showForm(c *gin.Context, status int, e *editing) error {
	p := &formPage{
		Page: web.Page{Title: "Add a source", Nav: nav}, Saved: e.old, Form: e.form, Faults: e.faults, Label: "Follower",
		Secrets: e.secrets(), Fields: e.fields(), Preview: e.preview,
	}
	if e.kind != nil {
		p.Kind, p.Label, p.Help, p.Program = e.kind.Kind, e.kind.Label, e.kind.Help, e.kind.HasProgram
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

func (s *Pages) offerLocations(c *gin.Context, p *formPage) (err error) {
	p.Location, err = s.LocationPicker(c, "location", web.Storable(p.Form.Location))
	p.Location.Label, p.Location.Fault = "Location", p.Faults["location"]
	p.Location.Help = "The events of this source belong to this location."
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

func (e *editing) secrets() []secretField {
	if e.kind == nil {
		return nil
	}
	var list []secretField
	for i, s := range e.kind.Secrets {
		id := definition.SecretField(i)
		field := secretField{
			Field:  web.Field{ID: id, Label: s.Label, Fault: e.faults[id], HelpIDs: id + "-help"},
			Number: i + 1, About: s.Help, Value: e.form.Secrets[i], Removed: e.form.Removed[i], Generate: e.kind.NewSecret != nil,
		}
		if e.old != nil && hasSecret(*e.old, i) {
			field.Saved, field.Reveal = true, revealPath(e.old.Name, strconv.Itoa(i+1))
			field.SetAt = [2]*time.Time{e.old.Secret1SetAt, e.old.Secret2SetAt}[i]
		}
		list = append(list, field)
	}
	return list
}

func (e *editing) fields() []ownField {
	if e.kind == nil {
		return nil
	}
	var list []ownField
	for _, f := range e.kind.Fields {
		id := definition.OptionField(f.Key)
		field := ownField{Field: web.NewField(id, f.Label, e.faults, f.Help), Value: e.form.Options[f.Key], Multiline: f.Multiline}
		for _, value := range f.Choices {
			field.Choices = append(field.Choices, web.Choice{Value: value, Label: value, Chosen: value == field.Value})
		}
		list = append(list, field)
	}
	return list
}
