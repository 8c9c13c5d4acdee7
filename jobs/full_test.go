package jobs

import (
	"fmt"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// queueUp puts jobs into River's table that no worker takes.
func (b *bench) queueUp(queue string, lanes []models.LaneRef) {
	b.t.Helper()
	for _, lane := range lanes {
		b.exec(fmt.Sprintf(`insert into river_job (args, kind, max_attempts, priority, queue, state)
			values ('{"webhook_id":%d}', 'lane', 1, 1, '%s', 'available')`, lane.WebhookID, queue))
	}
}

// While a lane's job waits, however long, no other is queued for it, neither
// by the sweep nor by an event.
func TestALaneHasOneJobThatWaits(t *testing.T) {
	onBoth(t, func(b *bench) {
		const lanes, sweeps = 60, 30
		hooks := make([]models.Webhook, lanes)
		for i := range hooks {
			hooks[i] = b.webhook(func(in *models.WebhookInput) { in.Name = fmt.Sprint("hanging ", i) })
		}
		b.exec("update lanes set slow = true")
		b.record(question("a", 1, nil))
		b.later()
		jobs := b.queued.take()
		b.queueUp(models.QueueSlow, jobs)
		s := &sweeper{store: b.store, queue: b.queued, log: b.worker.log}
		for i := range sweeps {
			if i == sweeps/2 {
				b.record(question("b", 2, nil))
			}
			b.later()
			ok(b.t, s.once(b.t.Context()))
			more := b.queued.take()
			b.queueUp(models.QueueSlow, more)
			jobs = append(jobs, more...)
		}
		if len(jobs) != lanes {
			b.t.Errorf("%d jobs for %d lanes", len(jobs), lanes)
		}
	})
}

// When a queue is full, its lanes wait in their rows, others do not, and then
// they come in the order in which they fell due.
func TestAFullQueueDelaysNoOther(t *testing.T) {
	onBoth(t, func(b *bench) {
		older, newer, fast := b.webhook(nil), b.webhook(nil), b.webhook(nil)
		const waiting = 1000
		b.exec(fmt.Sprintf("update lanes set slow = true where webhook_id <> %d", fast.ID))
		b.exec(fmt.Sprintf(`insert into river_job (args, kind, max_attempts, priority, queue, state)
			with recursive g(i) as (select 1 union all select i + 1 from g where i < %d)
			select '{"webhook_id":1000000}', 'lane', 1, 1, 'slow', 'available' from g`, waiting))
		b.record(question("a", 1, nil))
		b.later()
		if queued := b.queued.take(); len(queued) != 1 || queued[0].WebhookID != fast.ID {
			b.t.Errorf("queued %v", queued)
		}
		b.deliver(older) // meanwhile, and it has more to do
		b.exec(fmt.Sprintf("update deliveries set due_at = created_at, state = 'pending', finished_at = null where webhook_id = %d", older.ID))
		_, claimed, err := b.store.Lanes.Claim(b.t.Context(), older.ID, "me", laneLease)
		ok(b.t, err)
		b.clock.Add(time.Second)
		again, err := b.store.Lanes.Release(b.t.Context(), older.ID, "me", models.Release{Slow: true})
		ok(b.t, err)
		if !claimed || len(again) != 0 {
			b.t.Errorf("queued %v again", again)
		}
		swept, err := b.store.Lanes.Sweep(b.t.Context(), 10)
		ok(b.t, err)
		if len(swept) != 0 {
			b.t.Errorf("swept %v", swept)
		}
		b.exec("delete from river_job")
		swept, err = b.store.Lanes.Sweep(b.t.Context(), 1)
		ok(b.t, err)
		if len(swept) != 1 || swept[0] != (models.LaneRef{WebhookID: newer.ID, Queue: models.QueueSlow}) {
			b.t.Errorf("swept %v first", swept)
		}
		swept, err = b.store.Lanes.Sweep(b.t.Context(), 10)
		ok(b.t, err)
		if len(swept) != 1 || swept[0].WebhookID != older.ID {
			b.t.Errorf("swept %v then", swept)
		}
	})
}
