package handlers

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// carriedMax is how large a form may be for the login page to carry it, in
// bytes: it is read for somebody who is not logged in.
const carriedMax = 8 << 10

// refillable are the routes of the forms that can be shown again with what was
// typed into them.
var refillable = map[string]bool{
	"/admin/webhooks/new": true, "/admin/webhooks/:id/edit": true, "/developer/site-settings/edit": true,
	"/admin/tokens": true, "/admin/members": true, "/admin/locations": true, "/admin/locations/:id": true,
}

// typedForm is what was typed into the form of a page and not saved.
type typedForm struct {
	Path   string // of the page, with its query
	Fields url.Values
}

// carry reads the form that somebody sent whose session has ended; nil: the
// login page does not carry it.
func (s *Site) carry(c *gin.Context) url.Values {
	r := c.Request
	if r.Method != http.MethodPost || !refillable[c.FullPath()] || c.GetHeader(partHeader) != "" || r.ContentLength > carriedMax {
		return nil
	}
	if s.parseOpenForm(c, carriedMax) != nil || len(r.PostForm) == 0 {
		return nil
	}
	carried := url.Values{}
	for name, values := range r.PostForm {
		if !neverCarried(name) {
			carried[name] = values
		}
	}
	return carried
}

// neverCarried tells fields whose content has to be entered anew.
func neverCarried(name string) bool {
	return strings.Contains(name, "password") || strings.HasPrefix(name, "secret_") || name == "headers" || name == "do"
}

// typedBefore returns what was typed into the form of this page before its
// reader had to log in; nil: nothing.
func (s *Site) typedBefore(c *gin.Context) (url.Values, error) {
	text, err := s.takeKept(c, keptForm)
	if err != nil || text == "" {
		return nil, err
	}
	var typed typedForm
	if err := json.Unmarshal([]byte(text), &typed); err != nil || typed.Path != c.Request.URL.RequestURI() {
		return nil, err
	}
	return typed.Fields, nil
}
