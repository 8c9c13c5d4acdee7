package wire

import (
	"slices"
	"strings"
	"sync"
)

// EventWords shows an event type as the console's lists do: answer accepted. One
// that has no words is shown by its name.
func EventWords(eventType string) string {
	if words, ok := ItemTypes[eventType]; ok {
		return words
	}
	return eventType
}

// TypesNamed are the event types that a text names, in any of the spellings that
// people see, upper or lower case: the type's own name, its words, and the labels
// and values of the activities that cover it. A type's own name means that type
// alone. Any other text with the form of a name is a custom type. Nil: the text
// names none.
func TypesNamed(text string) []string {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	if types := spellings()[text]; types != nil {
		return slices.Clone(types)
	}
	if _, is := EventFamily(text); is {
		return []string{text}
	}
	return nil
}

// EventTypes are those that any format knows, sorted.
func EventTypes() []string {
	var types []string
	for _, f := range Formats() {
		for _, o := range f.Options {
			types = append(types, o.Types()...)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// spellings are the types by each of their spellings in lower case.
var spellings = sync.OnceValue(func() map[string][]string {
	table := map[string][]string{}
	add := func(spelling string, types ...string) {
		key := strings.ToLower(spelling)
		table[key] = append(table[key], types...)
		slices.Sort(table[key])
		table[key] = slices.Compact(table[key])
	}
	for _, f := range Formats() {
		for _, o := range f.Options {
			add(o.Label, o.Types()...)
			add(o.Value, o.Types()...)
		}
	}
	for _, name := range EventTypes() {
		add(EventWords(name), name)
		table[name] = []string{name}
	}
	return table
})
