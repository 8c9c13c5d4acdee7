package management

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/gin-gonic/gin/binding"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/models"
)

// call is one request on its way to an operation.
type call struct {
	api     *API
	route   Route
	request *http.Request
	ctx     context.Context
	token   models.Token
	param   func(name string) string
	body    []byte // one valid JSON object
}

// full tells whether the token sees what only administrators see.
func (c *call) full() bool { return c.token.Allows(models.ScopeManage) }

// read takes the body of a request. An absent one is an empty object.
func (c *call) read(w http.ResponseWriter, q *api.Request) error {
	b, rej := q.Read(w, c.request)
	if rej != nil {
		return refused{rej}
	}
	defer b.Release()
	if len(b.Text) == 0 {
		c.body = []byte("{}")
		return nil
	}
	kind, params, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	charset := params["charset"]
	if err != nil || kind != api.TypeJSON || len(c.request.Header.Values("Content-Encoding")) > 0 || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return refuse(wrongType, "The body must be JSON in UTF-8, sent as application/json without Content-Encoding.")
	}
	value, err := api.ValidJSON(b.Text)
	if err != nil {
		var f api.Faults
		f.Syntax(nil, err)
		text := f[0].Message
		if errors.Is(err, api.ErrMoreJSON) {
			text = "is followed by something else"
		}
		return invalid(f[0].Field, "It "+text+".")
	}
	var nul, deep int
	c.body, nul, deep = api.Compact(nil, value)
	switch {
	case deep >= 0:
		return invalid(api.Dotted(api.PlaceOf(value, deep)), "It is nested too deep.")
	case nul >= 0:
		return invalid(api.Dotted(api.PlaceOf(value, nul)), `It contains the character NUL (\u0000), which cannot be stored.`)
	case c.body[0] != '{':
		return invalid("", "The body must be a JSON object.")
	}
	return nil
}

// bind fills a struct from the body. Keys that the struct does not have are
// faults, but for those of the output, so that what was read can be sent back.
func (c *call) bind(into any, output any) error {
	wrong, faults := membersFaults(c.body, "", reflect.TypeOf(into).Elem(), reflect.TypeOf(output))
	broken, err := rules.Faults(binding.JSON.BindBody(c.body, into))
	if kind, is := errors.AsType[*json.UnmarshalTypeError](err); is {
		return invalid(kind.Field, "It must be "+kindWords(kind.Type)+".")
	}
	if err != nil {
		return invalid("", "It cannot be read: "+err.Error()+".")
	}
	for _, one := range broken {
		faults.Whole(one.Field, "%s", one.Text)
	}
	wrong = append(wrong, wrongKinds(into)...)
	faults = append(wrong, faults...)
	switch {
	case len(faults) == 0:
		return nil
	case len(wrong) > 0 || len(broken) == 0:
		return &problem{status: http.StatusBadRequest, reason: api.ReasonInvalid, faults: faults}
	}
	return &problem{status: unprocessable, reason: api.ReasonInvalid, faults: faults}
}

// membersFaults looks at the members of an object of the body, whose path stands
// before their names, and of those inside: wrong are nulls and empty texts where a
// value is needed, faults those that neither struct has.
func membersFaults(body []byte, path string, into, output reflect.Type) (wrong, faults api.Faults) {
	fields, outputs := fieldsOf(into), fieldsOf(output)
	for key, value := range api.Members(body) {
		name := path + string(key)
		field, known := fields[string(key)]
		read, onlyRead := outputs[string(key)]
		switch text := string(value); {
		case !known && !onlyRead:
			faults.Whole(api.Clip(name), "There is no field of this name.")
		case known && (text == "null" || text == `""`) && needsValue(field):
			wrong.Whole(name, emptyFault)
		case known:
			for at, object := range objectsIn(value, field.Type) {
				w, f := membersFaults(object, name+at+".", objectType(field.Type), objectType(read.Type))
				wrong, faults = append(wrong, w...), append(faults, f...)
			}
		}
	}
	return wrong, faults
}

// objectsIn goes over the objects of a value that a field of a type has: itself, or
// those of a list, each with its place in the list.
func objectsIn(value []byte, t reflect.Type) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		switch {
		case objectType(t) == nil:
		case value[0] == '{':
			yield("", value)
		case value[0] == '[':
			i := 0
			for one := range api.Elements(value) {
				if one[0] == '{' && !yield(api.Item("", i), one) {
					return
				}
				i++
			}
		}
	}
}

// objectType is the struct that the objects of a field are read into; nil: there is
// none, or it looks at its members itself.
func objectType(t reflect.Type) reflect.Type {
	for t != nil {
		value, is := t, false
		switch {
		case strings.HasPrefix(t.Name(), "Optional["):
			field, _ := t.FieldByName("Value")
			value, is = field.Type, true
		case reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()):
		case t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer:
			value, is = t.Elem(), true
		case t.Kind() == reflect.Struct:
			return t
		}
		if t = value; !is {
			return nil
		}
	}
	return nil
}

// wrongKinds are the fields whose values are of another kind.
func wrongKinds(into any) (faults api.Faults) {
	v := reflect.ValueOf(into).Elem()
	for _, f := range reflect.VisibleFields(v.Type()) {
		if !f.IsExported() {
			continue
		}
		field, is := reflect.TypeAssert[interface{ wrong() string }](v.FieldByIndex(f.Index).Addr())
		if is && field.wrong() != "" {
			faults.Whole(rules.FieldName(f), "%s", field.wrong())
		}
	}
	return faults
}

// fieldsOf are a struct's fields by their names in a body or a query; nil: none.
func fieldsOf(t reflect.Type) map[string]reflect.StructField {
	fields := map[string]reflect.StructField{}
	if t == nil {
		return fields
	}
	for _, f := range reflect.VisibleFields(t) {
		if name := rules.FieldName(f); name != "" {
			fields[name] = f
		}
	}
	return fields
}

// needsValue tells whether a field that is given must have a value: an empty one
// would pass as absent, and a filter for less would select all. An empty cursor
// is that of the first page.
func needsValue(f reflect.StructField) bool {
	return strings.HasPrefix(f.Tag.Get("binding"), "omitempty") && rules.FieldName(f) != "cursor"
}

const emptyFault = "It must not be empty or null. Leave it out, or give it a value."

// query fills a struct from the query of the address. Parameters that it does
// not have are faults.
func (c *call) query(into any) error {
	values := c.request.URL.Query()
	fields := fieldsOf(reflect.TypeOf(into).Elem())
	var faults api.Faults
	for name := range values {
		switch field, known := fields[name]; {
		case !known:
			faults.Whole(api.Clip(name), "There is no parameter of this name.")
		case values.Get(name) == "" && needsValue(field) && field.Type != reflect.TypeFor[Count](): // which refuses it itself
			faults.Whole(name, emptyFault)
		}
	}
	if err := binding.MapFormWithTag(into, values, "form"); err != nil {
		return invalid("", "The query of the address cannot be read.")
	}
	for _, one := range rules.Check(into) {
		faults.Whole(one.Field, "%s", one.Text)
	}
	if len(faults) == 0 {
		return nil
	}
	slices.SortFunc(faults, func(a, b api.FieldError) int { return strings.Compare(a.Field, b.Field) })
	return &problem{status: http.StatusBadRequest, reason: api.ReasonInvalid, faults: faults}
}
