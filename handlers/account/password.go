// Package account is how a member gets in and out: the login page, single
// sign-on, the password and the sessions.
package account

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/securecookie"

	"github.com/sitehooks/sitehooks/handlers/passwords"
	"github.com/sitehooks/sitehooks/handlers/web"
)

// Pages are those of a member's own account: login, single sign-on,
// password and sessions.
type Pages struct {
	*web.Site
	// LoginRefused counts a log-in that was refused.
	LoginRefused func()
	refusals     *refusals
	devices      []securecookie.Codec
	signOn       *singleSignOn // nil: there is none
}

// New builds the pages. provider without an issuer means no single sign-on;
// refused is called for each log-in that was refused, and may be nil.
func New(s *web.Site, provider OIDC, refused func()) *Pages {
	if refused == nil {
		refused = func() {}
	}
	return &Pages{
		Site: s, LoginRefused: refused, refusals: newRefusals(), devices: deviceCodecs(s.CookieKeys),
		signOn: newSingleSignOn(provider, s.BaseURL, s.CookieKeys[0]),
	}
}

type passwordPage struct {
	web.Page
	Must   bool // nothing else is possible before
	Next   string
	Min    int
	Faults web.Faults
	Errors []web.ErrorLine
}

type passwordForm struct {
	Password string `form:"password"`
	New      string `form:"new_password" binding:"password,nefield=Password"`
	Again    string `form:"new_password_again" binding:"eqfield=New"`
	Next     string `form:"next"`
}

// PasswordForm shows the form in which members change their password; ?next
// names the page to go on to.
func (s *Pages) PasswordForm(c *gin.Context) error {
	return s.showPassword(c, http.StatusOK, c.Query("next"), nil)
}

func (s *Pages) showPassword(c *gin.Context, status int, next string, faults web.Faults) error {
	user, _ := web.UserOf(c)
	return s.Render(c, status, "account_password", &passwordPage{
		Page: web.Page{Title: "Change password"}, Must: user.MustChangePassword, Next: next, Min: passwords.Min, Faults: faults,
		Errors: web.ErrorLines(faults, "password", "Current password", "new_password", "New password", "new_password_again", "Confirm new password"),
	})
}

// PasswordChange needs the present password, so that an unattended browser is
// not enough, and ends all other sessions of the user.
func (s *Pages) PasswordChange(c *gin.Context) error {
	var form passwordForm
	faults, err := web.Bind(c, &form)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	user, _ := web.UserOf(c)
	got, err := s.checkOwnPassword(c, form.Password, "change password")
	if err != nil {
		return err
	}
	if fault := got.fault("This is not your current password."); fault != "" {
		faults.Add("password", fault)
	}
	if len(faults) > 0 {
		return s.showPassword(c, http.StatusUnprocessableEntity, form.Next, faults)
	}
	hash, err := s.Passwords.Hash(ctx, user, form.New)
	if err != nil {
		return web.Busy(err)
	}
	if err = s.Store.Users.SetPassword(ctx, user.ID, hash); err != nil {
		return err
	}
	if err = s.StartSession(c, user.ID); err != nil {
		return err
	}
	if err = s.Store.Audit.Note(ctx, web.ActorIs(c, user), "member.password", user.Email, "changed their own password"); err != nil {
		return err
	}
	return s.Redirect(c, web.LocalPath(form.Next), web.Flash{Kind: "success", Text: "Your password was changed. You were logged out on all other devices."})
}

// SessionsEnd logs a member out everywhere, here too.
func (s *Pages) SessionsEnd(c *gin.Context) error {
	user, _ := web.UserOf(c)
	if err := s.Sessions.Rows.DeleteAll(c.Request.Context(), user); err != nil {
		return err
	}
	session, err := s.Sessions.Get(c.Request, web.SessionCookie)
	if err != nil {
		return err
	}
	session.Options.MaxAge = -1
	if err = session.Save(c.Request, c.Writer); err != nil {
		return err
	}
	return s.Redirect(c, "/login")
}

// Templates are the templates of these pages, each with the struct that it is
// rendered with.
func Templates() map[string]any {
	return map[string]any{
		"account_password": &passwordPage{},
		"account":          &accountPage{},
		"login":            &loginPage{},
		"login_forgot":     &forgotPage{},
		"login_link":       &linkPage{},
	}
}
