package admin

import (
	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// askAboutMember shows the question whether to remove, disable or demote a
// member, and offers their tokens. Yours is the effect on the administrator's own
// account.
func (s *Pages) askAboutMember(c *gin.Context, p *web.ConfirmPage, member models.User, yours string, ticked bool) error {
	p.Nav, p.Danger = "members", true
	if me, _ := web.UserOf(c); me.ID == member.ID {
		p.Lines = append(p.Lines, "This is your account: "+yours)
	}
	tokens, err := s.Store.Tokens.OfMaker(c.Request.Context(), member.ID)
	if err != nil {
		return err
	}
	if err := s.offerTokens(c, p, tokens, ticked); err != nil {
		return err
	}
	return s.Confirm(c, p)
}

// offerTokens adds a member's tokens to the question whether to remove,
// disable, demote or limit them: without a tick they go on.
func (s *Pages) offerTokens(c *gin.Context, p *web.ConfirmPage, tokens []models.Token, ticked bool) error {
	if len(tokens) == 0 {
		return nil
	}
	slugs := make([]string, len(tokens))
	for i, tok := range tokens {
		slugs[i] = tok.Location
	}
	names, err := s.LocationNames(c, slugs...)
	if err != nil {
		return err
	}
	p.Also = &web.ConfirmAlso{Legend: "Revoke tokens that they created", Tokens: tokens, Names: names, Ticked: ticked}
	return nil
}

// revokeForm says which of the offered tokens were ticked.
type revokeForm struct {
	Revoke []web.Number `form:"revoke" binding:"dive,gt=0"`
}

func (f revokeForm) tokens() []int64 {
	var ids []int64
	for _, id := range f.Revoke {
		ids = append(ids, int64(id))
	}
	return ids
}
