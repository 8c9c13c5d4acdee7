package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// The names of values that a session keeps for the next page.
const (
	OnceSignOn = "confirmed" // time of the last authentication at the provider: Unix seconds
	OnceForm   = "form"      // unsaved input from before a new login: a TypedForm as JSON
	OnceToken  = "token"     // a new token, which is shown once: a freshToken as JSON
	// OnceAddress is a source's new address with its token.
	OnceAddress = "address"
)

// SetOnce leaves something with the session that is to be used once.
func (s *Site) SetOnce(c *gin.Context, what, text string) error {
	session, err := s.Sessions.Get(c.Request, SessionCookie)
	if err != nil {
		return err
	}
	if session.ID == "" {
		return models.ErrNotFound
	}
	return s.Sessions.Rows.Keep(c.Request.Context(), SessionKey(session.ID), what, text)
}

// TakeOnce returns the session's value of a name, and erases it; empty: there
// is none.
func (s *Site) TakeOnce(c *gin.Context, what string) (string, error) {
	session, err := s.Sessions.Get(c.Request, SessionCookie)
	if err != nil || session.Values[sessionOnce] != true || c.Request.Method == http.MethodHead {
		return "", err
	}
	return s.Sessions.Rows.Pop(c.Request.Context(), SessionKey(session.ID), what)
}
