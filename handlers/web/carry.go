package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// CarriedMax is how large a form may be for the login page to carry it, in
// bytes: it is read for somebody who is not logged in.
const CarriedMax = 8 << 10

// refillable are the routes of the forms that can be shown again with what was
// typed into them.
var refillable = map[string]bool{
	"/admin/webhooks/new": true, "/admin/webhooks/:id/edit": true, "/developer/site-settings/edit": true,
	"/admin/tokens": true, "/admin/members": true, "/admin/locations": true, "/admin/locations/:id": true,
}

// TypedForm is what was typed into the form of a page and not saved.
type TypedForm struct {
	Path   string // of the page, with its query
	Fields url.Values
}

// carry reads the form that somebody sent whose session has ended; nil: the
// login page does not carry it.
func (s *Site) carry(c *gin.Context) url.Values {
	r := c.Request
	if r.Method != http.MethodPost || !refillable[c.FullPath()] || c.GetHeader(PartHeader) != "" || r.ContentLength > CarriedMax {
		return nil
	}
	if s.ParseOpenForm(c, CarriedMax) != nil || len(r.PostForm) == 0 {
		return nil
	}
	carried := url.Values{}
	for name, values := range r.PostForm {
		if !NeverCarried(name) {
			carried[name] = values
		}
	}
	return carried
}

// NeverCarried tells fields whose content has to be entered anew.
func NeverCarried(name string) bool {
	return strings.Contains(name, "password") || strings.HasPrefix(name, "secret_") || name == "headers" || name == "do"
}

// TypedBefore returns what was typed into the form of this page before its
// reader had to log in; nil: nothing.
func (s *Site) TypedBefore(c *gin.Context) (url.Values, error) {
	text, err := s.TakeKept(c, KeptForm)
	if err != nil || text == "" {
		return nil, err
	}
	var typed TypedForm
	if err := json.Unmarshal([]byte(text), &typed); err != nil || typed.Path != c.Request.URL.RequestURI() {
		return nil, err
	}
	return typed.Fields, nil
}
