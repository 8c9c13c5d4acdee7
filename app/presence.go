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

// presentEvery is how often an instance says that it is alive. Others believe
// it for several times as long.
const presentEvery = 5 * time.Second

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
	tick := time.NewTicker(presentEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := p.store.Instances.Seen(ctx, p.row); err != nil && ctx.Err() == nil {
			p.log.DebugContext(ctx, "this instance could not say that it is alive", slog.Any("error", err))
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
