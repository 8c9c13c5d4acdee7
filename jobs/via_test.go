package jobs

import (
	"slices"
	"testing"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// TestEveryNotificationSaysWhereItCameThrough: it names the installations of its
// events and this one. Only events that came through the same ones share a body.
func TestEveryNotificationSaysWhereItCameThrough(t *testing.T) {
	onBoth(t, func(b *bench) {
		r := newReceiver(b.t)
		w := b.webhook(func(in *models.WebhookInput) { in.URL, in.URLShown = r.URL, r.URL })
		for i, via := range []string{"", "a,b", "a,b", "c"} {
			b.record(question([]string{"one", "two", "three", "four"}[i], i+1, func(e *models.NewEvent) { e.Via = via }))
		}
		b.later()
		b.deliver(w)
		own := b.store.PublicID()
		var got []string
		for _, one := range r.requests() {
			got = append(got, one.header.Get(wire.ViaHeader))
		}
		slices.Sort(got)
		if want := []string{own, "a,b," + own, "c," + own}; len(own) != 16 || len(got) != 3 || !slices.Contains(got, want[0]) || !slices.Contains(got, want[1]) || !slices.Contains(got, want[2]) {
			b.t.Errorf("received %q, want %q", got, want)
		}
		if titles := r.titles(b.t); len(titles) == 0 {
			b.t.Error("nothing was received")
		}
	})
}
