package wire

import (
	"cmp"
	"slices"
	"strings"
)

// Option is one activity that a webhook of a type can be asked to report.
type Option struct {
	Value string // in the type's own words, as webhooks store it and form and API show it
	Label string // beside its checkbox
	Group string // heading above it and its like; empty: the type's main ones
	// Events are the kinds of events that it covers.
	Events []EventKind
}

// Types are the names of the event types that the option covers.
func (o Option) Types() []string {
	types := make([]string, len(o.Events))
	for i, k := range o.Events {
		types[i] = k.Type
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// HasTags says whether an event that the option covers can have tags.
func (o Option) HasTags() bool {
	return slices.ContainsFunc(o.Events, func(k EventKind) bool { return FamilyOf(k).Posts })
}

// HasCommunity says whether an event that the option covers can be in a
// community.
func (o Option) HasCommunity() bool {
	return slices.ContainsFunc(o.Events, func(k EventKind) bool { return !FamilyOf(k).Own })
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
	return Option{}, Sentencef("“%s” is not an activity of this type.", Shown(value))
}

// EventKinds are the kinds of events that the option values cover, sorted and
// without repeats. Unknown values cover nothing.
func (f *Format) EventKinds(values []string) []EventKind {
	kinds := []EventKind{}
	for _, value := range values {
		if o, err := f.Option(value); err == nil {
			kinds = append(kinds, o.Events...)
		}
	}
	slices.SortFunc(kinds, func(a, b EventKind) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Family, b.Family))
	})
	return slices.Compact(kinds)
}

// Covering finds the listed option that covers a kind of event, or the custom
// one that does; false: this type of webhook cannot report it.
func (f *Format) Covering(k EventKind) (Option, bool) {
	for _, o := range f.Options {
		if slices.Contains(o.Events, k) {
			return o, true
		}
	}
	if f.Custom == nil {
		return Option{}, false
	}
	o, err := f.Custom.Make(k.Type)
	return o, err == nil && slices.Contains(o.Events, k)
}

// Shown is a typed value in a form that fits into a sentence.
func Shown(value string) string {
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
	groupOwn = "About Sitehooks"
)

// ownOptions are Sitehooks' own events, offered by every type.
func ownOptions() []Option {
	return []Option{
		{Value: WebhookBroken, Label: "Webhook broke", Group: groupOwn, Events: []EventKind{KindOf(WebhookBroken)}},
		{Value: SourceSilent, Label: "Source went silent", Group: groupOwn, Events: []EventKind{KindOf(SourceSilent)}},
	}
}

// qaTypes are the activities of a Q&A site in the order of a form.
var qaTypes = []string{QuestionCreated, QuestionEdited, AnswerCreated, AnswerEdited, AnswerAccepted, CommentCreated}

// familyOptions offers all events of the families, each by its own name.
func familyOptions(names ...string) []Option {
	var options []Option
	for _, name := range names {
		f, _ := family(name)
		for _, event := range f.Events {
			value := f.Type(event)
			options = append(options, Option{Value: value, Label: value, Group: f.Label, Events: []EventKind{f.kind(event)}})
		}
	}
	return options
}

// addQA lets options cover the Q&A types too, by the type's name for each of
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
		if kind := KindOf(eventType); !slices.Contains(options[i].Events, kind) {
			options[i].Events = append(options[i].Events, kind)
		}
	}
	return options
}
