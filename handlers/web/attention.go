package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/notices"
	"github.com/sitehooks/sitehooks/models"
)

// attention is nil when all is well, or all was put aside. A page is not
// refused for it.
func (s *Site) attention(c *gin.Context, p *Page) *notices.Notices {
	ctx := c.Request.Context()
	a := &notices.Notices{Unable: models.Unable(s.Store.Able()), System: s.Within(c).All()}
	if !p.Quiet {
		if err := a.Read(ctx, s.Store, p.At, p.User.Within(), dismissedNotices(c.Request)); err != nil {
			s.Log.ErrorContext(ctx, "notices could not be read", "error", err)
		}
	}
	if a.None() {
		return nil
	}
	return a
}

const (
	dismissedCookie = "aside"
	dismissedFor    = 30 * 24 * time.Hour
	dismissedMax    = 20 // keys that a browser keeps, the newest
)

// dismissedNotices returns the keys of the notices that were dismissed in this browser.
func dismissedNotices(r *http.Request) []string {
	cookie, err := r.Cookie(dismissedCookie)
	if err != nil {
		return nil
	}
	return strings.Split(cookie.Value, "_")
}

// DismissNotice puts one of the notices aside, for this browser.
func (s *Site) DismissNotice(c *gin.Context) error {
	var form struct {
		What string `form:"what" binding:"notice"`
		Next string `form:"next"`
	}
	if err := BindOrRefuse(c, &form); err != nil {
		return err
	}
	keys := slices.DeleteFunc(dismissedNotices(c.Request), func(k string) bool { return k == form.What || !notices.IsKey(k) })
	keys = append(keys, form.What)
	s.SetCookie(c, dismissedCookie, strings.Join(keys[max(0, len(keys)-dismissedMax):], "_"), dismissedFor)
	return s.Redirect(c, LocalPath(form.Next))
}
