package admin

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/web"

	"github.com/gin-gonic/gin"

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
	Rows              []models.Member
	Email, Name, Role string // of the form
	Faults            web.Faults
	Errors            []web.ErrorLine
	Given             *givenPassword
	Bursts            []models.LoginBurst
	Now               time.Time
}

// OneTime is how long a member's one-time password is good, in words.
func (p *membersPage) OneTime(m models.Member) string {
	switch {
	case m.OneTimeUntil == nil:
		return "Must change password"
	case m.OneTimeExpired(p.Now):
		return "One-time password expired on " + web.Day(*m.OneTimeUntil)
	default:
		return "One-time password, good until " + web.Day(*m.OneTimeUntil)
	}
}

// Renewable tells whether the reader may renew a member's one-time password.
func (p *membersPage) Renewable(m models.Member) bool {
	return m.MustChangePassword && m.DisabledAt == nil && m.ID != p.User.ID
}

// givenPassword is a one-time password, shown on this page and never again.
type givenPassword struct{ Email, Password string }

// Members lists who may log in, and who might were they not disabled.
func (s *Pages) Members(c *gin.Context) error {
	p := &membersPage{Role: models.RoleViewer}
	typed, err := s.TypedBefore(c)
	if err != nil {
		return err
	}
	if typed != nil {
		p = readMemberForm(typed)
	}
	return s.showMembers(c, http.StatusOK, p)
}

func readMemberForm(form url.Values) *membersPage {
	return &membersPage{
		Email: form.Get("email"), Name: strings.TrimSpace(form.Get("name")), Role: form.Get("role"), Faults: web.Faults{},
	}
}

func (s *Pages) showMembers(c *gin.Context, status int, p *membersPage) error {
	p.Page = web.Page{Title: "Members", Nav: "members"}
	p.Errors = web.ErrorLines(p.Faults, "email", "Email", "name", "Name", "role", "Role")
	ctx := c.Request.Context()
	var err error
	if p.Rows, err = s.Store.Users.Members(ctx); err != nil {
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

// MemberAdd puts somebody on the list with a one-time password, which is shown
// in the answer and has to be changed at the first login.
func (s *Pages) MemberAdd(c *gin.Context) error {
	if err := web.ParseForm(c); err != nil {
		return err
	}
	p := readMemberForm(c.Request.PostForm)
	if wrong := web.CheckEmail(p.Email); wrong != "" {
		p.Faults.Add("email", wrong)
	}
	if wrong := web.CheckName(p.Name); wrong != "" && p.Name != "" { // without one it is taken from the e-mail
		p.Faults.Add("name", wrong)
	}
	if !isRole(p.Role) {
		p.Faults.Add("role", "Choose administrator or viewer.")
	}
	if len(p.Faults) > 0 {
		return s.showMembers(c, http.StatusUnprocessableEntity, p)
	}
	password, hash, err := s.oneTimePassword(c)
	if err != nil {
		return err
	}
	user, err := s.Store.Users.Invite(c.Request.Context(), web.ActorOf(c), models.User{
		Email: p.Email, Name: p.Name, Role: p.Role, PasswordHash: hash, MustChangePassword: true,
	})
	if errors.Is(err, models.ErrExists) {
		p.Faults.Add("email", "This address is on the list already.")
		return s.showMembers(c, http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	return s.showMembers(c, http.StatusOK, &membersPage{Role: models.RoleViewer, Given: &givenPassword{user.Email, password}})
}

func isRole(role string) bool { return role == models.RoleAdministrator || role == models.RoleViewer }

// oneTimePassword is random, with its hash.
func (s *Pages) oneTimePassword(c *gin.Context) (password, hash string, err error) {
	me, _ := web.UserOf(c)
	password = strings.ToLower(rand.Text()[:20])
	hash, err = s.Passwords.Hash(c.Request.Context(), me, password)
	return password, hash, err
}
