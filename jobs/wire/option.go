package wire

import (
	"slices"
	"strings"
)

// Option is one activity that a webhook of a type can be asked to report.
type Option struct {
	Value string // in the type's own words; what a webhook stores, form and API show
	Label string // beside its checkbox
	Group string // heading above it and its like; empty: the type's main ones
	// Events are the internal event types that it covers.
	Events []string
}

// CustomOption lets people ask for activities that no list can know, by their
// names.
type CustomOption struct {
	Label, Help string // of the form field
	// Make gives the option that a name stands for. The error, a sentence for
	// people, says why there is none.
	Make func(value string) (Option, error)
}

// Option finds the option of a value, listed or custom. The error, a sentence
// for people, says why there is none.
func (f *Format) Option(value string) (Option, error) {
	for _, o := range f.Options {
		if o.Value == value {
			return o, nil
		}
	}
	if f.Custom != nil {
		return f.Custom.Make(value)
	}
	return Option{}, sentencef("“%s” is no activity that this type knows.", shown(value))
}

// EventTypes are the internal event types that the option values cover,
// sorted and without repeats. Unknown values cover nothing.
func (f *Format) EventTypes(values []string) []string {
	types := []string{}
	for _, value := range values {
		if o, err := f.Option(value); err == nil {
			types = append(types, o.Events...)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// shown is a value that somebody typed, fit to be repeated in a sentence.
func shown(value string) string {
	return firstCharacters(strings.ToValidUTF8(value, "?"), 80)
}

// firstCharacters cuts s after n characters, and shows that it did.
func firstCharacters(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i] + "…"
		}
	}
	return s
}

// groupQA and groupOwn are headings of options that several types offer.
const (
	groupQA  = "Questions and answers"
	groupOwn = "Sitehooks itself"
)

// brokenOption is what Sitehooks itself has to report, offered by every type.
func brokenOption() Option {
	return Option{Value: WebhookBroken, Label: "Webhook broke", Group: groupOwn, Events: []string{WebhookBroken}}
}

// qaTypes are the activities of a Q&A site in the order of a form.
var qaTypes = []string{QuestionCreated, QuestionEdited, AnswerCreated, AnswerEdited, AnswerAccepted, CommentCreated}

// familyOptions offers all events of the families, each by its own name.
func familyOptions(names ...string) []Option {
	var options []Option
	for _, name := range names {
		f, _ := family(name)
		for _, event := range f.Events {
			value := name + "." + event
			options = append(options, Option{Value: value, Label: value, Group: f.Label, Events: []string{value}})
		}
	}
	return options
}

// addQA lets options cover the Q&A types too, by what the type calls each of
// them. Names that no option has yet become options of the Q&A group; types
// without a name are left out.
func addQA(options []Option, names map[string]string) []Option {
	for _, eventType := range qaTypes {
		name := names[eventType]
		if name == "" {
			continue
		}
		i := slices.IndexFunc(options, func(o Option) bool { return o.Value == name })
		if i < 0 {
			i = len(options)
			options = append(options, Option{Value: name, Label: name, Group: groupQA})
		}
		if !slices.Contains(options[i].Events, eventType) {
			options[i].Events = append(options[i].Events, eventType)
		}
	}
	return options
}
