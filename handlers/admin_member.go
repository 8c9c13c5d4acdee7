package handlers

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

const lastAdministrator = "This is the only administrator. Make somebody else an administrator first."

type memberPage struct {
	page
	Member models.User
	Self   bool
}

// Other is the role that the member does not have.
func (p *memberPage) Other() string {
	if p.Member.Role == models.RoleAdministrator {
		return models.RoleViewer
	}
	return models.RoleAdministrator
}

func memberPath(id int64) string { return membersPath + "/" + formatID(id) }

// member is the page on which one member's role and password are changed.
func (s *adminPages) member(c *gin.Context) error {
	user, err := s.askedMember(c)
	if err != nil {
		return err
	}
	me, _ := userOf(c)
	return s.render(c, http.StatusOK, "admin_member", &memberPage{
		page: page{Title: user.Name, Nav: "members"}, Member: user, Self: me.ID == user.ID,
	})
}

func (s *adminPages) askedMember(c *gin.Context) (models.User, error) {
	id, ok := positive(c.Param("id"))
	if !ok {
		return models.User{}, models.ErrNotFound
	}
	return s.Store.Users.Get(c.Request.Context(), id)
}

// memberRoleForm asks before an administrator becomes a viewer.
func (s *adminPages) memberRoleForm(c *gin.Context) error {
	user, err := s.askedMember(c)
	if err != nil {
		return err
	}
	if c.Query("role") != models.RoleViewer || user.Role != models.RoleAdministrator {
		return s.up(c)
	}
	return s.confirmDemotion(c, user, "")
}

func (s *adminPages) confirmDemotion(c *gin.Context, user models.User, fault string) error {
	p := &confirmPage{
		page:  page{Title: "Make " + user.Name + " a viewer?", Nav: "members"},
		Crumb: user.Name, CrumbPath: memberPath(user.ID), Action: memberPath(user.ID) + "/role", Button: "Make " + user.Email + " a viewer",
		Fields: []confirmField{{"role", models.RoleViewer}},
		Danger: true, Back: memberPath(user.ID), Fault: fault,
		Lines: []string{"A viewer reads everything but secrets and bodies, and changes nothing. Their webhooks stay theirs and go on."},
	}
	if me, _ := userOf(c); me.ID == user.ID {
		p.Lines = append(p.Lines, "This is you: you can no longer change anything.")
	}
	if err := s.offerTokens(c, p, user, false); err != nil {
		return err
	}
	return s.confirm(c, p)
}

func (s *adminPages) memberRole(c *gin.Context) error {
	revoke, err := tokensToRevoke(c)
	if err != nil {
		return err
	}
	user, err := s.askedMember(c)
	if err != nil {
		return err
	}
	role := c.Request.PostForm.Get("role")
	if !isRole(role) {
		return unusable("There is no such role: role is administrator or viewer.")
	}
	_, err = s.Store.Users.SetRole(c.Request.Context(), actorOf(c), user.ID, role, revoke...)
	if errors.Is(err, models.ErrLastAdministrator) {
		return s.confirmDemotion(c, user, lastAdministrator)
	}
	if err != nil {
		return err
	}
	return s.redirect(c, membersPath, Flash{Kind: "success", Text: user.Name + " is now " + withArticle(role) + "."})
}

func withArticle(role string) string {
	if role == models.RoleAdministrator {
		return "an administrator"
	}
	return "a " + role
}

// memberPassword gives somebody who forgot theirs a one-time password.
func (s *adminPages) memberPassword(c *gin.Context) error {
	user, err := s.askedMember(c)
	if err != nil {
		return err
	}
	if me, _ := userOf(c); me.ID == user.ID {
		return s.redirect(c, passwordPath)
	}
	password, hash, err := s.oneTimePassword(c)
	if err != nil {
		return err
	}
	if _, err = s.Store.Users.GivePassword(c.Request.Context(), actorOf(c), user.ID, hash); err != nil {
		return err
	}
	return s.showMembers(c, http.StatusOK, &membersPage{Role: models.RoleViewer, Given: &givenPassword{user.Email, password}})
}

// memberRemove asks before somebody is taken off the list.
func (s *adminPages) memberRemove(c *gin.Context) error {
	user, err := s.askedMember(c)
	if err != nil {
		return err
	}
	return s.confirmRemoval(c, user, "")
}

func (s *adminPages) confirmRemoval(c *gin.Context, user models.User, fault string) error {
	p := &confirmPage{
		page:  page{Title: "Remove " + user.Name + "?", Nav: "members"},
		Crumb: "Members", CrumbPath: membersPath, Action: memberPath(user.ID) + "/remove", Button: "Remove " + user.Email,
		Danger: true, Back: membersPath, Fault: fault,
		Lines: []string{user.Email + " can no longer log in, and is logged out everywhere at once. Their webhooks go on without an owner, and history keeps the name."},
	}
	if me, _ := userOf(c); me.ID == user.ID {
		p.Lines = append(p.Lines, "This is you: you will be logged out.")
	}
	if err := s.offerTokens(c, p, user, true); err != nil {
		return err
	}
	return s.confirm(c, p)
}

func (s *adminPages) memberRemovePost(c *gin.Context) error {
	revoke, err := tokensToRevoke(c)
	if err != nil {
		return err
	}
	user, err := s.askedMember(c)
	if err != nil {
		return err
	}
	_, err = s.Store.Users.Remove(c.Request.Context(), actorOf(c), user.ID, revoke...)
	if errors.Is(err, models.ErrLastAdministrator) {
		return s.confirmRemoval(c, user, lastAdministrator)
	}
	if err != nil {
		return err
	}
	return s.redirect(c, membersPath, Flash{Kind: "success", Text: "Removed " + user.Email + "."})
}
