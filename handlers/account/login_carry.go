package account

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// carriedPrefix begins the names of the carried fields in the login form.
const carriedPrefix = "form."

// LogInAgain shows the login page for a request whose session has ended.
func (s *Pages) LogInAgain(c *gin.Context, carried url.Values) error {
	return s.showLogin(c, http.StatusUnauthorized, &loginPage{Next: c.Request.URL.RequestURI(), Carried: carried})
}

// carriedFields are the carried fields of a login form that was sent.
func carriedFields(form url.Values) url.Values {
	posted := url.Values{}
	for name, values := range form {
		if name, ok := strings.CutPrefix(name, carriedPrefix); ok {
			posted[name] = values
		}
	}
	return web.Carried(posted)
}

// Fields are the carried fields as the login form has them.
func (p *loginPage) Fields() []web.ConfirmField {
	var list []web.ConfirmField
	for name, values := range p.Carried {
		for _, value := range values {
			list = append(list, web.ConfirmField{Name: carriedPrefix + name, Value: value})
		}
	}
	return list
}

// loginContinued handles a login at the provider in another tab.
func (s *Pages) loginContinued(c *gin.Context, p *loginPage) error {
	_, err := s.SessionUser(c)
	if errors.Is(err, models.ErrNotFound) {
		p.Fault = "You are not logged in yet."
		return s.showLogin(c, http.StatusUnauthorized, p)
	}
	if err != nil {
		return err
	}
	return s.continueTo(c, p.Next, p.Carried)
}

// continueTo redirects a member to the requested page after login. Unsaved
// input is stored in the session.
func (s *Pages) continueTo(c *gin.Context, next string, carried url.Values) error {
	next = web.LocalPath(next)
	if len(carried) == 0 {
		return s.Redirect(c, next)
	}
	typed, err := json.Marshal(web.TypedForm{Path: next, Fields: carried})
	if err != nil {
		return err
	}
	if err := s.SetOnce(c, web.OnceForm, string(typed)); err != nil {
		return err
	}
	text := "Your session ended before this was saved. Check your entries, then save."
	switch isWebhook := strings.HasPrefix(next, web.WebhooksPath); {
	case isWebhook && !carried.Has("url"):
		text += " Signing secrets, header values and the URL, which is a secret itself, were not kept. Enter them again."
	case isWebhook:
		text += " Signing secrets and header values were not kept. Enter them again."
	}
	return s.Redirect(c, next, web.Flash{Kind: "warning", Text: text})
}
