package web

import (
	"path"

	"github.com/gin-gonic/gin"
)

// RedirectToParent answers whoever reads an address that only takes forms: a page may have
// been shown there, and reloading it or choosing an appearance comes back by
// reading. What it is about has its page one step up.
func (s *Site) RedirectToParent(c *gin.Context) error {
	return s.Redirect(c, path.Dir(c.Request.URL.EscapedPath()))
}

// Home leads to the first page.
func (s *Site) Home(c *gin.Context) error { return s.Redirect(c, WebhooksPath) }
