package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/securecookie"

	"github.com/sitehooks/sitehooks/models"
)

const (
	deviceCookie = "sitehooks_device"
	deviceFor    = 400 * 24 * time.Hour // as long as browsers keep a cookie
)

// device is a signed cookie that a browser keeps after a log-in, so that
// strangers' wrong passwords do not slow its owner down. (OWASP calls these
// device cookies.) It grants no access.
type device struct {
	Account string // hash of the e-mail
	Nonce   string // new at each log-in; failures of this browser are counted by it
}

func deviceCodecs(keys [][]byte) []securecookie.Codec {
	var codecs []securecookie.Codec
	for _, key := range keys {
		codecs = append(codecs, securecookie.New(key, nil).SetSerializer(securecookie.JSONEncoder{}).MaxAge(int(deviceFor.Seconds())))
	}
	return codecs
}

func deviceAccount(email string) string {
	sum := sha256.Sum256([]byte(models.FoldEmail(email)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// rememberDevice makes the browser one that is known to the account's owner.
func (s *Pages) rememberDevice(c *gin.Context, email string) error {
	value, err := securecookie.EncodeMulti(deviceCookie, device{deviceAccount(email), rand.Text()}, s.devices...)
	if err != nil {
		return err
	}
	s.SetCookie(c, deviceCookie, value, deviceFor)
	return nil
}

// knownDevice returns the browser's device, if it belongs to a member.
func (s *Pages) knownDevice(c *gin.Context) (d device, known bool) {
	cookie, err := c.Request.Cookie(deviceCookie)
	if err != nil {
		return device{}, false
	}
	if err = securecookie.DecodeMulti(deviceCookie, cookie.Value, &d, s.devices...); err != nil {
		return device{}, false
	}
	return d, d.Nonce != ""
}

// KnownBrowser is the account whose owner has logged in with this browser, as
// text that stands for it; empty: none.
func (s *Pages) KnownBrowser(c *gin.Context) string {
	d, _ := s.knownDevice(c)
	return d.Account
}

// of is the device as one of an account, empty when it is another's.
func (d device) of(email string) string {
	if d.Account != deviceAccount(email) {
		return ""
	}
	return "browser " + d.Nonce
}
