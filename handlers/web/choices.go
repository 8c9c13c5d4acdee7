package web

// Choice is one entry of a select or a group of radios.
type Choice struct {
	Value, Label string
	Chosen       bool
}

// ChoiceGroup is the part of a select that stands under a label of its own.
type ChoiceGroup struct {
	Label   string
	Choices []Choice
}

// Select is one of the selects of a list's filter.
type Select struct {
	ID, Label string // of the control, which has its ID as its name
	Any       string // the entry for no choice
	Choices   []Choice
}

// NewSelect is the templates' function "select".
func NewSelect(id, label, none string, choices []Choice) Select {
	return Select{ID: id, Label: label, Any: none, Choices: choices}
}

// WebhookValue is a webhook in a text field: names may be alike.
func WebhookValue(name string, id int64) string { return name + " #" + FormatID(id) }
