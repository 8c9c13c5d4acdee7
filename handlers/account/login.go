package account

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

type loginPage struct {
	web.Page
	Email, Next string
	Carried     url.Values // unsaved input of the form at Next
	Fault       string     // in words; empty: none
	SignOn      string     // path of single sign-on; empty: there is none
	Mails       bool       // a forgotten password can be replaced by e-mail
}

// loginForm is the login form. Do is "continue" after a login at the provider
// in another tab.
type loginForm struct {
	Email    string `form:"email"`
	Password string `form:"password"`
	Next     string `form:"next"`
	Do       string `form:"do"`
}

func (s *Pages) showLogin(c *gin.Context, status int, p *loginPage) error {
	p.Page, p.SignOn, p.Mails = web.Page{Title: "Log in"}, s.signOnPath(p.Next), s.SendsMail
	return s.Render(c, status, "login", p)
}

// LoginForm shows the login page. A member who is logged in goes on to the page
// that ?next names.
func (s *Pages) LoginForm(c *gin.Context) error {
	next := c.Query("next")
	if _, err := s.SessionUser(c); err == nil {
		return s.Redirect(c, web.LocalPath(next))
	} else if !errors.Is(err, models.ErrNotFound) {
		return err
	}
	return s.showLogin(c, http.StatusOK, &loginPage{Next: next})
}

// Login checks a member's credentials. An unknown e-mail and a disabled member
// are answered as a wrong password is, in the same time. An address group that
// had too many wrong passwords is refused before its form is read.
func (s *Pages) Login(c *gin.Context) error {
	device, known := s.knownDevice(c)
	if wait := s.refusals.wait(models.LoginFrom{AddressGroup: limit.AddressGroup(c.ClientIP())}); wait > 0 && !known {
		return s.refuseLogin(c, &loginPage{}, passwordResult{Wait: wait})
	}
	var form loginForm
	if err := s.BindOpen(c, web.OpenFormLimit, &form); err != nil {
		return err
	}
	p := &loginPage{Email: wording.Cut(form.Email, 254), Next: form.Next, Carried: carriedFields(c.Request.PostForm)}
	if form.Do == "continue" {
		return s.loginContinued(c, p)
	}
	got, err := s.authenticate(c.Request.Context(), passwordAttempt{
		Email: p.Email, Password: form.Password, Address: c.ClientIP(), Device: device.of(p.Email),
	})
	if err != nil {
		return err
	}
	if got.User.ID == 0 {
		return s.refuseLogin(c, p, got)
	}
	if err = s.loggedIn(c, got.User, "login.password", ""); err != nil {
		return err
	}
	return s.continueTo(c, p.Next, p.Carried)
}

// refuseLogin answers a password that is not accepted.
func (s *Pages) refuseLogin(c *gin.Context, p *loginPage, got passwordResult) error {
	s.countRefused(c, got)
	p.Fault = got.fault("Wrong email or password.")
	if got.Wait == 0 {
		return s.showLogin(c, http.StatusUnauthorized, p)
	}
	retryAfter(c, got.Wait)
	return s.showLogin(c, http.StatusTooManyRequests, p)
}

func retryAfter(c *gin.Context, wait time.Duration) {
	c.Header("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
}

// tooManyPasswords says how long to wait, in whole minutes that are enough, or
// in seconds when it is less than a minute.
func tooManyPasswords(wait time.Duration) string {
	unit := time.Minute
	if wait <= time.Minute-time.Second {
		unit = time.Second
	}
	return "Too many wrong passwords. Try again in " + web.Span((wait + unit - 1).Truncate(unit)) + "."
}

// loggedIn starts the session of an authenticated user. Detail goes into the
// audit log.
func (s *Pages) loggedIn(c *gin.Context, user models.User, how, detail string) error {
	if err := s.StartSession(c, user.ID); err != nil {
		return err
	}
	if err := s.rememberDevice(c, user.Email); err != nil {
		return err
	}
	return s.Store.Audit.Note(c.Request.Context(), web.ActorIs(c, user), how, user.Email, detail)
}

// Logout ends the session on the server.
func (s *Pages) Logout(c *gin.Context) error {
	session, err := s.Sessions.Get(c.Request, web.SessionCookie)
	if err != nil {
		return err
	}
	user, err := s.SessionUser(c)
	known := err == nil
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	session.Options.MaxAge = -1
	if err = session.Save(c.Request, c.Writer); err != nil {
		return err
	}
	if known {
		if err = s.Store.Audit.Note(c.Request.Context(), web.ActorIs(c, user), "login.ended", user.Email, ""); err != nil {
			return err
		}
	}
	return s.Redirect(c, "/login")
}
