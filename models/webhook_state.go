package models

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Pause stops an active webhook; its deliveries are held from then on. Errors:
// ErrNotFound; *ConflictError when it is not of the version of seen, an updatedAt
// that may be left out.
func (x *Webhooks) Pause(ctx context.Context, by Actor, id int64, seen ...time.Time) (err error) {
	defer wrap(&err, "pause webhook %d", id)
	return x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		w, now, err := x.lockedNow(tx, id, seen...)
		if err != nil || w.State == WebhookStopped {
			return err
		}
		return x.pause(tx, &w, by, now)
	})
}

// pause stops a locked webhook.
func (x *Webhooks) pause(tx *gorm.DB, w *Webhook, by Actor, now time.Time) error {
	if err := x.s.setState(tx, w, by, now, WebhookStopped, ""); err != nil {
		return err
	}
	return auditAt(tx, by, now, w.Location, "webhook.paused", label(*w), "")
}

// Resume makes a webhook active again and either sends its held deliveries, by
// a schedule that starts anew, or drops them. It returns their number. Errors are
// those of Pause.
func (x *Webhooks) Resume(ctx context.Context, by Actor, id int64, dropHeld bool, seen ...time.Time) (n int64, err error) {
	defer wrap(&err, "resume webhook %d", id)
	return x.resume(ctx, by, id, dropHeld, "", seen, WebhookStopped, WebhookBroken)
}

// Heal makes a broken webhook active, and sends its held deliveries. A webhook
// that was stopped or resumed meanwhile is left unchanged.
func (x *Webhooks) Heal(ctx context.Context, by Actor, id int64) (n int64, err error) {
	defer wrap(&err, "heal webhook %d", id)
	return x.resume(ctx, by, id, false, "A test arrived", nil, WebhookBroken)
}

func (x *Webhooks) resume(ctx context.Context, by Actor, id int64, dropHeld bool, why string, seen []time.Time, from ...string) (n int64, err error) {
	dropped := dropCounts{}
	err = x.s.db.TxLong(ctx, func(tx *gorm.DB) error {
		n = 0
		w, now, err := x.lockedNow(tx, id, seen...)
		if err != nil || !slices.Contains(from, w.State) {
			return err
		}
		if err := x.s.setState(tx, &w, by, now, WebhookActive, why); err != nil {
			return err
		}
		detail := " held dropped"
		if dropHeld {
			var ended int64
			n, ended, err = drop(tx, id, now, "dropped by "+by.Name)
			dropped = dropCounts{w.Type: ended}
		} else {
			n, detail, err = x.release(tx, w, now)
		}
		if err != nil {
			return err
		}
		return auditAt(tx, by, now, w.Location, "webhook.resumed", label(w), strconv.FormatInt(n, 10)+detail)
	})
	return n, x.s.countDropped(dropped, err)
}

// release makes the held deliveries of a resumed webhook due. It returns their number
// and what becomes of them, in words.
func (x *Webhooks) release(tx *gorm.DB, w Webhook, now time.Time) (n int64, detail string, err error) {
	settings, err := x.s.Settings.get(tx)
	if err != nil {
		return 0, "", err
	}
	detail = " held to be sent"
	if !x.s.canNow(WebhookActive, w.Type, settings) {
		detail = " held until " + EnableGenericWebhooks + " is on"
	}
	n, err = release(tx, w.ID, now)
	return n, detail, err
}

// Break marks an active webhook as broken; the reason is for people.
func (x *Webhooks) Break(ctx context.Context, id int64, reason string) (err error) {
	defer wrap(&err, "break webhook %d", id)
	return x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		return x.s.breakIn(tx, id, reason)
	})
}

// breakIn does nothing to a webhook that is not active.
func (s *Store) breakIn(tx *gorm.DB, id int64, reason string) error {
	w, now, err := s.Webhooks.lockedNow(tx, id)
	if err != nil || w.State != WebhookActive {
		return err
	}
	if err := s.setState(tx, &w, Actor{}, now, WebhookBroken, reason); err != nil {
		return err
	}
	if err := s.recordBroken(tx, w, now); err != nil {
		return err
	}
	return auditAt(tx, Actor{}, now, w.Location, "webhook.broke", label(w), reason)
}

// recordBroken records the event that other webhooks of the location can be
// asked to report.
func (s *Store) recordBroken(tx *gorm.DB, w Webhook, now time.Time) error {
	id := strconv.FormatInt(w.ID, 10)
	key := uuid.Must(uuid.NewV7()).String()
	payload, err := json.Marshal(map[string]any{
		"id": key, "type": WebhookBrokenEvent, "occurred_at": now.Format(time.RFC3339Nano), "location": w.Location,
		"subject": id, "data": map[string]any{"id": w.ID, "name": w.Name, "reason": w.StateReason},
	})
	if err != nil {
		return err
	}
	_, err = s.recordIn(tx, []NewEvent{{
		EventID: key, Type: WebhookBrokenEvent, Location: w.Location, Subject: id, Title: w.Name, OccurredAt: now, Payload: payload,
	}}, now)
	return err
}

// Delete drops waiting deliveries and keeps the webhook for the history. It
// returns how many waited. Errors are those of Pause.
func (x *Webhooks) Delete(ctx context.Context, by Actor, id int64, seen ...time.Time) (waited int64, err error) {
	defer wrap(&err, "delete webhook %d", id)
	dropped := dropCounts{}
	err = x.s.db.TxLong(ctx, func(tx *gorm.DB) error {
		w, now, err := x.lockedNow(tx, id, seen...)
		if err != nil {
			return err
		}
		w.DeletedAt, w.UpdatedAt, w.UpdatedBy = &now, now, by.Name
		// Sealed values are erased at once; the history needs only the shown
		// part.
		w.URL, w.Secret1, w.Secret2, w.Headers = "", "", "", ""
		if err := tx.Select("*").Updates(&w).Error; err != nil {
			return err
		}
		if err := x.s.newVersion(tx, w, by, now); err != nil {
			return err
		}
		n, ended, err := drop(tx, id, now, "the webhook was deleted by "+by.Name)
		if err != nil {
			return err
		}
		waited, dropped = n, dropCounts{w.Type: ended}
		return auditAt(tx, by, now, w.Location, "webhook.deleted", label(w), strconv.FormatInt(n, 10)+" waiting dropped")
	})
	return waited, x.s.countDropped(dropped, err)
}

// Waiting counts the deliveries that wait to be sent, or to be sent again.
func (x *Webhooks) Waiting(ctx context.Context, id int64) (n int64, err error) {
	defer wrap(&err, "count waiting deliveries of webhook %d", id)
	return n, x.s.db.WithContext(ctx).Model(&queuedDelivery{}).Where("webhook_id = ?", id).Count(&n).Error
}

func (x *Webhooks) lockedNow(tx *gorm.DB, id int64, seen ...time.Time) (Webhook, time.Time, error) {
	w, err := x.locked(tx, id)
	if err == nil {
		err = asSeen(seen, w.UpdatedAt, w.UpdatedBy)
	}
	if err != nil {
		return w, time.Time{}, err
	}
	now, err := x.s.db.Now(tx)
	return w, now, err
}

func (s *Store) setState(tx *gorm.DB, w *Webhook, by Actor, now time.Time, state, reason string) error {
	w.State, w.StateReason, w.StateAt, w.StateBy = state, reason, &now, by.Name
	if state == WebhookActive {
		reason = "" // only the history tells why a webhook sends again
	}
	err := tx.Model(&Webhook{}).Where("id = ?", w.ID).Updates(map[string]any{
		"state": state, "state_reason": reason, "state_at": now, "state_by": by.Name,
	}).Error
	if err != nil {
		return err
	}
	return s.newVersion(tx, *w, by, now)
}

// dropCounts are numbers of deliveries by type of webhook.
type dropCounts map[string]int64

// countDropped passes the deliveries that a transaction dropped to Finished,
// unless the transaction failed. It returns the transaction's error.
func (s *Store) countDropped(dropped dropCounts, err error) error {
	if err != nil || s.Finished == nil {
		return err
	}
	for kind, n := range dropped {
		if n > 0 {
			s.Finished(kind, DeliveryDropped, n)
		}
	}
	return nil
}
