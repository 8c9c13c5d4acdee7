package admin

import (
	"errors"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// MemberDisable asks before a member is disabled.
func (s *Pages) MemberDisable(c *gin.Context) error {
	user, err := s.memberFromRequest(c)
	if err != nil {
		return err
	}
	return s.confirmDisabling(c, user, "")
}

func (s *Pages) confirmDisabling(c *gin.Context, user models.User, fault string) error {
	p := &web.ConfirmPage{
		Page:  web.Page{Title: "Disable " + user.Name + "?"},
		Crumb: "Members", CrumbPath: membersPath, Action: MemberPath(user.ID) + "/disable", Button: "Disable " + user.Email,
		Back: membersPath, Fault: fault,
		Lines: []string{user.Email + " will be logged out on all devices and cannot log in until an administrator enables the account again. They keep their webhooks, which continue to send."},
	}
	return s.askAboutMember(c, p, user, "you will be logged out.", false)
}

// MemberDisablePost disables a member and revokes the chosen tokens. The last
// administrator cannot be disabled.
func (s *Pages) MemberDisablePost(c *gin.Context) error {
	var form revokeForm
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	user, err := s.memberFromRequest(c)
	if err != nil {
		return err
	}
	_, err = s.Store.Users.Disable(c.Request.Context(), web.ActorOf(c), user.ID, form.tokens()...)
	if errors.Is(err, models.ErrLastAdministrator) {
		return s.confirmDisabling(c, user, lastAdministrator)
	}
	if err != nil {
		return err
	}
	return s.Redirect(c, membersPath, web.Flash{Kind: "success", Text: "Disabled " + user.Email + "."})
}

// MemberEnable lets a member log in again.
func (s *Pages) MemberEnable(c *gin.Context) error {
	user, err := s.memberFromRequest(c)
	if err != nil {
		return err
	}
	if _, err = s.Store.Users.Enable(c.Request.Context(), web.ActorOf(c), user.ID); err != nil {
		return err
	}
	return s.Redirect(c, membersPath, web.Flash{Kind: "success", Text: "Enabled " + user.Email + "."})
}
