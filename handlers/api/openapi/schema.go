package openapi

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/api/management"
)

// describer collects the schemas of the structs that it meets.
type describer struct{ schemas object }

func typeOf(v any) reflect.Type { return reflect.TypeOf(v) }

var (
	typeTime    = reflect.TypeFor[time.Time]()
	typeRaw     = reflect.TypeFor[json.RawMessage]()
	typeSecret  = reflect.TypeFor[management.SecretInput]()
	typeHeaders = reflect.TypeFor[management.Headers]()
	typeRef     = reflect.TypeFor[management.Ref]()
)

// schema describes a type; structs by reference. input: as it is sent, where
// fields that are only read may be there.
func (d *describer) schema(t reflect.Type, input bool) object {
	switch t {
	case typeTime:
		return object{"type": "string", "format": "date-time"}
	case typeRaw:
		return object{"type": "object"}
	case typeRef:
		return d.named("WebhookRef", object{"anyOf": []any{object{"type": "string"}, object{"type": "integer"}}})
	case typeHeaders:
		return object{"type": "object", "additionalProperties": object{"type": []string{"string", "null"}}}
	case typeSecret:
		return d.named("SecretInput", object{"anyOf": []any{
			object{"type": "string"},
			object{"type": "object", "title": "GenerateSecret", "properties": object{"generate": object{"type": "boolean", "const": true}}, "required": []string{"generate"}, "additionalProperties": false},
		}})
	}
	if inner, is := optional(t); is {
		return d.schema(inner, input)
	}
	switch t.Kind() { //nolint:exhaustive // kinds that the structs have
	case reflect.Pointer:
		return nullable(d.schema(t.Elem(), input))
	case reflect.Slice:
		return object{"type": "array", "items": d.schema(t.Elem(), input)}
	case reflect.Array:
		return object{"type": "array", "items": d.schema(t.Elem(), input), "minItems": t.Len(), "maxItems": t.Len()}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": d.schema(t.Elem(), input)}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Struct:
		name := nameOfType(t)
		if input && !strings.HasSuffix(name, "Input") {
			name += "Input" // of which less is demanded than of the answer
		}
		if _, known := d.schemas[name]; !known {
			d.schemas[name] = object{} // it may refer to itself
			d.schemas[name] = d.fields(t, input)
		}
		return object{"$ref": "#/components/schemas/" + name}
	}
	return object{"type": "string"}
}

// named keeps a schema under a name, by which generated clients have a type for it.
func (d *describer) named(name string, schema object) object {
	d.schemas[name] = schema
	return object{"$ref": "#/components/schemas/" + name}
}

// optional is the type of a field that may be absent or null.
func optional(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() != reflect.Struct || !strings.HasPrefix(t.Name(), "Optional[") {
		return nil, false
	}
	value, _ := t.FieldByName("Value")
	return value.Type, true
}

// nameOfType is a struct's name; a page of webhooks is WebhookPage.
func nameOfType(t reflect.Type) string {
	outer, inner, generic := strings.Cut(strings.TrimSuffix(t.Name(), "]"), "[")
	if !generic {
		return outer
	}
	return inner[strings.LastIndexByte(inner, '.')+1:] + outer
}

func nullable(schema object) object {
	switch kind := schema["type"].(type) {
	case string:
		schema["type"] = []string{kind, "null"}
	case []string:
		if !slices.Contains(kind, "null") {
			schema["type"] = append(kind, "null")
		}
	default:
		return object{"anyOf": []any{schema, object{"type": "null"}}}
	}
	return schema
}

// fields describe a struct. An answer has no other fields, and all of them; of
// those that are sent most may be absent.
func (d *describer) fields(t reflect.Type, input bool) object {
	properties := object{}
	required := []string{}
	nested := input && !strings.HasSuffix(t.Name(), "Input") // where a null is as good as no value
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || !f.IsExported() || name == "" || name == "-" {
			continue
		}
		must := strings.Contains(f.Tag.Get("binding"), "required")
		schema := d.fieldSchema(f, input, must)
		if f.Tag.Get("null") == "true" || nested && !must {
			schema = nullable(schema)
		}
		decorate(schema, f)
		if input && strings.HasPrefix(name, "secret_") {
			schema["writeOnly"] = true
		}
		properties[name] = schema
		if input && must || !input && options != "omitempty" {
			required = append(required, name)
		}
	}
	schema := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	if !input {
		schema["additionalProperties"] = false
	}
	return schema
}

// decorate adds what a field's tags tell.
func decorate(schema object, f reflect.StructField) {
	if words := f.Tag.Get("doc"); words != "" {
		schema["description"] = words
	}
	if format := f.Tag.Get("format"); format != "" {
		schema["format"] = format
	}
	if values := f.Tag.Get("enum"); values != "" {
		schema["enum"] = strings.Split(values, ",")
	}
	for rule := range strings.SplitSeq(f.Tag.Get("binding"), ",") {
		if values, is := strings.CutPrefix(rule, "oneof="); is {
			schema["enum"] = strings.Fields(values)
		}
	}
}

// query are the parameters of a query's struct; nil: it has none.
func (d *describer) query(of any) (params []any) {
	if of == nil {
		return nil
	}
	for _, f := range reflect.VisibleFields(typeOf(of)) {
		name := f.Tag.Get("form")
		if f.Anonymous || name == "" {
			continue
		}
		schema := d.schema(f.Type, true)
		if f.Type == typeRef {
			schema = object{"type": "string"}
		}
		decorate(schema, f)
		if name == "limit" {
			schema["minimum"], schema["maximum"] = 1, 200
		}
		p := object{"name": name, "in": "query", "schema": schema}
		if words := schema["description"]; words != nil {
			p["description"] = words
			delete(schema, "description")
		}
		params = append(params, p)
	}
	return params
}

// fieldSchema is a field's type. One that must be there is not null.
func (d *describer) fieldSchema(f reflect.StructField, input, must bool) object {
	switch {
	case f.Tag.Get("any") == "true":
		return object{} // any JSON
	case input && must && f.Type.Kind() == reflect.Pointer:
		return d.schema(f.Type.Elem(), input)
	}
	return d.schema(f.Type, input)
}
