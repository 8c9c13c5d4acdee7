// Package reference shows the APIs as their OpenAPI description has them: every
// operation with examples that run as they stand, the objects, and every type of
// event.
package reference

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api/openapi"
	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
)

// Path is the address of the page.
const Path = "/developer/api"

// Pages are the page about the APIs.
type Pages struct {
	*web.Site
	groups  []group
	objects []object
	events  []eventGroup
}

// group is the operations on one kind of thing.
type group struct {
	Name, Label string

	Operations []operation
}

type operation struct {
	ID, Method, Path, Summary, Scope string

	Description string // what it says besides; empty: nothing
	Params      []field
	Body        []field
	Object      string // of the body
	NeedsBody   bool
	Responses   []outcome // of a success
	Errors      []outcome
	Example     example
	text        string // that a search looks at, in lower case
}

// outcome is one of the statuses that an operation answers with.
type outcome struct {
	Status, Words string
	Object        string // empty: there is none, or it is the one of all errors
}

// object is a value that several operations take or answer with.
type object struct {
	Name   string
	Fields []field
	text   string
}

// eventGroup is families of events that have the same fields.
type eventGroup struct {
	Fields   []field
	Families []family
}

// family is the types of events about one kind of thing.
type family struct {
	Name, Label string
	Types       []eventType
}

type eventType struct {
	ID, Name string
	Example  []deliveries.CodePart
	text     string
}

// New reads the description, which never changes while the program runs.
func New(site *web.Site) (*Pages, error) {
	doc, err := readDocument(openapi.Build(site.Version))
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(site.BaseURL.String(), "/")
	p := &Pages{Site: site, groups: doc.groups(base)}
	p.events = doc.events()
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
		if doc.isObject(name) {
			fields := doc.fieldsOf(doc.Components.Schemas[name], false)
			p.objects = append(p.objects, object{name, fields, strings.ToLower(name + "\n" + text(fields))})
		}
	}
	return p, nil
}

// methods are in the order of the page.
var methods = []string{"get", "post", "put", "patch", "delete"}

// groups are the operations by their tags.
func (doc *document) groups(base string) (groups []group) {
	for _, tag := range doc.Tags {
		g := group{Name: tag.Name, Label: strings.ToUpper(tag.Name[:1]) + tag.Name[1:]}
		for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
			for _, method := range methods {
				if slices.Contains(doc.Paths[path][method].Tags, tag.Name) {
					g.Operations = append(g.Operations, doc.operation(base, method, path))
				}
			}
		}
		groups = append(groups, g)
	}
	return groups
}

func (doc *document) operation(base, method, path string) operation {
	in := doc.Paths[path][method]
	op := operation{ID: in.OperationID, Method: strings.ToUpper(method), Path: path, Summary: in.Summary}
	for _, one := range in.Security {
		op.Scope = strings.Join(one["token"], " or ")
	}
	op.Description = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(in.Description, op.Summary+"."), "Needs the scope "+op.Scope+"."))
	for _, p := range in.Parameters {
		s := p.Schema
		s.Description = p.Description
		op.Params = append(op.Params, field{Name: p.Name, In: p.In, Kind: s.kind(), Required: p.Required, Words: s.words()})
	}
	body := in.RequestBody.Content[jsonType]
	op.NeedsBody, op.Object = in.RequestBody.Required, body.refers()
	if s := doc.Components.Schemas[op.Object]; s != nil {
		op.Body = doc.fieldsOf(s, false)
	}
	for _, status := range slices.Sorted(maps.Keys(in.Responses)) {
		r := in.Responses[status]
		if status >= "400" {
			op.Errors = append(op.Errors, outcome{Status: status, Words: r.Description})
			continue
		}
		op.Responses = append(op.Responses, outcome{status, r.Description, r.Content[jsonType].refers()})
	}
	op.Example = exampleOf(base, op.Method, path, in.Parameters, body.Example)
	op.Example.ID = op.ID
	op.text = strings.ToLower(strings.Join([]string{op.ID, op.Method, path, op.Summary, op.Description, text(op.Params), text(op.Body)}, "\n"))
	return op
}

// events are the types of events in the order of the description.
func (doc *document) events() (groups []eventGroup) {
	for _, one := range doc.Components.Schemas[allEvents].AnyOf {
		name := one.refers()
		s := doc.Components.Schemas[name]
		if s.Properties["type"].Const != nil {
			s.Properties["type"] = &schema{Type: kinds{"string"}, Description: "One of the types of these events"}
		}
		fields := doc.fieldsOf(s, true)
		if n := len(groups); n == 0 || !reflect.DeepEqual(groups[n-1].Fields, fields) {
			groups = append(groups, eventGroup{Fields: fields})
		}
		g := &groups[len(groups)-1]
		first, _, _ := strings.Cut(name, ".")
		label := strings.TrimSuffix(s.Description, ".")
		if n := len(g.Families); n == 0 || g.Families[n-1].Name != first {
			g.Families = append(g.Families, family{Name: first, Label: label})
		}
		f := &g.Families[len(g.Families)-1]
		f.Types = append(f.Types, eventType{
			ID: "event-" + name, Name: s.Title, Example: deliveries.PrettyCode(s.Examples[0]), text: strings.ToLower(s.Title + "\n" + label + "\n" + text(fields)),
		})
	}
	return groups
}

// find is the group with the types that a search has found.
func (g eventGroup) find(has func(text string) bool) (found eventGroup, types int) {
	found.Fields = g.Fields
	for _, f := range g.Families {
		f.Types = slices.DeleteFunc(slices.Clone(f.Types), func(e eventType) bool { return !has(e.text) })
		if len(f.Types) > 0 {
			found.Families, types = append(found.Families, f), types+len(f.Types)
		}
	}
	return found, types
}

// page is the page, or what a search found of it.
type page struct {
	web.Page
	Query, Lang string
	Langs       []language
	Base        string
	Groups      []group
	Objects     []object
	Events      []eventGroup
	Found       []string // how many of each, in words
}

// language is one that the examples are written in.
type language struct {
	Name, Label string
	Class       string // of an example in it
	Chosen      bool
}

// languages are in the order of the page, the first being the usual one.
var languages = []language{
	{Name: "curl", Label: "curl", Class: "ex-curl"},
	{Name: "go", Label: "Go", Class: "ex-go"},
	{Name: "javascript", Label: "JavaScript", Class: "ex-javascript"},
	{Name: "python", Label: "Python", Class: "ex-python"},
}

// Show shows the page.
func (s *Pages) Show(c *gin.Context) error {
	p := &page{Page: web.Page{Title: "API reference", Nav: "api"}, Query: strings.TrimSpace(c.Query("q")), Lang: languages[0].Name}
	for _, l := range languages {
		if l.Name == c.Query("lang") {
			p.Lang = l.Name
		}
	}
	for _, l := range languages {
		l.Chosen = l.Name == p.Lang
		p.Langs = append(p.Langs, l)
	}
	p.Base = strings.TrimSuffix(s.BaseURL.String(), "/")
	s.find(p, strings.Fields(strings.ToLower(p.Query)))
	return s.Render(c, http.StatusOK, "api_reference", p)
}

// find puts on the page what has all words of a search.
func (s *Pages) find(p *page, words []string) {
	has := func(text string) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return !hasWord(text, word) })
	}
	var operations, types int
	for _, g := range s.groups {
		g.Operations = slices.DeleteFunc(slices.Clone(g.Operations), func(op operation) bool { return !has(op.text) })
		if len(g.Operations) > 0 {
			p.Groups, operations = append(p.Groups, g), operations+len(g.Operations)
		}
	}
	for _, g := range s.events {
		if found, n := g.find(has); n > 0 {
			p.Events, types = append(p.Events, found), types+n
		}
	}
	p.Objects = slices.DeleteFunc(slices.Clone(s.objects), func(o object) bool { return !has(o.text) })
	for _, found := range []struct {
		n         int
		one, many string
	}{{operations, "operation", "operations"}, {len(p.Objects), "object", "objects"}, {types, "event type", "event types"}} {
		if found.n > 0 {
			p.Found = append(p.Found, web.Plural(int64(found.n), found.one, found.many))
		}
	}
}

// hasWord tells whether a word of the text begins so.
func hasWord(text, begin string) bool {
	first, _ := utf8.DecodeRuneInString(begin)
	for at := 0; ; {
		i := strings.Index(text[at:], begin)
		if i < 0 {
			return false
		}
		at += i
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		if at == 0 || !unicode.IsLetter(before) || !unicode.IsLetter(first) {
			return true
		}
		at += len(begin)
	}
}

// All is the address of the page without a search, in the same language.
func (p *page) All() string {
	if p.Lang == languages[0].Name {
		return Path
	}
	return Path + "?lang=" + p.Lang
}

// Templates are the templates of these pages, each with the struct that it is
// rendered with.
func Templates() map[string]any { return map[string]any{"api_reference": &page{}} }
