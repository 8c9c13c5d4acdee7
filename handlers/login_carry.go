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

// carriedPrefix begins the names of the carried fields in the login form.
const carriedPrefix = "form."

// logInAgain shows the login page for the request of somebody whose session has
// ended.
func (s *accountPages) logInAgain(c *gin.Context, carried url.Values) error {
	return s.showLogin(c, http.StatusUnauthorized, &loginPage{Next: c.Request.URL.RequestURI(), Carried: carried})
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
func (s *accountPages) loginContinued(c *gin.Context, p *loginPage) error {
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
func (s *accountPages) goOn(c *gin.Context, next string, carried url.Values) error {
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
