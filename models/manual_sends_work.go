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
// is none. One ends early whose webhook is gone or was moved to another location,
// or whose member may no longer send events of its location.
func (x *ManualSends) Next(ctx context.Context) (_ *ManualPortion, err error) {
	defer wrap(&err, "read events to send by hand")
	tx := x.s.db.WithContext(ctx)
	var open []ManualSend
	if err := tx.Order("id").Limit(1).Find(&open, "ended_at is null").Error; err != nil || len(open) == 0 {
		return nil, err
	}
	p := &ManualPortion{Send: open[0]}
	if err := found(tx.Take(&p.Webhook, p.Send.WebhookID)); err != nil { // it is kept when it is deleted
		return nil, err
	}
	reason, err := x.refused(tx, p.Send, p.Webhook)
	if err != nil {
		return nil, err
	}
	if reason != "" {
		return x.ended(ctx, p, reason)
	}
	return p, x.read(tx, p)
}

// refused is why a filter ends early, in words; empty: it goes on.
func (x *ManualSends) refused(tx *gorm.DB, m ManualSend, w Webhook) (reason string, err error) {
	switch {
	case w.DeletedAt != nil:
		return "The webhook was deleted.", nil
	case w.Location != m.Location:
		return "The webhook was moved to another location.", nil
	}
	var by User
	err = found(tx.Take(&by, m.ByID))
	switch {
	case errors.Is(err, ErrNotFound):
		return "The member who started it was removed.", nil
	case err != nil:
		return "", err
	case by.DisabledAt != nil:
		return "The member who started it was disabled.", nil
	case by.Role != RoleAdministrator:
		return "The member who started it is no longer an administrator.", nil
	case !by.Within().Has(m.Location):
		return "The member who started it may no longer see this location.", nil
	}
	return "", nil
}

// ended ends a filter early. It returns a portion without events.
func (x *ManualSends) ended(ctx context.Context, p *ManualPortion, reason string) (*ManualPortion, error) {
	p.ended = true
	return p, x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		res := tx.Model(&ManualSend{}).Where("id = ? and ended_at is null", p.Send.ID).
			Updates(map[string]any{"reason": reason, "ended_at": now})
		if res.Error != nil || res.RowsAffected == 0 { // another instance was first
			return res.Error
		}
		return auditAt(tx, Actor{}, now, oneLocation(p.Send.Location, p.Webhook.Location), "delivery.send_ended", label(p.Webhook),
			"Started by "+p.Send.ByName+". "+reason)
	})
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
