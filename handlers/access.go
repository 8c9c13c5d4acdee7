package handlers

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// userKey is where a request's user is kept in gin's context.
const userKey = "user"

// userOf returns who is logged in; false: nobody.
func userOf(c *gin.Context) (models.User, bool) {
	value, _ := c.Get(userKey)
	user, ok := value.(models.User)
	return user, ok
}

// actorOf is who makes the change that the request asks for.
func actorOf(c *gin.Context) models.Actor {
	user, _ := userOf(c)
	return actorIs(c, user)
}

// actorIs is the user as the author of what the request does.
func actorIs(c *gin.Context, user models.User) models.Actor {
	by := user.Actor()
	by.From = c.ClientIP()
	return by
}

// memberOnly lets only members pass. Browsers are sent to log in, programs at
// an unknown address of an API are told so.
func (s *Site) memberOnly(c *gin.Context) {
	if isAPI(c.Request.URL.Path) {
		return
	}
	s.on(func(c *gin.Context) error {
		user, err := s.sessionUser(c)
		if errors.Is(err, models.ErrNotFound) {
			c.Abort()
			if carried := s.carry(c); carried != nil {
				return s.LogInAgain(c, carried)
			}
			return s.redirect(c, withNext(c, "/login"))
		}
		if err != nil {
			return err
		}
		c.Set(userKey, user)
		if user.MustChangePassword && c.Request.URL.Path != passwordPath {
			c.Abort()
			return s.redirect(c, withNext(c, passwordPath))
		}
		return nil
	})(c)
}

// adminOnly lets only administrators pass; it comes after memberOnly.
func (s *Site) adminOnly(c *gin.Context) {
	if user, _ := userOf(c); user.Role != models.RoleAdministrator {
		s.fail(c, forbidden("Only administrators can do this. You are a viewer: you can read everything but secrets and bodies."))
	}
}

// sessionUser returns who the session belongs to, models.ErrNotFound when
// there is no session or its user is gone or disabled.
func (s *Site) sessionUser(c *gin.Context) (models.User, error) {
	session, err := s.sessions.Get(c.Request, sessionCookie)
	if err != nil {
		return models.User{}, err
	}
	id, ok := session.Values[sessionUser].(int64)
	if !ok {
		return models.User{}, models.ErrNotFound
	}
	user, err := s.Store.Users.Get(c.Request.Context(), id)
	if err == nil && user.DisabledAt != nil {
		return models.User{}, models.ErrNotFound
	}
	return user, err
}

// startSession logs the user in under a new session id; the old session ends.
func (s *Site) startSession(c *gin.Context, user int64) error {
	session, err := s.sessions.Get(c.Request, sessionCookie)
	if err != nil {
		return err
	}
	if session.ID != "" {
		if err = s.sessions.rows.Delete(c.Request.Context(), sessionKey(session.ID)); err != nil {
			return err
		}
		session.ID = ""
	}
	session.Values[sessionUser] = user
	return session.Save(c.Request, c.Writer)
}

// withNext is a path that leads on to the page that the request is for; what
// has no page leads nowhere.
func withNext(c *gin.Context, path string) string {
	r := c.Request
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !refillable[c.FullPath()] {
		return path
	}
	return path + "?next=" + url.QueryEscape(r.URL.RequestURI())
}

func memberFlow(c *gin.Context) string {
	user, _ := userOf(c)
	return formatID(user.ID)
}
