package jobs

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

// While a lane waits for a place, however long, it waits once, whether the
// sweep or an event offers it again.
func TestALaneWaitsOnce(t *testing.T) {
	onBoth(t, func(b *bench) {
		const lanes, sweeps = 60, 30
		for i := range lanes {
			b.webhook(func(in *models.WebhookInput) { in.Name = fmt.Sprint("hanging ", i) })
		}
		b.exec("update lanes set slow = true")
		b.record(question("a", 1, nil))
		b.later()
		for i := range sweeps {
			if i == sweeps/2 {
				b.record(question("b", 2, nil))
			}
			b.later()
			ok(b.t, b.sweeper().once(b.t.Context()))
		}
		if offered := b.offered(); len(offered) != lanes {
			b.t.Errorf("%d wait for %d lanes", len(offered), lanes)
		}
	})
}

// When a share is full, its lanes wait, others do not, and then they begin in
// the order in which they fell due.
func TestAFullShareDelaysNoOther(t *testing.T) {
	onBoth(t, func(b *bench) {
		older, newer, fast := b.webhook(nil), b.webhook(nil), b.webhook(nil)
		limits := maps.Clone(sharePlaces)
		limits[models.ShareSlow] = 0
		b.runner.places = newPlaces(limits)
		b.exec(fmt.Sprintf("update lanes set slow = true where webhook_id <> %d", fast.ID))
		b.record(question("a", 1, nil))
		b.later()
		if offered := b.offered(); !slices.Equal(offered, []int64{fast.ID}) {
			b.t.Errorf("offered %v", offered)
		}
		b.exec(fmt.Sprintf("update lanes set next_due_at = (select next_due_at from lanes where webhook_id = %d) where webhook_id = %[1]d", fast.ID))
		b.exec(fmt.Sprintf("update lanes set next_due_at = (select max(created_at) from webhooks) where webhook_id = %d", older.ID))
		q := b.runner.missing()
		swept, err := b.store.Lanes.Sweep(b.t.Context(), models.SweepQuery{Full: q.Full, Limit: 10})
		ok(b.t, err)
		if !slices.Equal(q.Full, []string{models.ShareSlow}) || len(swept) != 1 || swept[0].WebhookID != fast.ID {
			b.t.Errorf("%v full, swept %v", q.Full, swept)
		}
		b.runner.places = newPlaces(sharePlaces)
		b.runner.offer(b.due())
		if offered := b.offered(); slices.Index(offered, older.ID) > slices.Index(offered, newer.ID) || len(offered) != 3 {
			b.t.Errorf("offered %v", offered)
		}
	})
}
