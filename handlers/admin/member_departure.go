package admin

import (
	"context"
	"errors"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// departure is a way to take a member's access away, and their tokens on request.
type departure struct {
	verb, done string // such as Remove and Removed
	path       string // of the question, below the member's
	effect     string // follows the member's e-mail address
	revokes    bool   // their tokens are ticked
	carryOut   func(users *models.Users, ctx context.Context, by models.Actor, id int64, tokens ...int64) (models.User, error)
}

var (
	memberRemoval = departure{
		verb: "Remove", done: "Removed", path: "/remove", revokes: true, carryOut: (*models.Users).Remove,
		effect: " will be logged out on all devices and can no longer log in. Their webhooks stay active without an owner. The history keeps their name.",
	}
	memberDisabling = departure{
		verb: "Disable", done: "Disabled", path: "/disable", carryOut: (*models.Users).Disable,
		effect: " will be logged out on all devices and cannot log in until an administrator enables the account again. They keep their webhooks, which continue to send.",
	}
)

// MemberRemove asks before a member is removed.
func (s *Pages) MemberRemove(c *gin.Context) error { return s.askDeparture(c, memberRemoval) }

// MemberRemovePost removes a member and revokes the chosen tokens. The last
// administrator cannot be removed.
func (s *Pages) MemberRemovePost(c *gin.Context) error { return s.depart(c, memberRemoval) }

// MemberDisable asks before a member is disabled.
func (s *Pages) MemberDisable(c *gin.Context) error { return s.askDeparture(c, memberDisabling) }

// MemberDisablePost disables a member and revokes the chosen tokens. The last
// administrator cannot be disabled.
func (s *Pages) MemberDisablePost(c *gin.Context) error { return s.depart(c, memberDisabling) }

func (s *Pages) askDeparture(c *gin.Context, d departure) error {
	user, err := s.memberFromRequest(c)
	if err != nil {
		return err
	}
	return s.confirmDeparture(c, user, d, "")
}

func (s *Pages) confirmDeparture(c *gin.Context, user models.User, d departure, fault string) error {
	p := &web.ConfirmPage{
		Page:  web.Page{Title: d.verb + " " + user.Name + "?"},
		Crumb: "Members", CrumbPath: membersPath, Action: MemberPath(user.ID) + d.path, Button: d.verb + " " + user.Email,
		Back: membersPath, Fault: fault, Lines: []string{user.Email + d.effect},
	}
	return s.askAboutMember(c, p, user, "you will be logged out.", d.revokes)
}

func (s *Pages) depart(c *gin.Context, d departure) error {
	var form revokeForm
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	user, err := s.memberFromRequest(c)
	if err != nil {
		return err
	}
	_, err = d.carryOut(s.Store.Users, c.Request.Context(), web.ActorOf(c), user.ID, form.tokens()...)
	if errors.Is(err, models.ErrLastAdministrator) {
		return s.confirmDeparture(c, user, d, lastAdministrator)
	}
	if err != nil {
		return err
	}
	return s.Redirect(c, membersPath, web.Flash{Kind: "success", Text: d.done + " " + user.Email + "."})
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
