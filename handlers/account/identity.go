package account

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
)

// Reauthenticate checks the member's password or, when none was sent, that they
// have just come back from single sign-on, as confirmed says. Fault is a sentence
// for the member; empty: the check succeeded.
func (s *Pages) Reauthenticate(c *gin.Context, password string, confirmed bool) (status int, fault string, err error) {
	if password == "" {
		return s.takeSignOn(c, confirmed)
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

// takeSignOn uses up the proof that single sign-on left with the session.
func (s *Pages) takeSignOn(c *gin.Context, confirmed bool) (status int, fault string, err error) {
	text, err := s.TakeOnce(c, web.OnceSignOn)
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
	case text != "" || confirmed:
		return http.StatusUnprocessableEntity, "Your single sign-on is more than a minute old or has already been used. Confirm again.", nil
	default:
		return http.StatusUnprocessableEntity, "Enter your password.", nil
	}
}

// ReauthenticationPath is the path of single sign-on that leads on to next; empty: there
// is none.
func (s *Pages) ReauthenticationPath(next string) string {
	if s.signOn == nil {
		return ""
	}
	return OidcPath + "?confirm=1&next=" + url.QueryEscape(next)
}
