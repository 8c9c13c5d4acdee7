package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// CarriedMax is how large a form may be for the login page to carry it, in
// bytes. The sender of this form is not logged in.
const CarriedMax = 8 << 10

// refillable are the routes of the forms that can be shown again with their
// input.
var refillable = map[string]bool{
	"/admin/webhooks/new": true, "/admin/webhooks/:id/edit": true, "/developer/site-settings/edit": true,
	"/admin/tokens": true, "/admin/members": true, "/admin/locations": true, "/admin/locations/:id": true,
}

// TypedForm is the unsaved input of a page's form.
type TypedForm struct {
	Path   string // of the page, with its query
	Fields url.Values
}

// carry reads a form that was sent after its session had ended; nil: the login
// page does not carry it.
func (s *Site) carry(c *gin.Context) url.Values {
	r := c.Request
	if r.Method != http.MethodPost || !refillable[c.FullPath()] || c.GetHeader(FragmentHeader) != "" || r.ContentLength > CarriedMax {
		return nil
	}
	if s.ParseOpenForm(c, CarriedMax) != nil || len(r.PostForm) == 0 {
		return nil
	}
	return Carried(r.PostForm)
}

// Carried are the fields of a form that do not have to be entered again after a
// login: all but secrets.
func Carried(form url.Values) url.Values {
	carried := url.Values{}
	for name, values := range form {
		secret := strings.Contains(name, "password") || strings.HasPrefix(name, "secret_") || name == "headers" || name == "url" && secretURL(form)
		if !secret && name != "do" {
			carried[name] = values
		}
	}
	return carried
}

// secretURL reports whether the target URL of a webhook's form is a credential,
// which its type decides. It is when the form names none: a type looked up by the
// webhook's number would show people who are not logged in of which type it is.
func secretURL(form url.Values) bool {
	f, known := wire.Lookup(form.Get("type"))
	return !known || f.SecretURL
}

// TypedBefore returns the unsaved input of this page's form from before a
// login; nil: none.
func (s *Site) TypedBefore(c *gin.Context) (url.Values, error) {
	text, err := s.TakeOnce(c, OnceForm)
	if err != nil || text == "" {
		return nil, err
	}
	var typed TypedForm
	if err := json.Unmarshal([]byte(text), &typed); err != nil || typed.Path != c.Request.URL.RequestURI() {
		return nil, err
	}
	return typed.Fields, nil
}
