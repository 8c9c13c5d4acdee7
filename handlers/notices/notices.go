// Package notices finds what needs attention: what keeps the installation from
// working, webhooks that broke, held notifications that expire, and sources in
// trouble. It knows no page.
package notices

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// Notices are about problems that need attention.
type Notices struct {
	Broken   []models.Attention // that broke, at most brokenNamed
	More     int64              // broke as well
	Expiring []models.Attention // whose held notifications expire before long
	Unable   string             // why nothing can be stored, in words; empty: it can
	Clocks   []models.Instance  // whose clocks are off
	Sources  []Source           // that fail, are silent or far behind, at most sourcesNamed
	// MoreSources are in trouble as well.
	MoreSources int
	Late        *time.Time // since when something is due that is not dispatched; nil: nothing is for long
	System      bool       // the reader may see the System page
	broke       int64      // how many broke in all, those put aside included
	seen        int64      // when the newest of them did
}

// None tells whether there is nothing to say.
func (a *Notices) None() bool {
	return len(a.Broken) == 0 && a.More == 0 && len(a.Expiring) == 0 && a.Late == nil && len(a.Clocks) == 0 && len(a.Sources) == 0 && a.Unable == ""
}

// Read finds them for a reader who sees the locations of a set and has put some
// aside, by their keys. It reads the state of the installation if at is nil.
func (a *Notices) Read(ctx context.Context, store *models.Store, at *models.Snapshot, within models.LocationSet, aside []string) error {
	if at == nil {
		now, err := store.Snapshot(ctx)
		if err != nil {
			return err
		}
		at = &now
	}
	a.Late = at.Late()
	if at.ClockOff {
		clocks, err := store.Instances.ClocksOff(ctx)
		if err != nil {
			return err
		}
		a.Clocks = clocks
	}
	troubled, err := store.Sources.Troubled(ctx, *at, within)
	if err != nil {
		return err
	}
	a.addSources(troubled, at.Now, aside)
	list, err := store.Webhooks.Attention(ctx, within, *at)
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
func (a *Notices) addBroken(w models.Attention, aside bool) {
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
func (*Notices) BrokeKey(w models.Attention) string {
	return fmt.Sprintf("b%d.%d", w.WebhookID, w.StateAt.Unix())
}

// MoreKey names how many broke in all and when the last did, so that it stays
// while those with a line of their own are put aside.
func (a *Notices) MoreKey() string { return fmt.Sprintf("s%d.%d", a.broke, max(0, a.seen)) }

// ExpiryKey names whose notifications expire, and since when it holds them.
func (*Notices) ExpiryKey(w models.Attention) string {
	return fmt.Sprintf("e%d.%d", w.WebhookID, max(0, w.StateAt.Unix()))
}

var key = regexp.MustCompile(`^[bseq][0-9]{1,19}\.[0-9]{1,19}$`)

// IsKey tells whether a text can be the key of a notice.
func IsKey(text string) bool { return key.MatchString(text) }
