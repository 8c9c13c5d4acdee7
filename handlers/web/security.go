package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/wording"
)

// policy lets a page load only our own files and send forms only to ourselves.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; connect-src 'self'"

// formLimit is the most that a form may hold, in bytes.
const formLimit = 1 << 20

// Secured sets the headers that every answer carries.
func (s *Site) Secured(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	if s.BaseURL.Scheme == "https" {
		h.Set("Cross-Origin-Opener-Policy", "same-origin") // browsers ignore it over http, and complain
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// Readable refuses addresses that no database column could hold.
func (s *Site) Readable(c *gin.Context) {
	ok := wording.IsText(c.Request.URL.Path)
	for _, values := range c.Request.URL.Query() {
		for _, v := range values {
			ok = ok && wording.IsText(v)
		}
	}
	if !ok {
		s.Fail(c, &StatusError{http.StatusBadRequest, "This address contains characters that are not text."})
	}
}
