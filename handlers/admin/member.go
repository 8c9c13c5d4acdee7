package admin

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

const lastAdministrator = "This is the only administrator of all locations. Make another member an administrator of all locations first."

type memberPage struct {
	web.Page
	Member models.User
	Self   bool
	Sees   memberLocations
	Errors []web.ErrorLine
}

// Other is the role that the member does not have.
func (p *memberPage) Other() string {
	if p.Member.Role == models.RoleAdministrator {
		return models.RoleViewer
	}
	return models.RoleAdministrator
}

// MemberPath is the address of a member's page.
func MemberPath(id int64) string { return membersPath + "/" + web.FormatID(id) }

// Member is the page on which one member's role and password are changed.
func (s *Pages) Member(c *gin.Context) error {
	user, err := s.memberFromRequest(c)
	if err != nil {
		return err
	}
	return s.showMember(c, http.StatusOK, &memberPage{Member: user, Sees: locationsOf(user)})
}

func (s *Pages) showMember(c *gin.Context, status int, p *memberPage) error {
	me, _ := web.UserOf(c)
	p.Page, p.Self = web.Page{Title: p.Member.Name, Nav: "members"}, me.ID == p.Member.ID
	p.Errors = web.ErrorLines(p.Sees.Faults, "locations", "Locations")
	if err := s.offerLocations(c, &p.Sees); err != nil {
		return err
	}
	return s.Render(c, status, "admin_member", p)
}

func (s *Pages) memberFromRequest(c *gin.Context) (models.User, error) {
	id, ok := web.Positive(c.Param("id"))
	if !ok {
		return models.User{}, models.ErrNotFound
	}
	return s.Store.Users.Get(c.Request.Context(), id)
}

// MemberRoleForm asks before an administrator becomes a viewer.
func (s *Pages) MemberRoleForm(c *gin.Context) error {
	user, err := s.memberFromRequest(c)
	if err != nil {
		return err
	}
	if c.Query("role") != models.RoleViewer || user.Role != models.RoleAdministrator {
		return s.RedirectToParent(c)
	}
	return s.confirmDemotion(c, user, "")
}

func (s *Pages) confirmDemotion(c *gin.Context, user models.User, fault string) error {
	p := &web.ConfirmPage{
		Page:  web.Page{Title: "Make " + user.Name + " a viewer?"},
		Crumb: user.Name, CrumbPath: MemberPath(user.ID), Action: MemberPath(user.ID) + "/role", Button: "Make " + user.Email + " a viewer",
		Fields: []web.ConfirmField{{Name: "role", Value: models.RoleViewer}},
		Back:   MemberPath(user.ID), Fault: fault,
		Lines: []string{"Viewers can see everything except secrets and message bodies, and cannot change anything. They keep their webhooks, which continue to send."},
	}
	return s.askAboutMember(c, p, user, "you will no longer be able to change anything.", false)
}

// MemberRole gives a member another role and revokes the chosen tokens. The
// last administrator stays one.
func (s *Pages) MemberRole(c *gin.Context) error {
	var form struct {
		revokeForm
		Role string `form:"role" binding:"oneof=administrator viewer"`
	}
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	user, err := s.memberFromRequest(c)
	if err != nil {
		return err
	}
	_, err = s.Store.Users.SetRole(c.Request.Context(), web.ActorOf(c), user.ID, form.Role, form.tokens()...)
	if errors.Is(err, models.ErrLastAdministrator) {
		return s.confirmDemotion(c, user, lastAdministrator)
	}
	if err != nil {
		return err
	}
	return s.Redirect(c, membersPath, web.Flash{Kind: "success", Text: user.Name + " is now " + withArticle(form.Role) + "."})
}

func withArticle(role string) string {
	if role == models.RoleAdministrator {
		return "an administrator"
	}
	return "a " + role
}

// MemberPassword gives a member a one-time password in place of a forgotten
// one.
func (s *Pages) MemberPassword(c *gin.Context) error {
	user, err := s.memberFromRequest(c)
	if err != nil {
		return err
	}
	if me, _ := web.UserOf(c); me.ID == user.ID {
		return s.Redirect(c, web.PasswordPath)
	}
	password, hash, err := s.oneTimePassword(c)
	if err != nil {
		return err
	}
	if _, err = s.Store.Users.GivePassword(c.Request.Context(), web.ActorOf(c), user.ID, hash); err != nil {
		return err
	}
	return s.showOneTimePassword(c, givenPassword{Email: user.Email, Password: password})
}
