package web

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/gin-gonic/gin/render"

	"github.com/sitehooks/sitehooks/templates"
)

// HTMLRender is gin's rendering of our pages. Status, headers and page are
// written together, and only when the whole page could be rendered.
func (s *Site) HTMLRender() render.HTMLRender { return pages{s.Templates} }

type pages struct{ set *templates.Set }

// Instance implements render.HTMLRender; data is a struct that embeds Page.
func (p pages) Instance(name string, data any) render.Render { return page{p.set, name, data} }

// page is a page with the struct that it is rendered with.
type page struct {
	set  *templates.Set
	name string
	data any
}

// WriteContentType implements render.Render.
func (p page) WriteContentType(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
}

// Render implements render.Render. After an error nothing has been written.
func (p page) Render(w http.ResponseWriter) error {
	data, is := p.data.(pager)
	if !is {
		return fmt.Errorf("the struct of %s embeds no Page", p.name)
	}
	out := pageWriter{w, p, data.base()}
	if fragment := out.base.fragment; fragment != "" {
		return p.set.RenderFragment(out, p.name, fragment, data)
	}
	return p.set.Render(out, p.name, data)
}

// pageWriter begins the answer when a page comes, which is when it has been
// rendered without a fault.
type pageWriter struct {
	http.ResponseWriter
	page page
	base *Page
}

// Write sends the headers and the whole page. It never fails.
func (w pageWriter) Write(rendered []byte) (int, error) {
	w.base.rendered()
	w.page.WriteContentType(w)
	// Pages show the member's name and input, so caches must not store them.
	w.Header().Set("Cache-Control", "no-store")
	if w.base.fragment != "" {
		w.Header().Set(FragmentHeader, w.base.fragment)
	}
	_, _ = w.ResponseWriter.Write(rendered) // an error means that the client has gone
	return len(rendered), nil
}

// html answers with a page, or returns why it could not be rendered.
func (s *Site) html(c *gin.Context, status int, name string, data pager) error {
	data.base().rendered = func() {
		if q := queryPlaceOf(c.Request.Context()); q != nil {
			q.release()
		}
	}
	before := len(c.Errors)
	c.HTML(status, name, data)
	if len(c.Errors) > before {
		return c.Errors.Last().Err
	}
	return nil
}
