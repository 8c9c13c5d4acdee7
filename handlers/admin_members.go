package handlers

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

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
	page
	Rows              []models.Member
	Email, Name, Role string // of the form
	Faults            faults
	Errors            []errorLine
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
		return "One-time password expired on " + day(*m.OneTimeUntil)
	default:
		return "One-time password, good until " + day(*m.OneTimeUntil)
	}
}

// Renewable tells whether the reader may renew a member's one-time password.
func (p *membersPage) Renewable(m models.Member) bool {
	return m.MustChangePassword && m.DisabledAt == nil && m.ID != p.User.ID
}

// givenPassword is a one-time password, shown on this page and never again.
type givenPassword struct{ Email, Password string }

// members lists who may log in, and who might were they not disabled.
func (s *adminPages) members(c *gin.Context) error {
	p := &membersPage{Role: models.RoleViewer}
	typed, err := s.typedBefore(c)
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
		Email: form.Get("email"), Name: strings.TrimSpace(form.Get("name")), Role: form.Get("role"), Faults: faults{},
	}
}

func (s *adminPages) showMembers(c *gin.Context, status int, p *membersPage) error {
	p.page = page{Title: "Members", Nav: "members"}
	p.Errors = errorLines(p.Faults, "email", "Email", "name", "Name", "role", "Role")
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
	return s.render(c, status, "admin_members", p)
}

// memberAdd puts somebody on the list with a one-time password, which is shown
// in the answer and has to be changed at the first login.
func (s *adminPages) memberAdd(c *gin.Context) error {
	if err := parseForm(c); err != nil {
		return err
	}
	p := readMemberForm(c.Request.PostForm)
	if wrong := checkEmail(p.Email); wrong != "" {
		p.Faults.add("email", wrong)
	}
	if wrong := checkName(p.Name); wrong != "" && p.Name != "" { // without one it is taken from the e-mail
		p.Faults.add("name", wrong)
	}
	if !isRole(p.Role) {
		p.Faults.add("role", "Choose administrator or viewer.")
	}
	if len(p.Faults) > 0 {
		return s.showMembers(c, http.StatusUnprocessableEntity, p)
	}
	password, hash, err := s.oneTimePassword(c)
	if err != nil {
		return err
	}
	user, err := s.Store.Users.Invite(c.Request.Context(), actorOf(c), models.User{
		Email: p.Email, Name: p.Name, Role: p.Role, PasswordHash: hash, MustChangePassword: true,
	})
	if errors.Is(err, models.ErrExists) {
		p.Faults.add("email", "This address is on the list already.")
		return s.showMembers(c, http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	return s.showMembers(c, http.StatusOK, &membersPage{Role: models.RoleViewer, Given: &givenPassword{user.Email, password}})
}

func isRole(role string) bool { return role == models.RoleAdministrator || role == models.RoleViewer }

// oneTimePassword is random, with its hash.
func (s *adminPages) oneTimePassword(c *gin.Context) (password, hash string, err error) {
	me, _ := userOf(c)
	password = strings.ToLower(rand.Text()[:20])
	hash, err = s.Passwords.hash(c.Request.Context(), me, password)
	return password, hash, err
}
