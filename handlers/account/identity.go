package account

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
)

// ProvesAgain checks the member's password or, when none was sent, that they
// have just come back from single sign-on. Fault is a sentence for the member;
// empty: the check succeeded.
func (s *Pages) ProvesAgain(c *gin.Context, password string) (status int, fault string, err error) {
	if password == "" {
		return s.signedOnAgain(c)
	}
	got, err := s.checkOwnPassword(c, password, "reveal")
	if err != nil {
		return 0, "", err
	}
	fault = got.fault("This is not your password.")
	switch {
	case fault == "":
		return http.StatusOK, "", nil
	case got.Wait > 0:
		retryAfter(c, got.Wait)
		return http.StatusTooManyRequests, fault, nil
	default:
		return http.StatusUnprocessableEntity, fault, nil
	}
}

// signedOnAgain uses up the proof that single sign-on left with the session.
func (s *Pages) signedOnAgain(c *gin.Context) (status int, fault string, err error) {
	text, err := s.TakeKept(c, web.KeptConfirmed)
	if err != nil {
		return 0, "", err
	}
	now, err := s.Store.Now(c.Request.Context())
	if err != nil {
		return 0, "", err
	}
	at, _ := strconv.ParseInt(text, 10, 64)
	switch {
	case text != "" && freshSignOn(time.Unix(at, 0), now):
		return http.StatusOK, "", nil
	case text != "" || c.Request.PostForm.Get("confirmed") != "":
		return http.StatusUnprocessableEntity, "Your single sign-on is more than a minute old or has already been used. Confirm again.", nil
	default:
		return http.StatusUnprocessableEntity, "Enter your password.", nil
	}
}

// SignOnAgain is the path of single sign-on that leads on to next; empty: there
// is none.
func (s *Pages) SignOnAgain(next string) string {
	if s.signOn == nil {
		return ""
	}
	return OidcPath + "?confirm=1&next=" + url.QueryEscape(next)
}
