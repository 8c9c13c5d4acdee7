package handlers

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/models"
)

type userStore interface {
	Get(ctx context.Context, id int64) (models.User, error)
	ByEmail(ctx context.Context, email string) (models.User, error)
	SetPassword(ctx context.Context, id int64, hash string) error
	LoginFailures(ctx context.Context, key string, window time.Duration) (n int, oldest time.Time, err error)
	RecordLoginFailure(ctx context.Context, key string) error
	ClearLoginFailures(ctx context.Context, key string) error
}

const (
	loginWindow   = 15 * time.Minute
	loginFailures = 10 // allowed for an account and address within the window
)

type loginPage struct {
	page
	Email, Next string
	Carried     url.Values // what was typed into the form at Next, which was not saved
	Fault       string     // in words; empty: none
	SignOn      string     // path of single sign-on; empty: there is none
}

func (s *Site) showLogin(c *gin.Context, status int, p *loginPage) error {
	p.page, p.SignOn = page{Title: "Log in"}, s.signOnPath(p.Next)
	return s.render(c, status, "login", p)
}

func (s *Site) loginForm(c *gin.Context) error {
	next := c.Query("next")
	if _, err := s.sessionUser(c); err == nil {
		return s.redirect(c, localPath(next))
	} else if !errors.Is(err, models.ErrNotFound) {
		return err
	}
	return s.showLogin(c, http.StatusOK, &loginPage{Next: next})
}

// login checks who somebody is. An unknown e-mail and a disabled member are
// answered as a wrong password is, in the same time.
func (s *Site) login(c *gin.Context) error {
	if err := parseForm(c); err != nil {
		return err
	}
	form := c.Request.PostForm
	p := &loginPage{Email: cut(strings.TrimSpace(form.Get("email")), 254), Next: form.Get("next"), Carried: carriedFields(form)}
	if form.Get("do") == "continue" {
		return s.loginContinued(c, p)
	}
	user, wait, err := s.authenticate(c.Request.Context(), p.Email, form.Get("password"), c.ClientIP())
	switch {
	case err != nil:
		return err
	case wait > 0:
		s.Log.WarnContext(c.Request.Context(), "too many wrong passwords", "from", limit.AddressGroup(c.ClientIP()))
		c.Header("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		p.Fault = "Too many wrong passwords. Try again in " + minutesToWait(wait) + "."
		return s.showLogin(c, http.StatusTooManyRequests, p)
	case user.ID == 0:
		p.Fault = "The email or the password is wrong."
		return s.showLogin(c, http.StatusUnauthorized, p)
	}
	if err = s.loggedIn(c, user, "login.password"); err != nil {
		return err
	}
	return s.goOn(c, p.Next, p.Carried)
}

// minutesToWait is how long to wait, in whole minutes that are enough.
func minutesToWait(wait time.Duration) string {
	return span((wait + time.Minute - 1).Truncate(time.Minute))
}

// loggedIn starts the session of somebody who proved who they are.
func (s *Site) loggedIn(c *gin.Context, user models.User, how string) error {
	if err := s.startSession(c, user.ID); err != nil {
		return err
	}
	return s.store.audit.Note(c.Request.Context(), actorIs(c, user), how, user.Email, "")
}

// authenticate returns the user whose e-mail and password these are, the zero
// User when they are wrong, or how long to wait after too many wrong ones.
func (s *Site) authenticate(ctx context.Context, email, password, address string) (user models.User, wait time.Duration, err error) {
	// Counting happens in the turn as well, so that many tries at once do not
	// slip through before the first has failed.
	done, err := s.passwords.turn(ctx)
	if err != nil {
		return user, 0, err
	}
	defer done()
	if !isText(email) {
		email = "" // nobody's
	}
	key := strings.ToLower(email) + "|" + limit.AddressGroup(address)
	n, oldest, err := s.store.users.LoginFailures(ctx, key, loginWindow)
	if err != nil {
		return user, 0, err
	}
	if n >= loginFailures {
		return user, max(loginWindow-time.Since(oldest), time.Second), nil
	}
	found, err := s.store.users.ByEmail(ctx, strings.ToLower(email))
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return user, 0, err
	}
	ok, err := s.passwords.match(password, found.PasswordHash)
	if err != nil {
		return user, 0, err
	}
	if !ok || found.DisabledAt != nil {
		return user, 0, s.store.users.RecordLoginFailure(ctx, key)
	}
	return found, 0, s.store.users.ClearLoginFailures(ctx, key)
}

// logout ends the session on the server.
func (s *Site) logout(c *gin.Context) error {
	session, err := s.sessions.Get(c.Request, sessionCookie)
	if err != nil {
		return err
	}
	user, err := s.sessionUser(c)
	known := err == nil
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	session.Options.MaxAge = -1
	if err = session.Save(c.Request, c.Writer); err != nil {
		return err
	}
	if known {
		if err = s.store.audit.Note(c.Request.Context(), actorIs(c, user), "login.ended", user.Email, ""); err != nil {
			return err
		}
	}
	return s.redirect(c, "/login")
}
