// Package rules has the rules for input that binding tags name besides the
// validator's own, and the one table of sentences about broken ones. Forms, the
// filters of lists, the bodies of APIs and handlers/definition share them. Rules
// that need an area's own lists are added by that area.
package rules

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin/binding"
	"github.com/go-playground/validator/v10"

	"github.com/sitehooks/sitehooks/handlers/wording"
)

const (
	// NameMax is how long the name of a location, member or token may be, in
	// characters.
	NameMax = 100
	// TextMax is how long a description or a reason may be, in characters.
	TextMax = 500
)

// locationSlug matches the locations that the ingest API accepts.
var locationSlug = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// engine is gin's validator with our rules.
var engine = newEngine()

func newEngine() *validator.Validate {
	v, _ := binding.Validator.Engine().(*validator.Validate)
	v.RegisterTagNameFunc(FieldName)
	add(v, map[string]func(value string) bool{
		"line":    wording.IsLine,
		"lines":   func(value string) bool { return wording.IsPrintable(value, "\n\t") },
		"email":   isEmail,
		"slug":    locationSlug.MatchString,
		"visible": wording.IsVisible,
	})
	bytes := func(f validator.FieldLevel) bool {
		most, err := strconv.Atoi(f.Param())
		return err == nil && len(f.Field().String()) <= most
	}
	if err := v.RegisterValidation("bytes", bytes); err != nil {
		panic(err) // a mistake in the line above
	}
	v.RegisterAlias("name", fmt.Sprintf("max=%d,line", NameMax))
	v.RegisterAlias("text", fmt.Sprintf("max=%d,lines", TextMax))
	return v
}

// Add adds rules for text. Areas do so when the program starts, before anything
// is bound.
func Add(rules map[string]func(value string) bool) { add(engine, rules) }

func add(v *validator.Validate, rules map[string]func(value string) bool) {
	for name, holds := range rules {
		check := func(f validator.FieldLevel) bool { return holds(f.Field().String()) }
		if err := v.RegisterValidation(name, check); err != nil {
			panic(fmt.Sprintf("rule %s: %v", name, err)) // a mistake in the program
		}
	}
}

// Alias gives several rules one name. Areas do so when the program starts.
func Alias(name, tags string) { engine.RegisterAlias(name, tags) }

// MainSiteStays is the rule about changes of the location main: it is always shown,
// as the main site. The fault is empty when the change may be made.
func MainSiteStays(slug, kind string, hidden bool) (field, fault string) {
	switch {
	case slug != "main":
	case kind != "" && kind != "main_site":
		return "kind", "The location main is always the main site."
	case hidden:
		return "hidden", "The main site cannot be hidden."
	}
	return "", ""
}

// FieldName is the name that a struct's field has in a form, in the query of an
// address, or in a JSON body.
func FieldName(f reflect.StructField) string {
	if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
		return name
	}
	return f.Tag.Get("form")
}

// Fault is a broken rule.
type Fault struct {
	Field string // as forms and bodies have it; that of a list for one of its entries
	Rule  string
	Text  string // a sentence for people
	name  string // of the struct's field
}

// Check returns the rules in its binding tags that a struct breaks, in the order
// of its fields.
func Check(s any) []Fault {
	faults, _ := Faults(engine.Struct(s)) // a struct has no other error
	return faults
}

// Faults are the broken rules in an error of gin's binding. Any other error is
// returned.
func Faults(err error) ([]Fault, error) {
	list, is := errors.AsType[validator.ValidationErrors](err)
	if !is {
		return nil, err
	}
	faults := make([]Fault, len(list))
	for i, broken := range list {
		faults[i] = faultOf(broken)
	}
	return faults, nil
}

// BindFilters fills a struct from the query of an address, without spaces around
// the values. Values that break a rule do not filter: their fields are zero
// afterwards, and a sentence about each is returned.
func BindFilters(query url.Values, into any) (ignored []string) {
	trimmed := url.Values{}
	for name := range query {
		trimmed.Set(name, strings.TrimSpace(query.Get(name)))
	}
	if err := binding.MapFormWithTag(into, trimmed, "form"); err != nil {
		panic(err) // the struct has a field that not every text fits into
	}
	for _, f := range Check(into) {
		reflect.ValueOf(into).Elem().FieldByName(f.name).SetZero()
		ignored = append(ignored, f.Text)
	}
	return ignored
}

// Positive reads a decimal number of 64 bits as addresses have it: digits without
// a sign, the first of which is not 0. False, with 0: the value is not one.
func Positive(value string) (int64, bool) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || value[0] < '1' || value[0] > '9' {
		return 0, false
	}
	return n, true
}

func isEmail(value string) bool {
	a, err := mail.ParseAddress(value)
	return err == nil && a.Address == value && len(value) <= 254 && wording.IsText(value) && wording.IsShown(value)
}
