package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// How much of a filter one transaction sends: the deliveries to one webhook go
// out slowly anyway.
const (
	manualPortion = 100     // events
	manualBytes   = 2 << 20 // of payloads; a larger event goes alone
)

// ManualPortion is the next events of a filter, in the order of receipt.
type ManualPortion struct {
	Send    ManualSend
	Webhook Webhook
	Events  []Event
	last    Event // that was read
	more    bool  // others may follow
	ended   bool
}

// Next reads the next events of the filter that has waited longest; nil: there
// is none. One whose webhook is gone, or was moved to another location, ends.
func (x *ManualSends) Next(ctx context.Context) (_ *ManualPortion, err error) {
	defer wrap(&err, "read events to send by hand")
	tx := x.s.db.WithContext(ctx)
	var open []ManualSend
	if err := tx.Order("id").Limit(1).Find(&open, "ended_at is null").Error; err != nil || len(open) == 0 {
		return nil, err
	}
	p := &ManualPortion{Send: open[0]}
	err = found(tx.Take(&p.Webhook, "id = ? and deleted_at is null", p.Send.WebhookID))
	switch {
	case errors.Is(err, ErrNotFound):
		return x.ended(ctx, p, "The webhook was deleted.")
	case err == nil && p.Webhook.Location != p.Send.Location:
		return x.ended(ctx, p, "The webhook was moved to another location.")
	case err != nil:
		return nil, err
	}
	return p, x.read(tx, p)
}

// ended ends a filter early. It returns a portion without events.
func (x *ManualSends) ended(ctx context.Context, p *ManualPortion, reason string) (*ManualPortion, error) {
	now, err := x.s.Now(ctx)
	if err != nil {
		return nil, err
	}
	p.ended = true
	return p, x.s.db.WithContext(ctx).Model(&ManualSend{}).Where("id = ? and ended_at is null", p.Send.ID).
		Updates(map[string]any{"reason": reason, "ended_at": now}).Error
}

func (x *ManualSends) read(tx *gorm.DB, p *ManualPortion) error {
	query, err := x.where(tx, p.Send.Query, p.Send.Through)
	if err != nil {
		return err
	}
	if at := p.Send.PlaceAt; at != nil {
		query = query.Where("received_at >= ? and (received_at, id) > (?, ?)", *at, *at, p.Send.Place)
	}
	var rows []struct {
		ID         int64
		ReceivedAt time.Time
		Bytes      int
	}
	err = query.Select("id, received_at, length(payload) as bytes").Order("received_at, id").Limit(manualPortion).Find(&rows).Error
	if err != nil {
		return err
	}
	p.more = len(rows) == manualPortion
	var ids []int64
	bytes := 0
	for _, row := range rows {
		if bytes += row.Bytes; bytes > manualBytes && len(ids) > 0 {
			p.more = true
			break
		}
		ids, p.last = append(ids, row.ID), Event{ID: row.ID, ReceivedAt: row.ReceivedAt}
	}
	return tx.Order("received_at, id").Find(&p.Events, x.s.db.InIDs("id"), db.JSON(ids)).Error
}

// Store stores the deliveries that were made of a portion. Error: ErrChanged
// when another instance stored it first, or when webhook or events are not as
// they were read.
func (x *ManualSends) Store(ctx context.Context, p *ManualPortion, rows []NewDelivery) (err error) {
	defer wrap(&err, "store events sent by hand %d", p.Send.ID)
	return x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		w, now, err := x.s.Webhooks.lockedNow(tx, p.Webhook.ID)
		if errors.Is(err, ErrNotFound) || err == nil && w.Location != p.Send.Location {
			return ErrChanged
		}
		if err != nil {
			return err
		}
		next := map[string]any{"created": gorm.Expr("created + ?", len(rows))}
		if p.last.ID != 0 {
			next["place_at"], next["place"] = p.last.ReceivedAt, p.last.ID
		}
		if !p.more {
			next["ended_at"] = now
		}
		res := tx.Model(&ManualSend{}).Where("id = ? and place = ? and ended_at is null", p.Send.ID, p.Send.Place).Updates(next)
		if res.Error != nil {
			return res.Error
		}
		if res.RowsAffected == 0 {
			return ErrChanged
		}
		return x.store(tx, p.Send.ByName, rows, manualDue{now, p.Send.At, true, p.Send.ID})
	})
}

// Ended tells that there is nothing to store, because the filter ended early.
func (p *ManualPortion) Ended() bool { return p.ended }
