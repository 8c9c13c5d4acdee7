package handlers

import (
	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// offerTokens adds the member's tokens to the question whether to remove,
// disable or demote them: without a tick they go on.
func (s *adminPages) offerTokens(c *gin.Context, p *confirmPage, member models.User, ticked bool) error {
	ctx := c.Request.Context()
	tokens, err := s.Store.Tokens.OfMaker(ctx, member.ID)
	if err != nil || len(tokens) == 0 {
		return err
	}
	slugs := make([]string, len(tokens))
	for i, tok := range tokens {
		slugs[i] = tok.Location
	}
	names, err := s.locationNames(ctx, slugs...)
	if err != nil {
		return err
	}
	p.Also = &confirmAlso{Legend: "Revoke tokens that they made", Tokens: tokens, Names: names, Ticked: ticked}
	return nil
}

// tokensToRevoke are those that were ticked.
func tokensToRevoke(c *gin.Context) ([]int64, error) {
	if err := parseForm(c); err != nil {
		return nil, err
	}
	var ids []int64
	for _, text := range c.Request.PostForm["revoke"] {
		id, ok := positive(text)
		if !ok {
			return nil, unusable("There is no such token: revoke is a token's number.")
		}
		ids = append(ids, id)
	}
	return ids, nil
}
