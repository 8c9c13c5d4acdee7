package account

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/handlers/passwords"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// forgotPage asks for the e-mail of a member who forgot their password.
type forgotPage struct {
	web.Page
	Email  string
	Queued bool // what there is to send is on its way
	Fault  string
	Faults web.Faults
}

// MostLinks is how many links a member is sent within an hour.
func (*forgotPage) MostLinks() int { return models.MailLinks }

// linkPage is where the member of a one-time link chooses a password.
type linkPage struct {
	web.Page
	Token  string
	Member models.User
	Min    int
	Faults web.Faults
	Errors []web.ErrorLine
}

type linkForm struct {
	New   string `form:"new_password" binding:"password"`
	Again string `form:"new_password_again" binding:"eqfield=New"`
}

// errNoMail answers the pages of links where no e-mail is sent.
func (s *Pages) errNoMail() error {
	if s.SendsMail {
		return nil
	}
	return web.NotFound("This installation sends no e-mail. Ask an administrator for a one-time password.")
}

// Forgot shows the form for a forgotten password.
func (s *Pages) Forgot(c *gin.Context) error {
	if err := s.errNoMail(); err != nil {
		return err
	}
	return s.showForgot(c, http.StatusOK, &forgotPage{})
}

func (s *Pages) showForgot(c *gin.Context, status int, p *forgotPage) error {
	p.Page = web.Page{Title: "Forgotten password"}
	return s.Render(c, status, "login_forgot", p)
}

// ForgotPost sends a member a link. The answer is the same for an e-mail that is
// no member's. Address groups that are refused at the login are refused here.
func (s *Pages) ForgotPost(c *gin.Context) error {
	if err := s.errNoMail(); err != nil {
		return err
	}
	if wait := s.refusals.wait(models.LoginFrom{AddressGroup: limit.AddressGroup(c.ClientIP())}); wait > 0 {
		retryAfter(c, wait)
		return s.showForgot(c, http.StatusTooManyRequests, &forgotPage{Fault: tooManyPasswords(wait)})
	}
	var form struct {
		Email string `form:"email" binding:"required,email"`
	}
	faults, err := s.BindOpenChecked(c, &form)
	if err != nil {
		return err
	}
	p := &forgotPage{Email: wording.Cut(form.Email, 254), Faults: faults}
	if len(faults) > 0 {
		return s.showForgot(c, http.StatusUnprocessableEntity, p)
	}
	user, err := s.Store.Users.ByEmail(c.Request.Context(), p.Email)
	if err == nil && user.DisabledAt == nil {
		err = s.Store.Mails.Link(c.Request.Context(), models.MailPassword, user)
	}
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	p.Queued = true
	return s.showForgot(c, http.StatusOK, p)
}

// Link shows the form for the password of a one-time link's member.
func (s *Pages) Link(c *gin.Context) error {
	return s.showLink(c, http.StatusOK, nil)
}

// memberOfLink is the member of the link in the address.
func (s *Pages) memberOfLink(c *gin.Context) (models.User, error) {
	user, err := s.Store.Users.ByLink(c.Request.Context(), c.Param("token"))
	if errors.Is(err, models.ErrNotFound) {
		err = web.NotFound("This link has expired or was used. Ask for a new one on the login page.")
	}
	return user, err
}

func (s *Pages) showLink(c *gin.Context, status int, faults web.Faults) error {
	user, err := s.memberOfLink(c)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	return s.Render(c, status, "login_link", &linkPage{
		Page: web.Page{Title: "Choose a password"}, Token: c.Param("token"), Member: user, Min: passwords.Min, Faults: faults,
		Errors: web.ErrorLines(faults, "new_password", "New password", "new_password_again", "Confirm new password"),
	})
}

// LinkPost stores the password that the member chose, and logs them in.
func (s *Pages) LinkPost(c *gin.Context) error {
	var form linkForm
	faults, err := s.BindOpenChecked(c, &form)
	if err != nil {
		return err
	}
	user, err := s.memberOfLink(c)
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return s.showLink(c, http.StatusUnprocessableEntity, faults)
	}
	hash, err := s.Passwords.Hash(c.Request.Context(), user, form.New)
	if err != nil {
		return web.Busy(err)
	}
	if user, err = s.Store.Users.UseLink(c.Request.Context(), c.Param("token"), hash); err != nil {
		if errors.Is(err, models.ErrNotFound) {
			err = web.NotFound("This link has expired or was used. Ask for a new one on the login page.")
		}
		return err
	}
	if err := s.loggedIn(c, user, "login.link", ""); err != nil {
		return err
	}
	return s.Redirect(c, "/admin", web.Flash{Kind: "success", Text: "Your password was saved."})
}

type accountPage struct {
	web.Page
	Member models.User
	Mails  bool // this installation sends e-mail
}

// Account shows a member's own account.
func (s *Pages) Account(c *gin.Context) error {
	user, _ := web.UserOf(c)
	return s.Render(c, http.StatusOK, "account", &accountPage{Page: web.Page{Title: "Your account"}, Member: user, Mails: s.SendsMail})
}

// AccountPost stores whether the member wants e-mail.
func (s *Pages) AccountPost(c *gin.Context) error {
	var form struct {
		Mails string `form:"mails" binding:"omitempty,oneof=on"`
	}
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	user, _ := web.UserOf(c)
	if err := s.Store.Users.WantsMail(c.Request.Context(), user, form.Mails != ""); err != nil {
		return err
	}
	text := "You get e-mail about your webhooks."
	if form.Mails == "" {
		text = "You get no e-mail about webhooks."
	}
	return s.Redirect(c, "/account", web.Flash{Kind: "success", Text: text})
}
