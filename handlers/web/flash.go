package web

import (
	"encoding/gob"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"

	"github.com/sitehooks/sitehooks/handlers/wording"
)

// Flash is a sentence shown once, on the page after a change.
type Flash struct {
	Kind string // success, warning, danger or info, as Stacks names its notices
	Text string
	// Link is a path of this site for the next step, and Do its text; empty:
	// none.
	Link, Do string
}

const (
	// FlashCookie is the name of the cookie that the flash messages are in.
	FlashCookie = "flash"
	flashFor    = 5 * time.Minute
	// FlashLimit keeps the cookie below the limit of browsers, in bytes.
	FlashLimit = 1000
)

func init() { gob.RegisterName("flash", Flash{}) } // so is a session of a cookie written

// newFlashes is where flash messages are kept: in a signed cookie, so that
// reading a page writes nothing on the server, and so that visitors without a
// session see messages too.
func newFlashes(secure bool, keys [][]byte) *sessions.CookieStore {
	var pairs [][]byte
	for _, key := range keys {
		pairs = append(pairs, key, nil) // signed, not encrypted
	}
	store := sessions.NewCookieStore(pairs...)
	store.Options = &sessions.Options{Path: "/", HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode}
	store.MaxAge(int(flashFor.Seconds()))
	return store
}

// keepFlash stores messages for the next page. The change has already been
// made, so a failure to store them is only logged.
func (s *Site) keepFlash(c *gin.Context, flash []Flash) {
	session, _ := s.flashes.New(c.Request, FlashCookie) // an error leaves it empty
	session.Flashes()                                   // drop messages that no page has shown
	for _, one := range flash {
		one.Text = wording.Cut(one.Text, FlashLimit)
		session.AddFlash(one)
	}
	if err := session.Save(c.Request, c.Writer); err != nil {
		s.Log.WarnContext(c.Request.Context(), "flash message not kept", "error", err)
	}
}

// takeFlash returns the messages of the last change and removes them. Forged or
// expired ones are ignored.
func (s *Site) takeFlash(c *gin.Context) []Flash {
	if _, err := c.Request.Cookie(FlashCookie); err != nil {
		return nil
	}
	session, _ := s.flashes.New(c.Request, FlashCookie)
	var flash []Flash
	for _, one := range session.Flashes() {
		if one, is := one.(Flash); is {
			flash = append(flash, one)
		}
	}
	s.SetCookie(c, FlashCookie, "", -1)
	return flash
}
