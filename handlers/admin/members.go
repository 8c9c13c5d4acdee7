package admin

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

const (
	membersPath = "/admin/members"
	// burstsFor is how long a burst of wrong passwords stands on the members'
	// page, and burstsShown how many of them.
	burstsFor   = 24 * time.Hour
	burstsShown = 5
)

type membersPage struct {
	web.Page
	memberForm
	Rows   []models.Member
	Names  web.LocationNames // of locations that members are limited to
	Faults web.Faults
	Errors []web.ErrorLine
	Given  *givenPassword
	Bursts []models.LoginBurst
	Now    time.Time
}

// memberForm is a new member. Without a name it is taken from the e-mail.
type memberForm struct {
	Email string   `form:"email" binding:"required,email"`
	Name  web.Line `form:"name" binding:"name"`
	Role  string   `form:"role" binding:"oneof=administrator viewer"`
	Sees  memberLocations
}

// OneTime is how long a member's one-time password is good, in words.
func (p *membersPage) OneTime(m models.Member) string {
	switch {
	case m.OneTimeUntil == nil:
		return "Must change password"
	case m.OneTimeExpired(p.Now):
		return "One-time password expired on " + web.Day(*m.OneTimeUntil)
	default:
		return "One-time password, valid until " + web.Day(*m.OneTimeUntil)
	}
}

// LimitedTo are the locations that a member sees, in words; empty: all.
func (p *membersPage) LimitedTo(m models.Member) string {
	if !m.Limited {
		return ""
	}
	return limitedWords(p.Names, m.User)
}

// Renewable tells whether the reader may renew a member's one-time password.
func (p *membersPage) Renewable(m models.Member) bool {
	return m.MustChangePassword && m.DisabledAt == nil && m.ID != p.User.ID
}

// givenPassword is a one-time password, shown on this page and never again.
type givenPassword struct {
	Email, Password string
	Mailed          bool // a link was sent as well
}

// Members lists the members, including disabled ones.
func (s *Pages) Members(c *gin.Context) error {
	p := newMembersPage()
	if _, err := s.Refill(c, &p.memberForm); err != nil {
		return err
	}
	return s.showMembers(c, http.StatusOK, p)
}

func newMembersPage() *membersPage {
	return &membersPage{memberForm: memberForm{Role: models.RoleViewer}}
}

func (s *Pages) showMembers(c *gin.Context, status int, p *membersPage) error {
	p.Page = web.Page{Title: "Members", Nav: "members"}
	p.Errors = web.ErrorLines(p.Faults, "email", "Email", "name", "Name", "role", "Role", "locations", "Locations")
	p.Sees.Faults = p.Faults
	ctx := c.Request.Context()
	var err error
	if p.Rows, err = s.Store.Users.Members(ctx); err != nil {
		return err
	}
	var slugs []string
	for _, m := range p.Rows {
		slugs = append(slugs, m.Locations...)
	}
	if p.Names, err = s.LocationNames(c, slugs...); err != nil {
		return err
	}
	if err = s.offerLocations(c, &p.Sees); err != nil {
		return err
	}
	if p.Now, err = s.Store.Now(ctx); err != nil {
		return err
	}
	if p.Bursts, err = s.Store.Users.LoginBursts(ctx, p.Now.Add(-burstsFor), burstsShown); err != nil {
		return err
	}
	return s.Render(c, status, "admin_members", p)
}

// MemberAdd adds a member with a one-time password, which is shown in the
// answer and has to be changed at the first login.
func (s *Pages) MemberAdd(c *gin.Context) error {
	p := &membersPage{}
	var err error
	if p.Faults, err = web.Bind(c, &p.memberForm); err != nil {
		return err
	}
	p.Sees.Faults = p.Faults
	set, err := s.chosenLocations(c, &p.Sees, nil)
	if err != nil {
		return err
	}
	if len(p.Faults) > 0 {
		return s.showMembers(c, http.StatusUnprocessableEntity, p)
	}
	password, hash, err := s.oneTimePassword(c)
	if err != nil {
		return err
	}
	invite := s.Store.Users.Invite
	if s.SendsMail {
		invite = s.Store.Users.InviteByMail
	}
	user, err := invite(c.Request.Context(), web.ActorOf(c), models.User{
		Email: p.Email, Name: string(p.Name), Role: p.Role, PasswordHash: hash, MustChangePassword: true,
		Limited: !set.All(), Locations: set.Slugs(),
	})
	if errors.Is(err, models.ErrExists) {
		p.Faults.Add("email", "There is already a member with this address.")
		return s.showMembers(c, http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	if s.SendsMail {
		s.OnChange()
	}
	return s.showOneTimePassword(c, givenPassword{Email: user.Email, Password: password, Mailed: s.SendsMail})
}

// showOneTimePassword shows a member's one-time password, once. It is stored by
// then, so that an error of the page says how to get another.
func (s *Pages) showOneTimePassword(c *gin.Context, given givenPassword) error {
	p := newMembersPage()
	p.Given = &given
	err := s.showMembers(c, http.StatusOK, p)
	if err != nil && c.Request.Context().Err() == nil {
		s.Log.ErrorContext(c.Request.Context(), "one-time password not shown", "error", err)
		err = &web.StatusError{
			Status: http.StatusServiceUnavailable,
			Text:   given.Email + " has a new one-time password, but it could not be shown. Renew the password on the Members page to get another.",
		}
	}
	return err
}

// oneTimePassword is random, with its hash.
func (s *Pages) oneTimePassword(c *gin.Context) (password, hash string, err error) {
	me, _ := web.UserOf(c)
	password = strings.ToLower(rand.Text()[:20])
	hash, err = s.Passwords.Hash(c.Request.Context(), me, password)
	return password, hash, web.Busy(err)
}
