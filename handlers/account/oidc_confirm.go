package account

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// confirmedFor is the maximum age of a single sign-on that confirms an
// identity.
const confirmedFor = time.Minute

// freshSignOn reports whether a single sign-on at a time still confirms an
// identity. The provider's clock may be a little ahead.
func freshSignOn(at, now time.Time) bool {
	age := now.Sub(at)
	return age < confirmedFor && age > -confirmedFor
}

// oidcConfirmed ends a single sign-on that confirms the identity of a logged-in
// member. It starts no session.
func (s *Pages) oidcConfirmed(c *gin.Context, begun oidcBegun, user models.User, at time.Time) error {
	refuse := func(text string) error {
		return s.Redirect(c, web.LocalPath(begun.Next), web.Flash{Kind: "danger", Text: text})
	}
	member, err := s.SessionUser(c)
	if errors.Is(err, models.ErrNotFound) {
		return s.Redirect(c, "/login?next="+url.QueryEscape(web.LocalPath(begun.Next)))
	}
	if err != nil {
		return err
	}
	now, err := s.Store.Now(c.Request.Context())
	if err != nil {
		return err
	}
	switch {
	case member.ID != user.ID:
		return refuse(fmt.Sprintf("The provider identified you as %s, but you are logged in here as %s.", wording.Cut(user.Email, 254), wording.Cut(member.Email, 254)))
	case !freshSignOn(at, now):
		return refuse("The provider did not ask you to log in again, so your identity is not confirmed.")
	}
	if err := s.SetOnce(c, web.OnceSignOn, strconv.FormatInt(at.Unix(), 10)); err != nil {
		return err
	}
	return s.Redirect(c, web.LocalPath(begun.Next))
}
