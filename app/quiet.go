package app

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// quietable is a log that can leave out warnings and errors on request: while
// an instance stops whose database is away, each of its parts would report the
// same.
type quietable struct {
	slog.Handler
	quiet *atomic.Bool
}

func (q quietable) Enabled(ctx context.Context, level slog.Level) bool {
	return (level < slog.LevelWarn || !q.quiet.Load()) && q.Handler.Enabled(ctx, level)
}

func (q quietable) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quietable{q.Handler.WithAttrs(attrs), q.quiet}
}

func (q quietable) WithGroup(name string) slog.Handler {
	return quietable{q.Handler.WithGroup(name), q.quiet}
}
