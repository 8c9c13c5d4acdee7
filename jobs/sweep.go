package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

const (
	sweepEvery = time.Second
	seekEvery  = 15 * time.Minute // for lost lanes, which there should be none of
	// forgetEvery is how often expired values of sessions are erased. With
	// models.ShowOnceFor it stays under a minute.
	forgetEvery = 5 * time.Second
)

// sweeper finds the lanes that fell due: due retries, deliveries that an
// administrator released, and lanes whose instance was lost or is busy.
type sweeper struct {
	store   *models.Store
	runner  *runner
	log     *slog.Logger
	changed <-chan struct{}
	latest  time.Time // that the deciding clock has shown
	sought  time.Time // when lost lanes were looked for, by this process's clock
	forgot  time.Time // when sessions were last made to forget, by the deciding clock
}

func (s *sweeper) run(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.once(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "sweep failed; retrying", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.changed:
		}
	}
}

// once finds lanes and offers them.
func (s *sweeper) once(ctx context.Context) error {
	if err := errors.Join(s.checkClock(ctx), s.seek(ctx), s.forget(ctx)); err != nil {
		return err
	}
	lanes, err := s.store.Lanes.Sweep(ctx, s.runner.missing())
	if err == nil {
		s.runner.offer(lanes)
	}
	return err
}

// seek finds lanes that were lost, at the start and now and then.
func (s *sweeper) seek(ctx context.Context) error {
	if !s.sought.IsZero() && time.Since(s.sought) < seekEvery {
		return nil
	}
	n, err := s.store.Lanes.FindLost(ctx)
	if err != nil {
		return err
	}
	s.sought = time.Now()
	if n > 0 {
		s.log.WarnContext(ctx, "found lanes with due deliveries that nothing had woken; processing them", slog.Int64("lanes", n))
	}
	return nil
}

// forget erases values that sessions kept to be shown once and that were never
// read.
func (s *sweeper) forget(ctx context.Context) error {
	if since := s.latest.Sub(s.forgot); since >= 0 && since < forgetEvery {
		return nil
	}
	s.forgot = s.latest
	return s.store.Sessions.Forget(ctx)
}

// checkClock reschedules waiting work when the clock was set back.
func (s *sweeper) checkClock(ctx context.Context) error {
	now, err := s.store.Now(ctx)
	if err != nil {
		return err
	}
	if now.Before(s.latest.Add(-models.ClockStep)) {
		s.log.WarnContext(ctx, "the clock was set back; deliveries that it would have delayed are due now", slog.Duration("by", s.latest.Sub(now)))
		if err := s.store.Lanes.Reschedule(ctx); err != nil {
			return err
		}
	}
	s.latest = now
	return nil
}
