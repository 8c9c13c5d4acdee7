package jobs

import (
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// TestEventsThatArriveSoonShareARun: the first is dispatched at once, and those
// that come soon after it together.
func TestEventsThatArriveSoonShareARun(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		j := b.runningWith(one, func(j *Jobs) { j.dispatcher.gather = time.Minute })
		b.report(j, "first", 1, wire.QuestionCreated)
		b.until(func() bool { return len(b.receiver.requests()) == 1 })
		b.report(j, "second", 2, wire.QuestionCreated)
		b.report(j, "third", 3, wire.QuestionCreated)
		b.until(func() bool {
			j.Changed() // an administrator does not wait so long
			return len(b.receiver.requests()) == 3
		})
		if n := b.count("select count(*) from dispatches"); n != 2 {
			b.t.Errorf("%d runs", n)
		}
	})
}

// TestALaneLingers: what falls due soon after a delivery goes out in the same
// turn. The turn ends when another lane waits for the place, and at a stop.
func TestALaneLingers(t *testing.T) {
	onBoth(t, func(b *bench) {
		first := b.webhook(func(in *models.WebhookInput) { in.Type, in.Events = "stackauth", []string{wire.QuestionCreated} })
		second := b.webhook(func(in *models.WebhookInput) { in.Type, in.Events = "stackauth", []string{wire.AnswerCreated} })
		b.answersWell(first)
		b.answersWell(second)
		j := b.runningWith(one, func(j *Jobs) { j.runner.linger = time.Minute })
		holder := func(w models.Webhook) (name string) {
			ok(b.t, b.db().QueryRow("select leased_by from lanes where webhook_id = $1", w.ID).Scan(&name))
			return name
		}
		delivered := func(w models.Webhook, n int) func() bool {
			return func() bool {
				rows := b.deliveries(w)
				return len(rows) == n && rows[n-1].State == models.DeliveryDelivered
			}
		}
		b.report(j, "a", 1, wire.QuestionCreated)
		b.until(delivered(first, 1))
		was := holder(first)
		b.report(j, "b", 2, wire.QuestionCreated)
		b.until(delivered(first, 2))
		if was == "" || holder(first) != was {
			b.t.Errorf("the first turn was %q, the second %q", was, holder(first))
		}
		b.report(j, "c", 3, wire.AnswerCreated)
		b.until(delivered(second, 1))
		if holder(first) != "" || holder(second) == "" {
			b.t.Errorf("%q and %q hold the lanes", holder(first), holder(second))
		}
	})
}
