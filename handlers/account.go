package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/securecookie"
)

// accountPages are those of a member's own account: login, single sign-on,
// password and sessions.
type accountPages struct {
	*Site
	// LoginRefused counts a log-in that was refused.
	LoginRefused func()
	refusals     *refusals
	devices      []securecookie.Codec
	signOn       *singleSignOn // nil: there is none
}

func newAccountPages(s *Site, provider OIDC, refused func()) *accountPages {
	if refused == nil {
		refused = func() {}
	}
	return &accountPages{
		Site: s, LoginRefused: refused, refusals: newRefusals(), devices: deviceCodecs(s.CookieKeys),
		signOn: newSingleSignOn(provider, s.BaseURL, s.CookieKeys[0]),
	}
}

type passwordPage struct {
	page
	Must   bool // nothing else is possible before
	Next   string
	Min    int
	Faults map[string]string // by field
	Errors []errorLine
}

func (s *accountPages) passwordForm(c *gin.Context) error {
	return s.showPassword(c, http.StatusOK, c.Query("next"), nil)
}

func (s *accountPages) showPassword(c *gin.Context, status int, next string, faults map[string]string) error {
	user, _ := userOf(c)
	return s.render(c, status, "account_password", &passwordPage{
		page: page{Title: "Change password"}, Must: user.MustChangePassword, Next: next, Min: passwordMin, Faults: faults,
		Errors: errorLines(faults, "password", "Present password", "new_password", "New password", "new_password_again", "New password, again"),
	})
}

// passwordChange needs the present password, so that an unattended browser is
// not enough, and ends all other sessions of the user.
func (s *accountPages) passwordChange(c *gin.Context) error {
	if err := parseForm(c); err != nil {
		return err
	}
	ctx, form := c.Request.Context(), c.Request.PostForm
	user, _ := userOf(c)
	got, err := s.checkOwnPassword(c, form.Get("password"), "change password")
	if err != nil {
		return err
	}
	faults := map[string]string{}
	fresh := form.Get("new_password")
	if fault := got.fault("This is not your present password."); fault != "" {
		faults["password"] = fault
	}
	if err = checkPassword(fresh); err != nil {
		faults["new_password"] = sentence(err)
	} else if fresh == form.Get("password") {
		faults["new_password"] = "Choose another password than the present one."
	}
	if fresh != form.Get("new_password_again") {
		faults["new_password_again"] = "This is not the same password."
	}
	if len(faults) > 0 {
		return s.showPassword(c, http.StatusUnprocessableEntity, form.Get("next"), faults)
	}
	hash, err := s.Passwords.hash(ctx, user, fresh)
	if err != nil {
		return err
	}
	if err = s.Store.Users.SetPassword(ctx, user.ID, hash); err != nil {
		return err
	}
	if err = s.startSession(c, user.ID); err != nil {
		return err
	}
	if err = s.Store.Audit.Note(ctx, actorIs(c, user), "member.password", user.Email, "changed their own"); err != nil {
		return err
	}
	return s.redirect(c, localPath(form.Get("next")), Flash{Kind: "success", Text: "Your password is changed. Other sessions of yours have ended."})
}

// sessionsEnd logs a member out everywhere, here too.
func (s *accountPages) sessionsEnd(c *gin.Context) error {
	user, _ := userOf(c)
	if err := s.sessions.rows.DeleteAll(c.Request.Context(), user); err != nil {
		return err
	}
	session, err := s.sessions.Get(c.Request, sessionCookie)
	if err != nil {
		return err
	}
	session.Options.MaxAge = -1
	if err = session.Save(c.Request, c.Writer); err != nil {
		return err
	}
	return s.redirect(c, "/login")
}

// accountTemplates are the templates of these pages, each with the struct that it is
// rendered with.
func accountTemplates() map[string]any {
	return map[string]any{
		"account_password": &passwordPage{},
		"login":            &loginPage{},
	}
}
