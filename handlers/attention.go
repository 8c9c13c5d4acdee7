package handlers

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// attention is what every page says about what needs somebody.
type attention struct {
	Broken   []models.Attention // that broke, at most brokenNamed
	More     int64              // broke as well
	Expiring []models.Attention // whose held notifications expire before long
	Stalled  *time.Time         // since when dispatch has not run; nil: it runs
	broke    int64              // how many broke in all, those put aside included
	seen     int64              // when the newest of them did
}

// attention is nil when all is well, or all was put aside. A page is not
// refused for it.
func (s *Site) attention(ctx context.Context, r *http.Request, at *models.Standing) *attention {
	if at == nil {
		now, err := s.store.system.Standing(ctx)
		if err != nil {
			s.Log.ErrorContext(ctx, "how things stand not read", "error", err)
			return nil
		}
		at = &now
	}
	list, err := s.store.webhooks.Attention(ctx, *at)
	if err != nil {
		s.Log.ErrorContext(ctx, "webhooks that need attention not read", "error", err)
		return nil
	}
	a := &attention{}
	if a.Stalled, err = s.store.events.Stalled(ctx, *at); err != nil {
		s.Log.ErrorContext(ctx, "state of dispatch not read", "error", err)
	}
	aside := asideOf(r)
	for _, w := range list {
		if w.State == models.WebhookBroken {
			a.addBroken(w, slices.Contains(aside, a.BrokeKey(w)))
		}
		if w.Soon && !slices.Contains(aside, a.ExpiryKey(w)) {
			a.Expiring = append(a.Expiring, w)
		}
	}
	if slices.Contains(aside, a.MoreKey()) {
		a.More = 0
	}
	if len(a.Broken) == 0 && a.More == 0 && len(a.Expiring) == 0 && a.Stalled == nil {
		return nil
	}
	return a
}

// brokenNamed is how many webhooks that broke have a line each.
const brokenNamed = 3

// addBroken counts a webhook that broke, and names it while there is room.
func (a *attention) addBroken(w models.Attention, aside bool) {
	if a.broke == 0 {
		a.broke, a.More = w.Alike, w.Alike
	}
	a.seen = max(a.seen, w.StateAt.Unix())
	switch {
	case aside:
		a.More--
	case len(a.Broken) < brokenNamed:
		a.More--
		a.Broken = append(a.Broken, w)
	}
}

// What can be put aside has a key that is another one when it happens anew.

// BrokeKey names the webhook that broke and when.
func (*attention) BrokeKey(w models.Attention) string {
	return fmt.Sprintf("b%d.%d", w.WebhookID, w.StateAt.Unix())
}

// MoreKey names how many broke in all and when the last did, so that it stays
// while those with a line of their own are put aside.
func (a *attention) MoreKey() string { return fmt.Sprintf("s%d.%d", a.broke, max(0, a.seen)) }

// ExpiryKey names whose notifications expire, and since when it holds them.
func (*attention) ExpiryKey(w models.Attention) string {
	return fmt.Sprintf("e%d.%d", w.WebhookID, max(0, w.StateAt.Unix()))
}

const (
	asideCookie = "aside"
	asideFor    = 30 * 24 * time.Hour
	asideMost   = 20 // keys that a browser keeps, the newest
)

var asideKey = regexp.MustCompile(`^[bse][0-9]{1,19}\.[0-9]{1,19}$`)

// asideOf is what this browser was told to put aside.
func asideOf(r *http.Request) []string {
	cookie, err := r.Cookie(asideCookie)
	if err != nil {
		return nil
	}
	return strings.Split(cookie.Value, "_")
}

// attentionAside puts one of the notices aside, for this browser.
func (s *Site) attentionAside(c *gin.Context) error {
	if err := parseForm(c); err != nil {
		return err
	}
	key := c.Request.PostForm.Get("what")
	if !asideKey.MatchString(key) {
		return unusable("There is no such notice.")
	}
	keys := slices.DeleteFunc(asideOf(c.Request), func(k string) bool { return k == key || !asideKey.MatchString(k) })
	keys = append(keys, key)
	s.setCookie(c, asideCookie, strings.Join(keys[max(0, len(keys)-asideMost):], "_"), asideFor)
	return s.redirect(c, localPath(c.Request.PostForm.Get("next")))
}
