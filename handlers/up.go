package handlers

import (
	"path"

	"github.com/gin-gonic/gin"
)

// up answers whoever reads an address that only takes forms: a page may have
// been shown there, and reloading it or choosing an appearance comes back by
// reading. What it is about has its page one step up.
func (s *Site) up(c *gin.Context) error {
	return s.redirect(c, path.Dir(c.Request.URL.EscapedPath()))
}

// home leads to the first page.
func (s *Site) home(c *gin.Context) error { return s.redirect(c, webhooksPath) }
