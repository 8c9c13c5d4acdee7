package web

import (
	"slices"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
)

// Unique sorts words and leaves out repeats.
func Unique(words []string) []string {
	slices.Sort(words)
	return slices.Compact(words)
}

// Capitalized begins a word with a capital letter, abbreviations left alone.
func Capitalized(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

// OrNone is words, or none when words is empty.
func OrNone(words, none string) string {
	if words == "" {
		return none
	}
	return words
}

// ListOr lists words as alternatives: a, b or c.
func ListOr(words []string) string {
	if len(words) < 2 {
		return OrNone(strings.Join(words, ""), "other ones")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// clockWords says how far a clock is ahead of another: in step, 90 s ahead, 2 s
// behind.
func clockWords(ahead time.Duration) string {
	switch {
	case ahead.Abs() < time.Second:
		return "in step"
	case ahead > 0:
		return wording.PauseWords(ahead) + " ahead"
	default:
		return wording.PauseWords(-ahead) + " behind"
	}
}

// EventTypeChoices are the known event types as lists show them, for a filter.
func EventTypeChoices() []string {
	types := wire.EventTypes()
	for i, name := range types {
		types[i] = wire.EventWords(name)
	}
	return types
}

// EventTypeIn is the event type of ours that a text names, as lists show it;
// empty: it names none. The name of a host looks like that of a custom type.
func EventTypeIn(text string) string {
	if !slices.ContainsFunc(wire.TypesNamed(text), func(name string) bool { return slices.Contains(wire.EventTypes(), name) }) {
		return ""
	}
	_, words := EventTypesTyped(text)
	return words
}

// EventTypesTyped are the event types that a filter's text names, and the same as
// lists show them. A text that names none is returned as it is, and finds nothing.
func EventTypesTyped(typed string) (types []string, words string) {
	if typed == "" {
		return nil, ""
	}
	if types = wire.TypesNamed(typed); types == nil {
		return []string{typed}, typed
	}
	list := make([]string, len(types))
	for i, name := range types {
		list[i] = wire.EventWords(name)
	}
	return types, ListOr(list)
}
