package management

import (
	"context"
	"encoding/json"
	"errors"
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
	var faults api.Faults
	known := append(keysOf(reflect.TypeOf(into).Elem()), keysOf(reflect.TypeOf(output))...)
	for key := range api.Members(c.body) {
		if name := string(key); !slices.Contains(known, name) {
			faults.Whole(api.Clip(name), "There is no field of this name.")
		}
	}
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
	wrong := wrongKinds(into)
	faults = append(wrong, faults...)
	switch {
	case len(faults) == 0:
		return nil
	case len(wrong) > 0 || len(broken) == 0:
		return &problem{status: http.StatusBadRequest, reason: api.ReasonInvalid, faults: faults}
	}
	return &problem{status: unprocessable, reason: api.ReasonInvalid, faults: faults}
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

// keysOf are the JSON names of a struct's fields.
func keysOf(t reflect.Type) (names []string) {
	if t == nil {
		return nil
	}
	for _, f := range reflect.VisibleFields(t) {
		if name := rules.FieldName(f); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// query fills a struct from the query of the address. Parameters that it does
// not have are faults.
func (c *call) query(into any) error {
	values := c.request.URL.Query()
	known := keysOf(reflect.TypeOf(into).Elem())
	var faults api.Faults
	for name := range values {
		if !slices.Contains(known, name) {
			faults.Whole(api.Clip(name), "There is no parameter of this name.")
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
