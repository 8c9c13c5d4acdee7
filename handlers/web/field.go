package web

import (
	"cmp"
	"strings"
)

// Field is a field of a form without its control, which the page writes. The
// partials field-state, field-label, field-control, field-described and
// field-messages show it.
type Field struct {
	ID      string // of the control, and its name
	Label   string
	Fault   string // why the value was refused; empty: it was not
	Warning string // about a value that is saved all the same; empty: none
	Help    string // shown below the control; empty: none
	HelpIDs string // ids of help that the page writes itself, with spaces between them
}

// NewField is the templates' function "field". The fault is the one that the
// form has for this id; several sentences of help are shown as one paragraph.
func NewField(id, label string, faults Faults, help ...string) Field {
	return Field{ID: id, Label: label, Fault: faults[id], Help: strings.Join(help, " ")}
}

// Refuse is the field with a fault, unless it has one already.
func (f Field) Refuse(fault string) Field {
	f.Fault = cmp.Or(f.Fault, fault)
	return f
}

// Warn is the field with the warning that the form has for it.
func (f Field) Warn(warnings Faults) Field {
	f.Warning = warnings[f.ID]
	return f
}

// Described are the ids of the texts that describe the control, with spaces
// between them; empty: there are none.
func (f Field) Described() string {
	ids := strings.Fields(f.HelpIDs)
	for _, said := range []struct{ text, of string }{{f.Help, "help"}, {f.Fault, "err"}, {f.Warning, "warning"}} {
		if said.text != "" {
			ids = append(ids, f.ID+"-"+said.of)
		}
	}
	return strings.Join(ids, " ")
}
