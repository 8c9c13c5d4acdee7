package handlers

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// carriedMax is how large a form may be for the login page to carry it, in
// bytes: it is read for somebody who is not logged in.
const carriedMax = 8 << 10

// carriedPrefix begins the names of the carried fields in the login form.
const carriedPrefix = "form."

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

// carriedFields are the carried fields of a login form that was sent.
func carriedFields(form url.Values) url.Values {
	carried := url.Values{}
	for name, values := range form {
		if name, ok := strings.CutPrefix(name, carriedPrefix); ok && !neverCarried(name) {
			carried[name] = values
		}
	}
	return carried
}

// Fields are the carried fields as the login form has them.
func (p *loginPage) Fields() []confirmField {
	var list []confirmField
	for name, values := range p.Carried {
		for _, value := range values {
			list = append(list, confirmField{carriedPrefix + name, value})
		}
	}
	return list
}

// loginContinued is for somebody who logged in at the provider, in another tab.
func (s *Site) loginContinued(c *gin.Context, p *loginPage) error {
	_, err := s.sessionUser(c)
	if errors.Is(err, models.ErrNotFound) {
		p.Fault = "You are not logged in yet."
		return s.showLogin(c, http.StatusUnauthorized, p)
	}
	if err != nil {
		return err
	}
	return s.goOn(c, p.Next, p.Carried)
}

// goOn leads to where somebody wanted to go who has just logged in. What was
// typed there waits with the session.
func (s *Site) goOn(c *gin.Context, next string, carried url.Values) error {
	next = localPath(next)
	if len(carried) == 0 {
		return s.redirect(c, next)
	}
	typed, err := json.Marshal(typedForm{next, carried})
	if err != nil {
		return err
	}
	if err := s.keep(c, keptForm, string(typed)); err != nil {
		return err
	}
	text := "Your session had ended, so nothing was saved yet. Check what you entered, then save it."
	if strings.HasPrefix(next, webhooksPath) {
		text += " Signing secrets and header values were not kept: enter them again."
	}
	return s.redirect(c, next, Flash{Kind: "warning", Text: text})
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
