package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// Events are the events that the site reported.
type Events struct {
	s       *Store
	records *db.Batcher[*recordCall]
}

// EventQuery selects events; empty: any.
type EventQuery struct {
	Within   LocationSet `json:"-"`
	Search   string      // the event's id, words of its title, or a question's number or link
	Location string
	Types    []string // any of them; empty: any
	Tag      string
	From, To time.Time // of receipt; zero: open
	Before   int64     // Event.ID below this; 0: from the newest
	Limit    int
	// Webhook leaves only events that this webhook matched; with MatchedNone,
	// those that it did not match. 0: any.
	Webhook int64
	Matched string // MatchedSome or MatchedNone: whether any webhook matched; MatchedWaiting; empty: any
	// NoUnlogged leaves out events that were dispatched while trigger history
	// was off.
	NoUnlogged bool
}

// eventColumns leave the payload out.
const eventColumns = "id, event_id, type, family, location, community, tags, merge_key, subject, title, source, via, occurred_at, received_at"

// Get returns the event to which its sender gave an id in a location, or
// ErrNotFound.
func (x *Events) Get(ctx context.Context, location, eventID string) (_ Event, err error) {
	defer wrap(&err, "get event %s of %s", eventID, location)
	return x.one(x.s.db.WithContext(ctx), "event_id = ? and location = ?", eventID, location)
}

// Named returns the events of the locations to which senders gave an id, one for
// each location at most, newest first and at most limit.
func (x *Events) Named(ctx context.Context, within LocationSet, eventID string, limit int) (_ []Event, err error) {
	defer wrap(&err, "find events %s", eventID)
	return x.named(x.s.db.WithContext(ctx), EventQuery{Within: within, Search: eventID, Limit: limit})
}

// ByID returns an event of the locations by its number, or ErrNotFound.
func (x *Events) ByID(ctx context.Context, within LocationSet, id int64) (_ Event, err error) {
	defer wrap(&err, "get event %d", id)
	e, err := x.one(x.s.db.WithContext(ctx), "id = ?", id)
	if err == nil && !within.Has(e.Location) {
		return Event{}, ErrNotFound
	}
	return e, err
}

func (x *Events) one(db *gorm.DB, where string, args ...any) (Event, error) {
	rows := make([]Event, 1)
	if err := found(db.Take(&rows[0], append([]any{where}, args...)...)); err != nil {
		return Event{}, err
	}
	return rows[0], x.withDispatches(db, rows)
}

// MergedFrom returns the older events that were merged into one, oldest first.
func (x *Events) MergedFrom(ctx context.Context, id int64) (_ []Event, err error) {
	defer wrap(&err, "list events merged into %d", id)
	db := x.s.db.WithContext(ctx)
	var rows []Event
	if err := db.Select(eventColumns).Order("id").Find(&rows, "id in ("+mergedInto+")", id).Error; err != nil {
		return nil, err
	}
	return rows, x.withDispatches(db, rows)
}

// TriggerRow is a trigger with its webhook, deleted or not, and its delivery
// without the body.
type TriggerRow struct {
	Trigger
	Webhook  Webhook
	Delivery Delivery
}

// deliveriesOf selects the ids of the deliveries that have an event inside; the
// event is said twice.
const deliveriesOf = "select id from deliveries where event_id = ? union all select delivery_id from triggers where event_id = ?"

// Triggers returns the triggers of an event, and what was sent of it by hand, by
// webhook and with the oldest first; none of the time while trigger history was
// off.
func (x *Events) Triggers(ctx context.Context, id int64) (_ []TriggerRow, err error) {
	defer wrap(&err, "list triggers of event %d", id)
	db := x.s.db.WithContext(ctx)
	var found []Delivery
	err = db.Table("deliveries d").Select(deliveryColumns).Order("d.webhook_id, d.id").
		Find(&found, "d.id in ("+deliveriesOf+") and (select logged from dispatches p where p.id = d.dispatch_id)", id, id).Error
	if err != nil {
		return nil, err
	}
	if err := x.s.complete(db, found); err != nil {
		return nil, err
	}
	hooks := make([]int64, len(found))
	for i, d := range found {
		hooks[i] = d.WebhookID
	}
	webhookByID, err := webhooksByID(db, hooks)
	if err != nil {
		return nil, err
	}
	rows := make([]TriggerRow, len(found))
	for i, d := range found {
		rows[i] = TriggerRow{Trigger{id, d.WebhookID, d.ID}, webhookByID[d.WebhookID], d}
	}
	return rows, nil
}

func webhooksByID(db *gorm.DB, ids []int64) (map[int64]Webhook, error) {
	var hooks []Webhook
	if err := db.Find(&hooks, "id in ?", ids).Error; err != nil {
		return nil, err
	}
	byID := make(map[int64]Webhook, len(hooks))
	for _, w := range hooks {
		byID[w.ID] = w
	}
	return byID, nil
}
