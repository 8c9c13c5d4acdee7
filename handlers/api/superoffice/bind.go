package superoffice

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin/binding"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/rules"
)

// value is a field of a body or a query: a valid JSON value as it came; empty:
// it was not given. gin binds it, and the rules below check it. Its kind is not
// fixed by a Go type, since a state may come as a name or as a number, and since
// the faults of all fields are reported together.
type value string

// repeated stands for a value that was given twice, by names in different case.
const repeated value = "!"

// UnmarshalJSON keeps the value as it is. It never fails.
func (v *value) UnmarshalJSON(raw []byte) error {
	if *v != "" {
		*v = repeated
	} else {
		*v = value(raw)
	}
	return nil
}

// UnmarshalParam keeps a parameter of the query as a JSON string. It never fails.
func (v *value) UnmarshalParam(text string) error {
	if *v = ""; text != "" {
		*v = value(api.PlainJSON(text))
	}
	return nil
}

// MarshalJSON is the value as it came. It never fails.
func (v value) MarshalJSON() ([]byte, error) { return []byte(v), nil }

// given tells whether there is a value other than null.
func (v value) given() bool { return v != "" && v[0] != 'n' }

// text is the content of a string; empty for values of other kinds.
func (v value) text() string {
	if v == "" || v[0] != '"' {
		return ""
	}
	return api.Unquote([]byte(v))
}

func init() {
	optional := func(first byte) func(string) bool {
		return func(raw string) bool { return !value(raw).given() || raw[0] == first }
	}
	rules.Add(map[string]func(raw string) bool{
		"json_given":  func(raw string) bool { return value(raw).given() },
		"json_object": optional('{'),
		"json_once":   func(raw string) bool { return value(raw) != repeated },
		"json_text":   optional('"'),
		"json_texts":  isTexts,
		"json_whole":  func(raw string) bool { _, is := wholeNumber(raw); return is },
		"state":       func(raw string) bool { _, is := readState(value(raw)); return is },
		"plugin_type": isPluginType,
	})
}

// isTexts tells a list of strings.
func isTexts(raw string) bool {
	if !value(raw).given() {
		return true
	}
	if raw[0] != '[' {
		return false
	}
	for element := range api.Elements([]byte(raw)) {
		if element[0] != '"' {
			return false
		}
	}
	return true
}

// bind fills a struct of values from a JSON object, whose keys may be in any
// case. Unknown keys are ignored.
func bind(object []byte, into any) keyFaults {
	broken, err := rules.Faults(binding.JSON.BindBody(object, into))
	var wrong keyFaults
	if err != nil {
		wrong.add("Body", "It cannot be read: %v.", err)
	}
	for _, fault := range broken {
		wrong.add(fault.Field, "%s", fault.Text)
	}
	return wrong
}

// arguments binds the body of an RPC. A null is an object without keys.
func (c *call) arguments(into any) error {
	if !isNull(c.body) && c.body[0] != '{' {
		return badKey("Body", "The body must be a JSON object.")
	}
	wrong := bind(c.body, into)
	return wrong.failure()
}

// query binds the query of the address. Names of parameters may be in any case,
// so form tags are in lower case; faults name them as the vendor spells them.
func (c *call) query(into any) error {
	query := c.request.URL.Query()
	folded := url.Values{}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if key := strings.ToLower(name); !folded.Has(key) {
			folded[key] = query[name]
		}
	}
	if err := binding.MapFormWithTag(into, folded, "form"); err != nil {
		return err
	}
	var wrong keyFaults
	for _, fault := range rules.Check(into) {
		wrong.add(fault.Field, "%s", fault.Text)
	}
	return wrong.failure()
}
