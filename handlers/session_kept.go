package handlers

import (
	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// What a session keeps, by name.
const keptConfirmed = "confirmed" // when the member last proved at the provider who they are: Unix seconds

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
	if err != nil || session.Values[sessionKeeps] != true {
		return "", err
	}
	return s.sessions.rows.Take(c.Request.Context(), sessionKey(session.ID), what)
}
