package reference

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// field is a line of a table: a parameter, or a field of a body.
type field struct {
	Name     string // dotted, as question.tags
	In       string // path, query or header; empty: a field of a body
	Kind     string
	Object   string // the schema that describes it; empty: none
	Required bool
	Words    []string
}

// fieldsOf are the fields of a schema, those that are required first. Objects that
// have no name of their own are shown with it, and when whole is set those with a
// name as well.
func (doc *document) fieldsOf(s *schema, whole bool) (fields []field) {
	for _, required := range []bool{true, false} {
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			if slices.Contains(s.Required, name) == required {
				fields = append(fields, doc.fieldOf(name, required, s.Properties[name], whole)...)
			}
		}
	}
	return fields
}

func (doc *document) fieldOf(name string, required bool, s *schema, whole bool) []field {
	first := field{Name: name, Kind: s.kind(), Required: required, Words: s.words()}
	inner := s
	if object := s.refers(); doc.isObject(object) || object == allEvents {
		first.Object = object
		if whole {
			inner = doc.Components.Schemas[object]
		}
	}
	fields := []field{first}
	for _, f := range doc.fieldsOf(inner, whole) {
		f.Name = name + "." + f.Name
		fields = append(fields, f)
	}
	return fields
}

// allEvents is the name of the schema of all events, which have a section of their
// own.
const allEvents = "NewEvent"

// words are sentences about a value: what it means, and its bounds.
func (s *schema) words() (list []string) {
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if s.Description != "" {
		add("%s.", strings.TrimSuffix(s.Description, "."))
	}
	if s.Format == "date-time" {
		add("A time as in RFC 3339.")
	}
	if s.MaxLength > 0 {
		add("Up to %d characters.", s.MaxLength)
	}
	if s.Minimum != nil && s.Maximum != nil {
		add("From %d to %d.", *s.Minimum, *s.Maximum)
	}
	switch {
	case s.MaxItems > 0 && s.MinItems == s.MaxItems:
		add("Always %d.", s.MaxItems)
	case s.MaxItems > 0:
		add("Up to %d.", s.MaxItems)
	}
	if s.Pattern != "" {
		add("Matches %s.", s.Pattern)
	}
	return list
}

// text is all that a search looks at in a table.
func text(fields []field) string {
	var b strings.Builder
	for _, f := range fields {
		fmt.Fprintln(&b, f.Name, strings.Join(f.Words, " "))
	}
	return b.String()
}
