package web_test

import (
	"html/template"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/static"
	"github.com/sitehooks/sitehooks/templates"
)

// TestPageIsWrittenWholeOrNotAtAll: a page that breaks off is answered with the
// 500 page, and nothing of it, neither its status nor its headers, is sent.
func TestPageIsWrittenWholeOrNotAtAll(t *testing.T) {
	breaks := false
	funcs := web.Funcs(static.Path)
	funcs["themeClass"] = func(string) (template.HTML, error) {
		if breaks {
			return "", http.ErrAbortHandler
		}
		return "theme-system", nil
	}
	set, err := templates.New(funcs)
	webtest.OK(t, err)
	c := webtest.NewConsole(t, func(d *handlers.Deps) { d.Templates = set })
	page := func() *web.ConfirmPage { return &web.ConfirmPage{Page: web.Page{Title: "A page"}} }
	c.Engine.GET("/whole", c.Site.On(func(g *gin.Context) error { return c.Site.Render(g, http.StatusTeapot, "confirm", page()) }))
	c.Engine.GET("/part", c.Site.On(func(g *gin.Context) error {
		return c.Site.RenderFragment(g, http.StatusTeapot, "confirm", page(), "main", "not there")
	}))
	fragment := func(name string) *webtest.Answer {
		req := c.Request(http.MethodGet, "/part", nil)
		req.Header.Set(web.FragmentHeader, name)
		return c.Do(req)
	}
	a := c.Get("/whole").Want(http.StatusTeapot)
	if a.Header.Get("Content-Type") != "text/html; charset=utf-8" || a.Header.Get("Cache-Control") != "no-store" || !strings.HasSuffix(strings.TrimSpace(a.Body), "</html>") {
		t.Errorf("the page comes as %v", a.Header)
	}
	if a = fragment("main").Want(http.StatusOK); a.Header.Get(web.FragmentHeader) != "main" || strings.Contains(a.Body, "<html") || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the part comes as %v: %q", a.Header, a.Body)
	}
	a = fragment("not there").Want(http.StatusInternalServerError)
	if a.Header.Get(web.FragmentHeader) != "" || !strings.Contains(a.Text("h1"), "went wrong") {
		t.Errorf("a part that breaks off comes as %v: %q", a.Header, a.Text("h1"))
	}
	breaks = true
	a = c.Get("/whole").Want(http.StatusInternalServerError)
	if a.Text("title") != "Something went wrong · Sitehooks" || strings.Contains(a.Body, "A page") {
		t.Errorf("a page that breaks off: %q", a.Body)
	}
}
