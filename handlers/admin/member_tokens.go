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
	p.Also = &web.ConfirmAlso{Legend: "Revoke tokens that they made", Tokens: tokens, Names: names, Ticked: ticked}
	return nil
}

// tokensToRevoke are those that were ticked.
func tokensToRevoke(c *gin.Context) ([]int64, error) {
	if err := web.ParseForm(c); err != nil {
		return nil, err
	}
	var ids []int64
	for _, text := range c.Request.PostForm["revoke"] {
		id, ok := web.Positive(text)
		if !ok {
			return nil, web.Unusable("There is no such token: revoke is a token's number.")
		}
		ids = append(ids, id)
	}
	return ids, nil
}
