package web

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

// attention has the notices, shown on every page, about problems that need
// attention.
type attention struct {
	Broken   []models.Attention // that broke, at most brokenNamed
	More     int64              // broke as well
	Expiring []models.Attention // whose held notifications expire before long
	Unable   string             // why nothing can be stored, in words; empty: it can
	Clocks   []models.Instance  // whose clocks are off
	Sources  []sourceNotice     // that fail, are silent or far behind, at most sourcesNamed
	// MoreSources are in trouble as well.
	MoreSources int
	Late        *time.Time // since when something is due that is not dispatched; nil: nothing is for long
	System      bool       // the reader may see the System page
	broke       int64      // how many broke in all, those put aside included
	seen        int64      // when the newest of them did
}

// attention is nil when all is well, or all was put aside. A page is not
// refused for it.
func (s *Site) attention(c *gin.Context, p *Page) *attention {
	ctx := c.Request.Context()
	a := &attention{Unable: models.Unable(s.Store.Able()), System: s.Within(c).All()}
	if !p.Quiet {
		if err := s.attend(ctx, a, p, dismissedNotices(c.Request)); err != nil {
			s.Log.ErrorContext(ctx, "notices could not be read", "error", err)
		}
	}
	if len(a.Broken) == 0 && a.More == 0 && len(a.Expiring) == 0 && a.Late == nil && len(a.Clocks) == 0 && len(a.Sources) == 0 && a.Unable == "" {
		return nil
	}
	return a
}

func (s *Site) attend(ctx context.Context, a *attention, p *Page, aside []string) error {
	at := p.At
	if at == nil {
		now, err := s.Store.Snapshot(ctx)
		if err != nil {
			return err
		}
		at = &now
	}
	a.Late = at.Late()
	if at.ClockOff {
		clocks, err := s.Store.Instances.ClocksOff(ctx)
		if err != nil {
			return err
		}
		a.Clocks = clocks
	}
	troubled, err := s.Store.Sources.Troubled(ctx, *at, p.User.Within())
	if err != nil {
		return err
	}
	a.addSources(troubled, at.Now, aside)
	list, err := s.Store.Webhooks.Attention(ctx, p.User.Within(), *at)
	if err != nil {
		return err
	}
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
	return nil
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

// Each notice has a key that changes when the condition recurs.

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
	dismissedCookie = "aside"
	dismissedFor    = 30 * 24 * time.Hour
	dismissedMax    = 20 // keys that a browser keeps, the newest
)

var noticeKey = regexp.MustCompile(`^[bseq][0-9]{1,19}\.[0-9]{1,19}$`)

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
	keys := slices.DeleteFunc(dismissedNotices(c.Request), func(k string) bool { return k == form.What || !noticeKey.MatchString(k) })
	keys = append(keys, form.What)
	s.SetCookie(c, dismissedCookie, strings.Join(keys[max(0, len(keys)-dismissedMax):], "_"), dismissedFor)
	return s.Redirect(c, LocalPath(form.Next))
}
