package app

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// How often an instance says that it is alive, and finds out whether anything
// can be stored. Others believe it for several times as long.
const (
	presentEvery = 5 * time.Second
	unableEvery  = time.Second // while nothing can be stored
)

// presence tells the others, for their page, that this instance is alive.
type presence struct {
	store  *models.Store
	log    *slog.Logger
	row    models.Instance
	cancel context.CancelFunc
	loop   sync.WaitGroup
}

// appear says it for the first time, and then again and again until leave.
func appear(ctx context.Context, store *models.Store, log *slog.Logger, role string) (*presence, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	p := &presence{store: store, log: log, row: models.Instance{ID: rand.Text(), Name: host, Role: role, Version: Version()}}
	if err := store.Instances.Seen(ctx, p.row); err != nil {
		return nil, err
	}
	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.loop.Go(func() { p.run(ctx) })
	return p, nil
}

func (p *presence) run(ctx context.Context) {
	for next := presentEvery; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(next):
		}
		wasAble := next == presentEvery
		err := p.store.Instances.Seen(ctx, p.row)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && wasAble:
			p.log.ErrorContext(ctx, "nothing can be stored", slog.Any("error", err))
		case err == nil && !wasAble:
			p.log.InfoContext(ctx, "what arrives can be stored again")
		}
		if next = presentEvery; err != nil {
			next = unableEvery
		}
	}
}

// leave takes the instance off the list. Should the database be away, others
// find out by themselves.
func (p *presence) leave(ctx context.Context) {
	p.cancel()
	p.loop.Wait()
	if err := p.store.Instances.Gone(ctx, p.row.ID); err != nil {
		p.log.DebugContext(ctx, "this instance could not say that it stops", slog.Any("error", err))
	}
}
