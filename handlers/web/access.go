package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// userKey is where a request's user is kept in gin's context.
const userKey = "user"

// UserOf returns the user who is logged in; false: none.
func UserOf(c *gin.Context) (models.User, bool) {
	value, _ := c.Get(userKey)
	user, ok := value.(models.User)
	return user, ok
}

// ActorOf is the author of the request's changes.
func ActorOf(c *gin.Context) models.Actor {
	user, _ := UserOf(c)
	return ActorIs(c, user)
}

// ActorIs is the user as the author of the request's changes.
func ActorIs(c *gin.Context, user models.User) models.Actor {
	by := user.Actor()
	by.From = c.ClientIP()
	return by
}

// MemberOnly lets only members pass. Browsers are sent to log in, programs at
// an unknown address of an API are told so.
func (s *Site) MemberOnly(c *gin.Context) {
	if IsAPI(c.Request.URL.Path) {
		return
	}
	s.On(func(c *gin.Context) error {
		user, err := s.SessionUser(c)
		if errors.Is(err, models.ErrNotFound) {
			c.Abort()
			if carried := s.carry(c); carried != nil {
				return s.LogInAgain(c, carried)
			}
			return s.Redirect(c, withNext(c, "/login"))
		}
		if err != nil {
			return err
		}
		c.Set(userKey, user)
		if user.MustChangePassword && c.Request.URL.Path != PasswordPath {
			c.Abort()
			return s.Redirect(c, withNext(c, PasswordPath))
		}
		return nil
	})(c)
}

// AdminOnly lets only administrators pass; it comes after MemberOnly.
func (s *Site) AdminOnly(c *gin.Context) {
	if user, _ := UserOf(c); user.Role != models.RoleAdministrator {
		sees := "everything"
		if user.Limited {
			sees = "everything of your locations"
		}
		s.Fail(c, forbidden("Only administrators can do this. As a viewer, you can see "+sees+" except secrets and message bodies."))
	}
}

// Within returns the locations that the request may see: those of its member. A
// request without a member may see none.
func (s *Site) Within(c *gin.Context) models.LocationSet {
	user, _ := UserOf(c)
	return user.Within()
}

// AnyLocation names all the locations that the request may see, as a filter's choice.
func (s *Site) AnyLocation(c *gin.Context) string {
	if s.Within(c).All() {
		return "All locations"
	}
	return "Your locations"
}

// Unlimited lets only members pass who may see all locations; it comes after
// MemberOnly. It is for pages and changes that concern the whole installation.
func (s *Site) Unlimited(c *gin.Context) {
	if !s.Within(c).All() {
		s.Fail(c, forbidden("Your account is limited to some locations, and this concerns all of them. "+
			"Ask an administrator of all locations."))
	}
}

// SessionUser returns the session's user, or models.ErrNotFound when there is
// no session or its user is gone or disabled.
func (s *Site) SessionUser(c *gin.Context) (models.User, error) {
	session, err := s.Sessions.Get(c.Request, SessionCookie)
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

// StartSession logs the user in under a new session id; the old session ends.
func (s *Site) StartSession(c *gin.Context, user int64) error {
	session, err := s.Sessions.Get(c.Request, SessionCookie)
	if err != nil {
		return err
	}
	if session.ID != "" {
		if err = s.Sessions.Rows.Delete(c.Request.Context(), SessionKey(session.ID)); err != nil {
			return err
		}
		session.ID = ""
	}
	session.Values[sessionUser] = user
	return session.Save(c.Request, c.Writer)
}

// withNext is a path that leads on to the page that the request is for; it is
// unchanged for a request without a page.
func withNext(c *gin.Context, path string) string {
	r := c.Request
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !refillable[c.FullPath()] {
		return path
	}
	return path + "?next=" + url.QueryEscape(r.URL.RequestURI())
}

// MemberFlow is the limiters' key of the member who is logged in: the user's
// number, or "0" without a login.
func MemberFlow(c *gin.Context) string {
	user, _ := UserOf(c)
	return FormatID(user.ID)
}
