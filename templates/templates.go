// Package templates holds the pages as HTML and renders them. Each page is the
// layout, all partials and one file of pages/, parsed together once at start;
// the page's file defines the block "main" and may define "title".
//
// It promises that New fails when any page does not parse, and that Render
// writes nothing unless the whole page could be rendered. It knows no records:
// the data of a page is in its struct in handlers.
package templates

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed layout.html partials/*.html pages/*.html
var files embed.FS

// Set is every page, parsed.
type Set struct {
	pages map[string]*template.Template
}

// New parses all pages with the functions given.
func New(funcs template.FuncMap) (*Set, error) {
	shared, err := template.New("layout.html").Funcs(funcs).
		ParseFS(files, "layout.html", "partials/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse layout: %w", err)
	}
	names, err := files.ReadDir("pages")
	if err != nil {
		return nil, fmt.Errorf("list pages: %w", err)
	}
	s := &Set{pages: make(map[string]*template.Template, len(names))}
	for _, entry := range names {
		t, err := shared.Clone()
		if err != nil {
			return nil, fmt.Errorf("clone layout: %w", err)
		}
		if _, err = t.ParseFS(files, path.Join("pages", entry.Name())); err != nil {
			return nil, fmt.Errorf("parse page: %w", err)
		}
		s.pages[strings.TrimSuffix(entry.Name(), ".html")] = t
	}
	return s, nil
}

// buffers hold pages while they are rendered; w keeps nothing of them.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Render writes the page, named as its file without ".html".
func (s *Set) Render(w io.Writer, page string, data any) error {
	return s.RenderFragment(w, page, "layout.html", data)
}

// RenderFragment writes one part of a page, named as its template.
func (s *Set) RenderFragment(w io.Writer, page, fragment string, data any) error {
	t, ok := s.pages[page]
	if !ok {
		return fmt.Errorf("no page named %q", page)
	}
	buf, _ := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	buf.Reset()
	if err := t.ExecuteTemplate(buf, fragment, data); err != nil {
		return fmt.Errorf("render %s of %s: %w", fragment, page, err)
	}
	if _, err := buf.WriteTo(w); err != nil {
		return fmt.Errorf("write %s: %w", page, err)
	}
	return nil
}

// Names lists the pages in alphabetical order.
func (s *Set) Names() []string {
	names := make([]string, 0, len(s.pages))
	for name := range s.pages {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Page returns one parsed page for a check of its types; nil: no such page.
func (s *Set) Page(name string) *template.Template { return s.pages[name] }
