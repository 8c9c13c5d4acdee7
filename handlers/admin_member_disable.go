package handlers

import (
	"errors"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// memberDisable asks before somebody is kept out.
func (s *adminPages) memberDisable(c *gin.Context) error {
	user, err := s.askedMember(c)
	if err != nil {
		return err
	}
	return s.confirmDisabling(c, user, "")
}

func (s *adminPages) confirmDisabling(c *gin.Context, user models.User, fault string) error {
	p := &confirmPage{
		page:  page{Title: "Disable " + user.Name + "?", Nav: "members"},
		Crumb: "Members", CrumbPath: membersPath, Action: memberPath(user.ID) + "/disable", Button: "Disable " + user.Email,
		Danger: true, Back: membersPath, Fault: fault,
		Lines: []string{user.Email + " can no longer log in until somebody enables them again, and is logged out everywhere at once. Their webhooks stay theirs and go on."},
	}
	if me, _ := userOf(c); me.ID == user.ID {
		p.Lines = append(p.Lines, "This is you: you will be logged out.")
	}
	if err := s.offerTokens(c, p, user, false); err != nil {
		return err
	}
	return s.confirm(c, p)
}

func (s *adminPages) memberDisablePost(c *gin.Context) error {
	revoke, err := tokensToRevoke(c)
	if err != nil {
		return err
	}
	user, err := s.askedMember(c)
	if err != nil {
		return err
	}
	_, err = s.Store.Users.Disable(c.Request.Context(), actorOf(c), user.ID, revoke...)
	if errors.Is(err, models.ErrLastAdministrator) {
		return s.confirmDisabling(c, user, lastAdministrator)
	}
	if err != nil {
		return err
	}
	return s.redirect(c, membersPath, Flash{Kind: "success", Text: "Disabled " + user.Email + "."})
}

// memberEnable lets somebody log in again.
func (s *adminPages) memberEnable(c *gin.Context) error {
	user, err := s.askedMember(c)
	if err != nil {
		return err
	}
	if _, err = s.Store.Users.Enable(c.Request.Context(), actorOf(c), user.ID); err != nil {
		return err
	}
	return s.redirect(c, membersPath, Flash{Kind: "success", Text: "Enabled " + user.Email + "."})
}
