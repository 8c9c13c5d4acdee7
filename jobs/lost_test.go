package jobs

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// While the feature is switched on, and that waits for a lane, another webhook
// is resumed, and worked on by the setting as it still is. Its lane must not
// sleep on.
func TestAResumeWhileTheFeatureIsSwitchedOnIsNotLost(t *testing.T) {
	onPostgres(t, func(b *bench) {
		locked, resumed := pending(b, nil), b.webhook(nil)
		b.record(question("b", 2, nil))
		b.later()
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, resumed.ID))
		b.set(models.EnableGenericWebhooks, "False")
		tx, err := b.store.Postgres().Begin(b.t.Context())
		ok(b.t, err)
		defer func() { _ = tx.Rollback(context.WithoutCancel(b.t.Context())) }()
		_, err = tx.Exec(b.t.Context(), "select 1 from lanes where webhook_id = $1 for update", locked.ID)
		ok(b.t, err)
		done := make(chan error, 1)
		go func() {
			done <- b.store.Settings.Change(context.WithoutCancel(b.t.Context()), admin, models.EnableGenericWebhooks, "True", "test")
		}()
		b.until(func() bool { return b.blocks(tx) })
		_, err = b.store.Webhooks.Resume(b.t.Context(), admin, resumed.ID, false)
		ok(b.t, err)
		b.deliver(resumed)
		ok(b.t, tx.Commit(b.t.Context()))
		ok(b.t, <-done)
		swept := b.due()
		for _, lane := range swept {
			if lane.WebhookID == resumed.ID {
				return
			}
		}
		b.t.Errorf("swept %v, without %d", swept, resumed.ID)
	})
}

// A look for lost lanes that failed is made again by the next sweep.
func TestALostLaneIsFoundAfterAFailure(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		b.offered()
		b.exec("update lanes set next_due_at = null")
		s := b.sweeper()
		ended, cancel := context.WithCancel(b.t.Context())
		cancel()
		if err := s.once(ended); err == nil {
			b.t.Error("a sweep without a database succeeded")
		}
		ok(b.t, s.once(b.t.Context()))
		if offered := b.offered(); len(offered) != 1 || offered[0] != w.ID {
			b.t.Errorf("offered %v", offered)
		}
	})
}

// A sweep that fails is logged, so that an operator learns of it.
func TestAFailedSweepIsLogged(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.exec("alter table lanes rename to lanes_away")
		ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
		defer cancel()
		logged := 0
		s := b.sweeper()
		s.log = slog.New(errorLog{slog.DiscardHandler, func() { logged++; cancel() }})
		s.run(ctx)
		if logged != 1 {
			b.t.Errorf("logged %d times", logged)
		}
	})
}

// That a lane could not be given back is logged.
func TestALaneThatIsNotGivenBackIsLogged(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.exec("alter table lanes rename to lanes_away")
		logged := 0
		b.runner.log = slog.New(errorLog{slog.DiscardHandler, func() { logged++ }})
		newLane(b.runner, seat{id: 1, share: models.ShareFast}, "test").release(b.t.Context())
		if logged != 1 {
			b.t.Errorf("logged %d times", logged)
		}
	})
}

// A lane that sleeps although something is due is found; one whose webhook
// cannot send sleeps on.
func TestALostLaneIsFound(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		paused := b.webhook(func(in *models.WebhookInput) { in.Name = "paused" })
		b.record(question("b", 2, nil))
		b.later()
		b.deliver(w)
		b.record(question("c", 3, nil))
		b.later()
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, paused.ID))
		b.exec("update lanes set next_due_at = null")
		n, err := b.store.Lanes.FindLost(b.t.Context())
		ok(b.t, err)
		swept := b.due()
		if n != 1 || len(swept) != 1 || swept[0].WebhookID != w.ID {
			b.t.Errorf("%d found, swept %v", n, swept)
		}
		again, err := b.store.Lanes.FindLost(b.t.Context())
		ok(b.t, err)
		if again != 0 {
			b.t.Errorf("%d found again", again)
		}
	})
}
