package openapi

import (
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/jobs/wire/read"
)

// addValues tells which values the types of webhooks, their events and the kinds of
// sources have. They are no enumeration: a later version may have more.
func addValues(schemas object) {
	var types, kinds []string
	for _, f := range wire.Formats() {
		types = append(types, f.Name)
	}
	for _, r := range read.Readers() {
		kinds = append(kinds, r.Kind)
	}
	for _, one := range [][3]string{
		{"WebhookInput", "type", "One of " + strings.Join(types, ", ")},
		{"WebhookInput", "events", "Activities such as answer.accepted; the receiver guide of a type lists all that it has"},
		{"SourceInput", "kind", "One of " + strings.Join(kinds, ", ")},
	} {
		s, _ := schemas[one[0]].(object)
		properties, _ := s["properties"].(object)
		property, _ := properties[one[1]].(object)
		words, _ := property["description"].(string)
		property["description"] = strings.TrimPrefix(words+". "+one[2], ". ")
	}
}
