package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// ErrNotDispatched refuses to erase an event that has still to be sent.
var ErrNotDispatched = errors.New("the event has not been dispatched yet")

// Erasure counts the content that erasing an event removes, or has removed.
type Erasure struct {
	Earlier int64 // events that were merged into it; their content goes too
	Bodies  int64 // deliveries whose body and answers go
	// Remaining are deliveries whose body stays, newest first, at most ErasureShown:
	// they wait, or have other events inside whose content is not erased.
	Remaining []Delivery
	More      bool // there are more of these
}

// ErasureShown is how many deliveries an Erasure names.
const ErasureShown = 50

// Erased tells an event whose content was erased.
func (e Event) Erased() bool { return len(e.Payload) == 0 }

// Erasure counts the content that Erase would remove of an event.
func (x *Events) Erasure(ctx context.Context, id int64) (_ Erasure, err error) {
	defer wrap(&err, "count content of event %d", id)
	return x.erasure(x.s.db.WithContext(ctx), id)
}

// whole is a delivery of an event: finished, and with nothing inside that is
// not of that event or erased before.
const whole = `d.id in (` + deliveriesOf + `) and ` + inQueue + ` is null
	and (d.items = 1 or d.items = (select count(*) from triggers t join events e on e.id = t.event_id
		where t.delivery_id = d.id and (e.id = ? or length(e.payload) = 0)))`

// hasBody says that the body of a delivery was not erased.
const hasBody = "(length(d.body) > 0 or d.body_id is not null)"

func (x *Events) erasure(db *gorm.DB, id int64) (Erasure, error) {
	var r Erasure
	err := errors.Join(
		db.Model(&dispatchedEvent{}).Where("merged_into = ?", id).Count(&r.Earlier).Error,
		db.Table("deliveries d").Where(hasBody+" and "+whole, id, id, id).Count(&r.Bodies).Error,
		db.Table("deliveries d").Select(deliveryColumns).Where("d.id in ("+deliveriesOf+") and "+hasBody+" and not ("+whole+")", id, id, id, id, id).
			Order("d.id desc").Limit(ErasureShown+1).Find(&r.Remaining).Error,
	)
	if err != nil {
		return r, err
	}
	if len(r.Remaining) > ErasureShown {
		r.Remaining, r.More = r.Remaining[:ErasureShown], true
	}
	return r, x.s.complete(db, r.Remaining)
}

// Erase replaces an event's content and title by nothing, and those of the
// earlier ones merged into it, and with them the bodies and recorded answers of
// finished deliveries that contain nothing else. Ids, types, tags and times
// stay, so that the history goes on explaining. Errors: ErrNotFound,
// ErrNotDispatched.
func (x *Events) Erase(ctx context.Context, by Actor, id int64) (_ Erasure, err error) {
	defer wrap(&err, "erase event %d", id)
	var r Erasure
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := tx.Clauses(forUpdate).Select("id").Find(&Event{}, id).Error; err != nil {
			return err
		}
		e, err := x.one(tx, "id = ?", id)
		if err != nil {
			return err
		}
		if e.DispatchedAt == nil {
			return ErrNotDispatched
		}
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		if r, err = x.erasure(tx, id); err != nil {
			return err
		}
		return x.erase(tx, by, now, e, r)
	})
	return r, err
}

func (x *Events) erase(tx *gorm.DB, by Actor, now time.Time, e Event, r Erasure) error {
	nothing := []byte{}
	content := map[string]any{"payload": nothing, "title": ""}
	// Locked first, so that none is resent meanwhile.
	var locked []int64
	if err := tx.Table("deliveries d").Clauses(forUpdate).Where(whole, e.ID, e.ID, e.ID).Pluck("d.id", &locked).Error; err != nil {
		return err
	}
	var shared []int64
	if err := tx.Table("deliveries d").Where(whole, e.ID, e.ID, e.ID).Where("d.body_id is not null").Distinct().Pluck("d.body_id", &shared).Error; err != nil {
		return err
	}
	gone := tx.Table("deliveries d").Select("d.id").Where(whole, e.ID, e.ID, e.ID)
	for _, err := range []error{
		tx.Model(&Attempt{}).Where("delivery_id in (?)", gone).Update("response_body", nothing).Error,
		tx.Model(&Delivery{}).Where("id in (?)", gone).Updates(map[string]any{"body": nothing, "body_id": nil, "payload_bytes": 0}).Error,
		x.s.dropBodies(tx, shared),
		x.s.writeBodiesOut(tx, e.ID),
		tx.Model(&Event{}).Where("id = ?", e.ID).Updates(content).Error,
		tx.Model(&Event{}).Where("id in ("+mergedInto+")", e.ID).Updates(content).Error,
	} {
		if err != nil {
			return err
		}
	}
	return auditAt(tx, by, now, e.Location, "event.erased", fmt.Sprintf("event %d (%s)", e.ID, e.EventID),
		fmt.Sprintf("%d earlier ones, %d bodies of deliveries", r.Earlier, r.Bodies))
}
