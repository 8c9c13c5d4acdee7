package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// What a session keeps for the next page, by name.
const (
	keptConfirmed = "confirmed" // when the member last proved at the provider who they are: Unix seconds
	keptForm      = "form"      // what was typed before the member had to log in again: a typedForm as JSON
	keptToken     = "token"     // a new token, which is shown once: a freshToken as JSON
)

// keep leaves something with the session that is to be used once.
func (s *Site) keep(c *gin.Context, what, text string) error {
	session, err := s.sessions.Get(c.Request, sessionCookie)
	if err != nil {
		return err
	}
	if session.ID == "" {
		return models.ErrNotFound
	}
	return s.sessions.rows.Keep(c.Request.Context(), sessionKey(session.ID), what, text)
}

// takeKept returns what was kept with the session under a name, and erases it;
// empty: there is nothing.
func (s *Site) takeKept(c *gin.Context, what string) (string, error) {
	session, err := s.sessions.Get(c.Request, sessionCookie)
	if err != nil || session.Values[sessionKeeps] != true || c.Request.Method == http.MethodHead {
		return "", err
	}
	return s.sessions.rows.Take(c.Request.Context(), sessionKey(session.ID), what)
}
