package management

import (
	"encoding/json"
	"reflect"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/models"
)

// Optional is a field of a body that may be absent or null. A value of another
// kind is remembered as a fault, so that all faults of a body are told together.
type Optional[T any] struct {
	Given bool // the key is there
	Null  bool
	Value T
	fault string
}

// UnmarshalJSON never fails.
func (o *Optional[T]) UnmarshalJSON(raw []byte) error {
	*o = Optional[T]{Given: true, Null: string(raw) == "null"}
	if o.Null {
		return nil
	}
	if err := json.Unmarshal(raw, &o.Value); err != nil {
		o.fault = "It must be " + kindWords(reflect.TypeFor[T]()) + "."
	}
	return nil
}

// Set tells whether there is a value.
func (o *Optional[T]) Set() bool { return o.Given && !o.Null }

func (o *Optional[T]) wrong() string { return o.fault }

// kindWords names what a field takes.
func kindWords(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[SecretInput]():
		return `a string, {"generate":true} or null`
	case reflect.TypeFor[Headers](), reflect.TypeFor[map[string]*string]():
		return "an object whose values are strings or null"
	case reflect.TypeFor[[]string]():
		return "a list of strings"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list of objects"
	default:
		return "an object"
	}
}

// SecretInput is a signing secret to be set, or a new one to be made.
type SecretInput struct {
	Value    string
	Generate bool
}

// UnmarshalJSON takes a string or {"generate":true}.
func (s *SecretInput) UnmarshalJSON(raw []byte) error {
	if raw[0] == '"' {
		return json.Unmarshal(raw, &s.Value)
	}
	var in map[string]bool
	if err := json.Unmarshal(raw, &in); err != nil {
		return err
	}
	if len(in) != 1 || !in["generate"] {
		return errNotGenerate
	}
	s.Generate = true
	return nil
}

var errNotGenerate = &json.UnsupportedValueError{Str: "neither a string nor {\"generate\":true}"}

// Headers are custom headers in the order of the body. One with a null has an
// empty value, which keeps the saved one.
type Headers []models.Header

// UnmarshalJSON takes an object whose values are strings or null.
func (h *Headers) UnmarshalJSON(raw []byte) error {
	var values map[string]*string
	if err := json.Unmarshal(raw, &values); err != nil {
		return err
	}
	*h = Headers{}
	for key := range api.Members(raw) {
		one := models.Header{Name: string(key)}
		if value := values[one.Name]; value != nil {
			one.Value = *value
		}
		*h = append(*h, one)
	}
	return nil
}
