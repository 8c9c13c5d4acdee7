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

// WebhookValue is a webhook in a text field: names may be alike.
func WebhookValue(name string, id int64) string { return name + " #" + FormatID(id) }
