package reference

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// document is the part of an OpenAPI description that the page shows.
type document struct {
	Tags  []struct{ Name string }
	Paths map[string]map[string]struct {
		OperationID, Summary, Description string
		Tags                              []string
		Security                          []map[string][]string
		Parameters                        []parameter
		RequestBody                       struct {
			Required bool
			Content  map[string]content
		}
		Responses map[string]response
	}
	Components struct{ Schemas map[string]*schema }
}

type parameter struct {
	Name, In, Description string
	Required              bool
	Schema                schema
	Example               any
}

type content struct {
	Schema  schema
	Example json.RawMessage
}

// refers is the name of the schema of the content; empty: none.
func (c content) refers() string { return c.Schema.refers() }

type response struct {
	Description string
	Content     map[string]content
}

// readDocument reads a description. Names of schemas that are only a choice of plain
// values are replaced by what they stand for.
func readDocument(text []byte) (doc document, err error) {
	if err = json.Unmarshal(text, &doc); err != nil {
		return doc, fmt.Errorf("read the description of the API: %w", err)
	}
	for _, s := range doc.Components.Schemas {
		doc.replaceChoices(s)
	}
	return doc, nil
}

func (doc *document) replaceChoices(s *schema) {
	if target := doc.Components.Schemas[s.name()]; target != nil && len(target.AnyOf) > 0 && target.refers() == "" {
		words := s.Description
		*s = *target
		if words != "" {
			s.Description = words
		}
	}
	for _, inner := range slices.Concat(slices.Collect(maps.Values(s.Properties)), s.AnyOf, []*schema{s.Items}) {
		if inner != nil {
			doc.replaceChoices(inner)
		}
	}
}

// isObject tells whether a schema is shown under its own name: it has fields, and
// is no event and no body of a request.
func (doc *document) isObject(name string) bool {
	s := doc.Components.Schemas[name]
	if s == nil || s.Title != "" || len(s.Properties) == 0 {
		return false
	}
	for _, item := range doc.Paths {
		for _, op := range item {
			if op.RequestBody.Content[jsonType].refers() == name {
				return false
			}
		}
	}
	return true
}

// jsonType is the media type of the bodies that are shown.
const jsonType = "application/json"

// schema is the part of JSON Schema that the description uses.
type schema struct {
	Ref                                 string `json:"$ref"`
	Type                                kinds
	Title, Description, Format, Pattern string
	Const                               any
	Enum                                []string
	Properties                          map[string]*schema
	Required                            []string
	Items                               *schema
	AnyOf                               []*schema
	MinLength, MaxLength                int
	Minimum, Maximum                    *int
	MinItems, MaxItems                  int
	Examples                            []json.RawMessage
}

// kinds are the types that a value may have.
type kinds []string

// UnmarshalJSON takes one type or a list of them.
func (k *kinds) UnmarshalJSON(raw []byte) error {
	if raw[0] == '[' {
		return json.Unmarshal(raw, (*[]string)(k))
	}
	*k = make(kinds, 1)
	return json.Unmarshal(raw, &(*k)[0])
}

// name is what the schema refers to; empty: nothing.
func (s *schema) name() string { return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:] }

// refers is the name of the schema that a value is described by, in itself or in
// the items of a list; empty: none.
func (s *schema) refers() string {
	switch {
	case s.Ref != "":
		return s.name()
	case s.Items != nil:
		return s.Items.refers()
	}
	for _, one := range s.AnyOf {
		if name := one.refers(); name != "" {
			return name
		}
	}
	return ""
}

// kind names what a value can be: string or null, list of integer, Webhook.
func (s *schema) kind() string {
	var names []string
	for _, one := range s.AnyOf {
		names = append(names, one.kind())
	}
	for _, name := range s.Type {
		if name == "array" && s.Items != nil {
			name = "list of " + s.Items.kind()
		}
		names = append(names, name)
	}
	switch {
	case s.Ref != "":
		names = append(names, s.name())
	case s.Const != nil:
		text, _ := json.Marshal(s.Const) // it came from JSON
		names = []string{string(text)}
	case len(s.Enum) > 0:
		names = slices.DeleteFunc(names, func(name string) bool { return name == "string" })
		for _, value := range s.Enum {
			names = append(names, `"`+value+`"`)
		}
	case len(names) == 0:
		return "any JSON"
	}
	return strings.Join(names, " or ")
}
