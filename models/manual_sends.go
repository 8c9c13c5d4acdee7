package models

import (
	"context"
	"errors"
	"strconv"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// ManualSend is events that a member sends to one webhook by hand, each in a
// delivery of its own: one event, or all that a filter of the trigger history
// finds.
type ManualSend struct {
	ID        int64
	Key       string // of the form: what was asked for once is carried out once
	WebhookID int64
	Location  string
	Query     EventQuery `gorm:"serializer:json"`
	ByID      int64
	ByName    string
	At        time.Time // the deliveries of a filter fall due at this moment
	// PlaceAt and Place are a receipt and an Event.ID up to which all is done; nil:
	// nothing is.
	PlaceAt *time.Time
	Place   int64
	Through int64 // Event.ID of the newest event counted; later ones are left out
	Total   int64 // events counted when it was asked for
	Created int64 // deliveries created
	// After is the newest delivery that there was when it was asked for.
	After int64
	// Delivery is the PublicID of the only delivery; empty: there is a filter.
	Delivery string
	Reason   string     // why it ended early, in words
	EndedAt  *time.Time // nil: deliveries are still being created
}

// ManualSends are what members send by hand.
type ManualSends struct{ s *Store }

// One sends one event: it stores its delivery, due now. The key names the form
// that asks for it: asked for again, it returns the delivery that there is, and
// again is true. Errors: ErrNotFound when webhook or event is gone, ErrMoved
// when the webhook is at another location, ErrErased.
func (x *ManualSends) One(ctx context.Context, by Actor, key string, d NewDelivery, what string) (publicID string, again bool, err error) {
	defer wrap(&err, "send to webhook %d by hand", d.WebhookID)
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		w, now, err := x.s.Webhooks.lockedNow(tx, d.WebhookID)
		if err != nil {
			return err
		}
		var known []ManualSend
		if err := tx.Find(&known, "key = ?", key).Error; err != nil {
			return err
		}
		if len(known) > 0 {
			publicID, again = known[0].Delivery, true
			return nil
		}
		if w.Location != d.Location {
			return ErrMoved
		}
		err = x.store(tx, by.Name, []NewDelivery{d}, manualDue{now: now, due: now})
		if errors.Is(err, ErrChanged) {
			return ErrErased // it was read before it was locked
		}
		if err != nil {
			return err
		}
		publicID, again = d.PublicID, false
		row := ManualSend{
			Key: key, WebhookID: w.ID, Location: w.Location, ByID: by.UserID, ByName: by.Name, At: now,
			Total: 1, Created: 1, Delivery: d.PublicID, EndedAt: &now,
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return auditAt(tx, by, now, w.Location, "delivery.sent", label(w), what)
	})
	return publicID, again, err
}

// manualDue is when deliveries are created and fall due, and whether they go out
// as slowly as held ones, and the filter that they belong to; 0: none.
type manualDue struct {
	now, due time.Time
	paced    bool
	send     int64
}

// store stores deliveries of one event each, to one webhook, whose row is
// locked. Error: ErrChanged when the content of an event is gone.
func (x *ManualSends) store(tx *gorm.DB, by string, rows []NewDelivery, at manualDue) error {
	if len(rows) == 0 {
		return nil
	}
	webhook, events := rows[0].WebhookID, make([]int64, len(rows))
	for i := range rows {
		events[i] = rows[i].Events[0]
	}
	// Held until this transaction ends, so that none is erased meanwhile.
	var whole []int64
	err := tx.Raw("select id from events where length(payload) > 0 and "+x.s.db.InIDs("id")+" order by id"+x.s.db.ForShare(), db.JSON(events)).Scan(&whole).Error
	if err != nil {
		return err
	}
	if len(whole) < len(events) {
		return ErrChanged
	}
	err = tx.Model(&Lane{}).Where("webhook_id = ?", webhook).Updates(map[string]any{
		"next_due_at": at.now, "paced": gorm.Expr("paced or cast(? as boolean)", at.paced),
	}).Error
	if err != nil {
		return err
	}
	if err := x.dispatched(tx, by, rows, events, at); err != nil {
		return err
	}
	ids, err := x.s.insertDeliveries(tx, rows, at.now)
	if err != nil || !at.paced {
		return err
	}
	return tx.Model(&queuedDelivery{}).Where(x.s.db.InIDs("delivery_id"), db.JSON(ids)).
		Updates(map[string]any{"due_at": at.due, "paced": true}).Error
}

// dispatched notes who sends the deliveries, and keeps on record how the events
// were dispatched: no delivery of theirs tells that by itself any more.
func (x *ManualSends) dispatched(tx *gorm.DB, by string, rows []NewDelivery, events []int64, at manualDue) error {
	settings, err := x.s.Settings.get(tx)
	if err != nil {
		return err
	}
	version, err := matchVersion(tx, "")
	if err != nil {
		return err
	}
	// gorm does not insert what a select finds.
	err = tx.Exec("insert into dispatched_events (event_id, dispatch_id, merged_into) select e.id, coalesce("+dispatchOf+
		", 0), null from events e where "+x.s.db.InIDs("e.id")+" on conflict do nothing", db.JSON(events)).Error
	if err != nil {
		return err
	}
	d := dispatch{At: at.now, MatchVersion: version, Logged: settings.TriggerHistory, SentBy: by, SendID: at.send}
	if err := tx.Create(&d).Error; err != nil {
		return err
	}
	for i := range rows {
		rows[i].DispatchID = d.ID
	}
	return nil
}

// Sendable is what a query finds that can be sent to a webhook.
type Sendable struct {
	// Kinds count the events by their kind. Those that were not dispatched yet,
	// were merged into others or were erased are left out.
	Kinds map[EventKind]int64
	// Event.ID of the newest and the oldest event looked at; others are left out.
	// From 0: there are no older ones.
	Through, From int64

	fromAt time.Time // its receipt
}

// Count counts the events of a location that a query finds and that can be
// sent by hand. It looks at the newest ones, at most ScanMax, from one on; 0:
// from the newest.
func (x *ManualSends) Count(ctx context.Context, q EventQuery, through int64) (_ Sendable, err error) {
	defer wrap(&err, "count events to send")
	tx := x.s.db.WithContext(ctx)
	can := Sendable{Kinds: map[EventKind]int64{}, Through: through}
	if through == 0 {
		if err := tx.Model(&Event{}).Select("coalesce(max(id), 0)").Scan(&can.Through).Error; err != nil {
			return can, err
		}
	}
	indexed, err := x.s.Events.whereIndexed(tx.Model(&Event{}), q)
	if err != nil {
		return can, err
	}
	var last Event
	err = newestEvents(indexed, q).Select("id", "received_at").Where("id <= ?", can.Through).Offset(ScanMax - 1).Limit(1).Find(&last).Error
	if err != nil {
		return can, err
	}
	can.From, can.fromAt = last.ID, last.ReceivedAt
	query, err := x.where(tx, q, can.Through)
	if err != nil {
		return can, err
	}
	if last.ID != 0 {
		query = query.Where("received_at >= ? and (received_at, id) >= (?, ?)", last.ReceivedAt, last.ReceivedAt, last.ID)
	}
	var rows []struct {
		Type, Family string
		N            int64
	}
	err = query.Select("type, family, count(*) as n").Group("type, family").Find(&rows).Error
	for _, row := range rows {
		can.Kinds[Event{Type: row.Type, Family: row.Family}.Kind()] += row.N
	}
	return can, err
}

// where selects the events of a query that can be sent by hand.
func (x *ManualSends) where(tx *gorm.DB, q EventQuery, through int64) (*gorm.DB, error) {
	q.Within = OnlyLocations(q.Location) // the webhook's
	words := q.Search
	if q.Search != "" && questionOf(q.Search) == "" {
		named, err := x.s.Events.named(tx, EventQuery{Within: q.Within, Search: q.Search, Location: q.Location, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(named) > 0 { // the list shows it alone
			tx, words = tx.Where("event_id = ?", q.Search), ""
		}
	}
	query, err := x.s.Events.whereIndexed(tx.Model(&Event{}), q)
	if err != nil {
		return nil, err
	}
	return x.s.Events.whereEvent(query, q, words).Where("id <= ? and length(payload) > 0 and not ("+isPending+") and not ("+isMerged+")", through), nil
}

// Start asks for the events that Count counted to be sent to a webhook that is at
// their location; jobs carry it out. The key is that of One, total how many of
// them the webhook can be sent, and what names the filter in words, for the audit
// log. Errors: ErrNotFound when the webhook is gone, ErrMoved.
func (x *ManualSends) Start(ctx context.Context, by Actor, m ManualSend, counted Sendable, what string) (_ ManualSend, err error) {
	defer wrap(&err, "send to webhook %d by hand", m.WebhookID)
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		w, now, err := x.s.Webhooks.lockedNow(tx, m.WebhookID)
		if err != nil {
			return err
		}
		var known []ManualSend
		if err := tx.Find(&known, "key = ?", m.Key).Error; err != nil {
			return err
		}
		if len(known) > 0 {
			m = known[0]
			return nil
		}
		if w.Location != m.Query.Location {
			return ErrMoved
		}
		m.ID, m.Location, m.ByID, m.ByName, m.At, m.Through = 0, w.Location, by.UserID, by.Name, now, counted.Through
		if counted.From > 0 {
			m.PlaceAt, m.Place = &counted.fromAt, counted.From-1
		}
		if err := tx.Raw("select coalesce(max(id), 0) from deliveries").Scan(&m.After).Error; err != nil {
			return err
		}
		if err := tx.Create(&m).Error; err != nil {
			return err
		}
		return auditAt(tx, by, now, w.Location, "delivery.sent", label(w), strconv.FormatInt(m.Total, 10)+" events: "+what)
	})
	return m, err
}

// Get returns one by its number, or ErrNotFound.
func (x *ManualSends) Get(ctx context.Context, id int64) (m ManualSend, err error) {
	defer wrap(&err, "get events sent by hand %d", id)
	return m, found(x.s.db.WithContext(ctx).Take(&m, id))
}

// ManualProgress is how far the deliveries of a filter are.
type ManualProgress struct {
	Left    int64 // had no attempt yet
	Dropped int64 // were dropped before their first attempt
	Held    bool  // the webhook cannot send those that are left
}

// Progress counts the deliveries of a filter that were created and had no attempt.
func (x *ManualSends) Progress(ctx context.Context, m ManualSend) (p ManualProgress, err error) {
	defer wrap(&err, "count events sent by hand")
	tx := x.s.db.WithContext(ctx)
	err = errors.Join(
		tx.Model(&queuedDelivery{}).Where("webhook_id = ? and paced and due_at = ?", m.WebhookID, m.At).Count(&p.Left).Error,
		tx.Raw(`select count(*) from delivery_ends e join deliveries d on d.id = e.delivery_id join dispatches x on x.id = d.dispatch_id
			where e.state = 'dropped' and e.delivery_id > ? and e.webhook_id = ? and x.send_id = ?
			and not exists (select 1 from attempts a where a.delivery_id = e.delivery_id)`, m.After, m.WebhookID, m.ID).Scan(&p.Dropped).Error)
	if err != nil || p.Left == 0 {
		return p, err
	}
	settings, err := x.s.Settings.get(tx)
	if err != nil {
		return p, err
	}
	var w Webhook
	if err := found(tx.Take(&w, m.WebhookID)); err != nil {
		return p, err
	}
	p.Held = x.s.heldWhy(w, settings) != ""
	return p, nil
}
