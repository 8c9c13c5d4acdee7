package admin

import (
	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// offerTokens adds the member's tokens to the question whether to remove,
// disable or demote them: without a tick they go on.
func (s *Pages) offerTokens(c *gin.Context, p *web.ConfirmPage, member models.User, ticked bool) error {
	ctx := c.Request.Context()
	tokens, err := s.Store.Tokens.OfMaker(ctx, member.ID)
	if err != nil || len(tokens) == 0 {
		return err
	}
	slugs := make([]string, len(tokens))
	for i, tok := range tokens {
		slugs[i] = tok.Location
	}
	names, err := s.LocationNames(ctx, slugs...)
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
