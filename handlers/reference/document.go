package reference

import (
	"encoding/json"
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

// refers is the name of the schema that a value is described by, in itself or in
// the items of a list; empty: none.
func (s *schema) refers() string {
	switch {
	case s.Ref != "":
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
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
		names = append(names, s.refers())
	case len(s.Enum) > 0 || s.Const != nil:
		names = slices.DeleteFunc(names, func(name string) bool { return name == "string" })
		for _, value := range s.Enum {
			names = append(names, `"`+value+`"`)
		}
		if s.Const != nil {
			text, _ := json.Marshal(s.Const) // it came from JSON
			names = append(names, string(text))
		}
	}
	return strings.Join(names, " or ")
}
