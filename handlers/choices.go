package handlers

// choice is one entry of a select or a group of radios.
type choice struct {
	Value, Label string
	Chosen       bool
}

type choiceGroup struct {
	Label   string
	Choices []choice
}

// webhookValue is a webhook in a text field: names may be alike.
func webhookValue(name string, id int64) string { return name + " #" + formatID(id) }
