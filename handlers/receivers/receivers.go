// Package receivers shows how to receive each type of webhook: the guide of its
// document, and a catalogue of its events, each with an example made by the code
// that makes test notifications.
package receivers

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"github.com/sitehooks/sitehooks/docs"
	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
)

// Path is the address of the guides.
const Path = "/developer/receivers"

// Pages are the guides for receivers.
type Pages struct {
	*web.Site
	guides map[string]Guide // by type
}

// Guide is a document in HTML.
type Guide struct {
	Title string
	Text  template.HTML
}

// New renders the guides, which never change.
func New(site *web.Site) (*Pages, error) {
	p := &Pages{Site: site, guides: map[string]Guide{}}
	for _, f := range wire.Formats() {
		text, err := docs.Receivers.ReadFile("receivers/" + f.Name + ".md")
		if err != nil {
			continue // a type without a guide has its catalogue
		}
		if p.guides[f.Name], err = Render(text); err != nil {
			return nil, fmt.Errorf("render the guide of %s: %w", f.Name, err)
		}
	}
	return p, nil
}

// Render turns a document into HTML. Its first heading is that of the page. HTML
// inside the document is left out.
func Render(text []byte) (Guide, error) {
	title, rest, _ := strings.Cut(string(text), "\n")
	var html bytes.Buffer
	if err := goldmark.New(goldmark.WithExtensions(extension.Table)).Convert([]byte(rest), &html); err != nil {
		return Guide{}, err
	}
	return Guide{
		Title: strings.ReplaceAll(strings.TrimPrefix(title, "# "), "`", ""),
		Text:  template.HTML(html.String()), //nolint:gosec // our own document, rendered without its HTML
	}, nil
}

// listPage names the types.
type listPage struct {
	web.Page
	Types []typeLine
}

type typeLine struct{ Path, Label, Title string }

// List lists the guides.
func (s *Pages) List(c *gin.Context) error {
	p := &listPage{Page: web.Page{Title: "Receiver guides", Nav: "webhooks"}}
	for _, f := range wire.Formats() {
		p.Types = append(p.Types, typeLine{Path + "/" + f.Name, f.Label, s.guides[f.Name].Title})
	}
	return s.Render(c, http.StatusOK, "receivers", p)
}

// guidePage is the guide of a type, and the catalogue of its events.
type guidePage struct {
	web.Page
	Format *wire.Format
	Text   template.HTML // empty: there is no guide
	Groups []eventGroup
}

type eventGroup struct {
	Label  string
	Events []eventLine
}

// eventLine is an event with its notification.
type eventLine struct {
	ID    string // of its place on the page
	Type  string // as the site reports it
	Label string // as the form has it
	Body  []deliveries.CodePart
}

// Show shows the guide of a type.
func (s *Pages) Show(c *gin.Context) error {
	f, known := wire.Lookup(c.Param("type"))
	if !known {
		return web.NotFound("There is no such type of webhook.")
	}
	p := &guidePage{Page: web.Page{Title: "Receive " + f.Label + " webhooks", Nav: "webhooks"}, Format: f, Text: s.guides[f.Name].Text}
	var err error
	if p.Groups, err = catalogue(f); err != nil {
		return err
	}
	return s.Render(c, http.StatusOK, "receiver", p)
}

// catalogue is every event that a type can report.
func catalogue(f *wire.Format) ([]eventGroup, error) {
	var groups []eventGroup
	for _, o := range f.Options {
		label := web.OrNone(o.Group, "Questions and answers")
		i := slices.IndexFunc(groups, func(g eventGroup) bool { return g.Label == label })
		if i < 0 {
			i, groups = len(groups), append(groups, eventGroup{Label: label})
		}
		for _, kind := range o.Events {
			body, _, err := f.Build([]wire.Event{wire.SampleEvent(kind)}, wire.Draft{ID: exampleID, WebhookName: "Example webhook"})
			if err != nil {
				return nil, fmt.Errorf("build an example of %s: %w", kind.Type, err)
			}
			groups[i].Events = append(groups[i].Events, eventLine{
				ID: "event-" + kind.Family + "-" + kind.Type, Type: kind.Type, Label: o.Label, Body: deliveries.PrettyCode(body),
			})
		}
	}
	return groups, nil
}

// exampleID stands for a delivery's id in bodies that have one.
const exampleID = "6f8b1f5e-3c1d-4a51-9a55-0d6f0e1c2a11"

// Templates are the templates of these pages, each with the struct that it is
// rendered with.
func Templates() map[string]any {
	return map[string]any{"receiver": &guidePage{}, "receivers": &listPage{}}
}
