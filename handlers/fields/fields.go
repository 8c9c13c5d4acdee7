// Package fields has what the forms of webhooks and of sources have alike: the
// fields that a type of webhook or a kind of source has of its own, and its
// signing secrets.
package fields

import (
	"net/url"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
)

// Own is a field that only this type has; the partial "ownfield" shows it.
type Own struct {
	web.Field
	Value     string
	Choices   []web.Choice // empty: free text
	Multiline bool
}

// Owns are the fields in a form, with their values by key.
func Owns(list []wire.Field, values map[string]string, faults web.Faults) []Own {
	owns := make([]Own, len(list))
	for i, f := range list {
		own := Own{
			Field: web.NewField(definition.OptionField(f.Key), f.Label, faults, f.Help), Value: values[f.Key], Multiline: f.Multiline,
		}
		for _, value := range f.Choices {
			own.Choices = append(own.Choices, web.Choice{Value: value, Label: value, Chosen: value == own.Value})
		}
		owns[i] = own
	}
	return owns
}

// Defaults are the values in a new form, by key.
func Defaults(list []wire.Field) map[string]string {
	values := map[string]string{}
	for _, f := range list {
		if len(f.Choices) > 0 {
			values[f.Key] = f.Choices[0]
		}
	}
	return values
}

// Typed are the values that were sent, by key.
func Typed(list []wire.Field, form url.Values) map[string]string {
	values := map[string]string{}
	for _, f := range list {
		values[f.Key] = strings.TrimSpace(form.Get(definition.OptionField(f.Key)))
	}
	return values
}
