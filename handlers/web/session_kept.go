package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// The names of values that a session keeps for the next page.
const (
	KeptConfirmed = "confirmed" // time of the last authentication at the provider: Unix seconds
	KeptForm      = "form"      // unsaved input from before a new login: a TypedForm as JSON
	KeptToken     = "token"     // a new token, which is shown once: a freshToken as JSON
)

// Keep leaves something with the session that is to be used once.
func (s *Site) Keep(c *gin.Context, what, text string) error {
	session, err := s.Sessions.Get(c.Request, SessionCookie)
	if err != nil {
		return err
	}
	if session.ID == "" {
		return models.ErrNotFound
	}
	return s.Sessions.Rows.Keep(c.Request.Context(), SessionKey(session.ID), what, text)
}

// TakeKept returns the session's value of a name, and erases it; empty: there
// is none.
func (s *Site) TakeKept(c *gin.Context, what string) (string, error) {
	session, err := s.Sessions.Get(c.Request, SessionCookie)
	if err != nil || session.Values[sessionKeeps] != true || c.Request.Method == http.MethodHead {
		return "", err
	}
	return s.Sessions.Rows.Pop(c.Request.Context(), SessionKey(session.ID), what)
}
