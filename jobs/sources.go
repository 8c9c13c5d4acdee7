package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

const (
	lookupEvery  = 5 * time.Second // for requests that another instance received
	silenceEvery = time.Minute
)

// watcher finds sources that are silent for longer than expected, and works on
// their requests that wait for look-ups.
type watcher struct {
	store   *models.Store
	log     *slog.Logger
	lookups func(ctx context.Context) error
	waiting chan struct{}
	arrived func()
}

// watch looks for silent sources until ctx ends.
func (w *watcher) watch(ctx context.Context) {
	for {
		n, err := w.store.Sources.Silence(ctx)
		if err != nil && ctx.Err() == nil {
			w.log.ErrorContext(ctx, "cannot look for silent sources; retrying", slog.Any("error", err))
		}
		if n > 0 {
			w.log.WarnContext(ctx, "sources are silent for longer than expected", slog.Int("sources", n))
			w.arrived()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(silenceEvery):
		}
	}
}

// lookUp makes look-ups until ctx ends.
func (w *watcher) lookUp(ctx context.Context) {
	for {
		if err := w.lookups(ctx); err != nil && ctx.Err() == nil {
			w.log.ErrorContext(ctx, "look-ups for sources failed; retrying", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-w.waiting:
		case <-time.After(lookupEvery):
		}
	}
}
