package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"github.com/sitehooks/sitehooks/models"
)

const (
	// pruneRest is how many times as long as a step took pruning rests after
	// it: it has time, and deliveries have not.
	pruneRest = 4
	pruneTurn = 45 * time.Second // then the job is queued anew
)

// pruneWorker removes history that is older than the retention, in small
// steps, so that nothing waits for it.
type pruneWorker struct {
	river.WorkerDefaults[pruneArgs]
	store    *models.Store
	log      *slog.Logger
	stopping <-chan struct{}
}

// Work prunes until nothing is left or the instance stops.
func (w *pruneWorker) Work(ctx context.Context, _ *river.Job[pruneArgs]) error {
	var total models.Pruned
	defer func() {
		if total.Deliveries+total.Events+total.Expired > 0 {
			w.log.InfoContext(ctx, "pruned", slog.Int64("deliveries", total.Deliveries),
				slog.Int64("events", total.Events), slog.Int64("expired", total.Expired))
		}
	}()
	pass := w.store.Pruning()
	timer := time.NewTimer(pruneTurn)
	defer timer.Stop()
	for rest := time.Duration(0); ; {
		select {
		case <-timer.C:
			return river.JobSnooze(0)
		case <-w.stopping:
			return river.JobSnooze(0) // another instance goes on, or the next start
		case <-ctx.Done():
			return nil
		case <-time.After(rest):
		}
		started := time.Now()
		p, err := pass.Step(ctx)
		if err != nil {
			return err
		}
		total.Deliveries += p.Deliveries
		total.Events += p.Events
		total.Expired += p.Expired
		if !p.More {
			return nil
		}
		rest = pruneRest * time.Since(started)
	}
}
