package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

const manualEvery = time.Second // between looks for what another instance was asked for

// manualSender creates the deliveries of events that members send by hand, a
// portion at a time. Every instance runs one: a portion that another one stored
// first is not stored.
type manualSender struct {
	store   *models.Store
	log     *slog.Logger
	changed <-chan struct{}
	stored  func() // wakes the sweep, which finds the lane
}

func (m *manualSender) run(ctx context.Context) {
	tick := time.NewTicker(manualEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		more, err := m.once(ctx)
		if err != nil && ctx.Err() == nil {
			m.log.ErrorContext(ctx, "cannot send events by hand; retrying", slog.Any("error", err))
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-m.changed:
		}
	}
}

// once stores the next portion; false: there is none.
func (m *manualSender) once(ctx context.Context) (more bool, err error) {
	defer contain(&err)
	p, err := m.store.Sends.Next(ctx)
	if err != nil || p == nil {
		return false, err
	}
	if p.Ended() {
		return true, nil
	}
	format, ok := wire.Lookup(p.Webhook.Type)
	if !ok {
		return false, nil // made by a newer release, which sends it
	}
	err = m.store.Sends.Store(ctx, p, manualDeliveries(format, p))
	if errors.Is(err, models.ErrChanged) {
		return true, nil
	}
	if err == nil {
		m.stored()
	}
	return true, err
}

// manualDeliveries builds a delivery of each event that the type can carry.
func manualDeliveries(f *wire.Format, p *models.ManualPortion) []models.NewDelivery {
	e := &entry{webhook: p.Webhook, format: f}
	var built []models.NewDelivery
	for _, row := range p.Events {
		if _, carried := f.Covering(row.Kind()); !carried {
			continue
		}
		it := &item{row: row}
		it.decode(row.Payload)
		c := &cohort{format: f, hooks: []*entry{e}, items: []*item{it}, rest: models.Rest{Location: row.Location, Logged: true}}
		for _, d := range c.advance(&budget{1 << 20, 1 << 30}) {
			d.PublicID = f.NewID() // that of the event is the triggered delivery's
			built = append(built, d)
		}
	}
	return built
}
