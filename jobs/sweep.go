package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

const (
	sweepEvery = time.Second
	sweepLimit = 200
)

// sweeper queues the lanes that fell due: retries whose time has come, what an
// administrator released, and lanes whose job or worker was lost.
type sweeper struct {
	lanes   *models.Lanes
	queue   queue
	log     *slog.Logger
	changed <-chan struct{}
}

func (s *sweeper) run(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.once(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "sweep failed; it will be tried again", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.changed:
		}
	}
}

// once sweeps until nothing is left.
func (s *sweeper) once(ctx context.Context) error {
	for {
		lanes, err := s.lanes.Sweep(ctx, sweepLimit)
		if err != nil {
			return err
		}
		if err := s.queue.insert(ctx, lanes); err != nil {
			return err
		}
		if len(lanes) < sweepLimit {
			return nil
		}
	}
}
