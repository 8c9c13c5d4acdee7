package web

import (
	"path"

	"github.com/gin-gonic/gin"
)

// RedirectToParent answers a GET of an address that only accepts forms.
// Reloading a page shown after a form, or choosing an appearance there, sends
// such a GET. The parent path is the page of the same thing.
func (s *Site) RedirectToParent(c *gin.Context) error {
	return s.Redirect(c, path.Dir(c.Request.URL.EscapedPath()))
}

// Home leads to the first page.
func (s *Site) Home(c *gin.Context) error { return s.Redirect(c, OverviewPath) }
