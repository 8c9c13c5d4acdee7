package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
)

// Deliveries are the notifications and their attempts.
type Deliveries struct{ s *Store }

// Values of DeliveryQuery.State besides those of deliveries.
const (
	StateHeld    = "held"    // waits, perhaps to be resent, and its webhook cannot send
	StateWaiting = "waiting" // pending or retrying
	StateTried   = "tried"   // at least one attempt failed, however it ended
)

// DeliveryQuery selects deliveries; empty: any.
type DeliveryQuery struct {
	// Within are the locations whose deliveries are found. Unless it holds all,
	// those of a webhook that has moved elsewhere are left out.
	Within     LocationSet
	WebhookID  int64
	Location   string // slug
	PublicID   string // the whole of it
	State      string // of the delivery, StateHeld or StateWaiting
	CodeClass  int    // 2 to 5: of the newest attempt's status
	ErrorClass string
	EventTypes []string  // of an event inside, any of them; empty: any
	From, To   time.Time // of creation; zero: open
	Before     int64     // Delivery.ID below this; 0: from the newest
	Limit      int
	Count      bool // fill in DeliveryPage.Total
}

// DeliveryRow is a delivery with its webhook, deleted or not.
type DeliveryRow struct {
	Delivery
	Webhook Webhook
	// Held says that it waits, perhaps to be resent, and that its webhook cannot
	// send; HeldWhy says why.
	Held    bool
	HeldWhy string
}

// List returns deliveries, newest first and without body, and whether there are more.
func (x *Deliveries) List(ctx context.Context, q DeliveryQuery) (rows []DeliveryRow, more bool, err error) {
	defer wrap(&err, "list deliveries")
	db := x.s.db.WithContext(ctx)
	settings, err := x.s.Settings.get(db)
	if err != nil {
		return nil, false, err
	}
	return x.newest(db, q, 0, settings)
}

// newest finds deliveries from a floor on.
func (x *Deliveries) newest(db *gorm.DB, q DeliveryQuery, floor int64, settings Settings) (rows []DeliveryRow, more bool, err error) {
	var found []Delivery
	query, err := x.ordered(db, q, floor, settings)
	if err != nil {
		return nil, false, err
	}
	if err := query.Find(&found).Error; err != nil {
		return nil, false, err
	}
	if len(found) > q.Limit {
		found, more = found[:q.Limit], true
	}
	rows, err = x.withWebhooks(db, found, settings)
	return rows, more, err
}

// ordered selects deliveries of a page and the one after it.
func (x *Deliveries) ordered(db *gorm.DB, q DeliveryQuery, floor int64, settings Settings) (*gorm.DB, error) {
	if !q.merges() {
		query, err := x.where(db, q, floor, settings)
		if err != nil {
			return nil, err
		}
		return query.Select(deliveryColumns).Order(q.source().id + " desc").Limit(q.Limit + 1), nil
	}
	var pages []any
	for _, q.Location = range q.Within.Slugs() {
		page, err := x.ordered(db, q, floor, settings)
		if err != nil {
			return nil, err
		}
		pages = append(pages, page)
	}
	return merged(db, "d", pages).Order("id desc").Limit(q.Limit + 1), nil
}

func (x *Deliveries) withWebhooks(db *gorm.DB, found []Delivery, settings Settings) ([]DeliveryRow, error) {
	if err := x.s.complete(db, found); err != nil {
		return nil, err
	}
	ids := make([]int64, len(found))
	for i, d := range found {
		ids[i] = d.WebhookID
	}
	hooks, err := webhooksByID(db, ids)
	if err != nil {
		return nil, err
	}
	rows := make([]DeliveryRow, len(found))
	for i, d := range found {
		w := hooks[d.WebhookID]
		rows[i] = DeliveryRow{Delivery: d, Webhook: w}
		if d.DueAt != nil {
			rows[i].HeldWhy = x.s.heldWhy(w, settings)
			rows[i].Held = rows[i].HeldWhy != ""
		}
	}
	return rows, nil
}

// Oldest is when the oldest delivery was created; the zero time: there is none.
func (x *Deliveries) Oldest(ctx context.Context) (at time.Time, err error) {
	defer wrap(&err, "find the oldest delivery")
	var first Delivery
	err = x.s.db.WithContext(ctx).Select("created_at").Order("id").Limit(1).Find(&first).Error
	return first.CreatedAt, err
}

// Get returns a delivery of the locations with its body, or ErrNotFound.
func (x *Deliveries) Get(ctx context.Context, within LocationSet, publicID string) (_ DeliveryRow, err error) {
	defer wrap(&err, "get delivery %s", publicID)
	db := x.s.db.WithContext(ctx)
	var d Delivery
	of := DeliveryQuery{Within: within}.whereWithin(db.Table("deliveries d"))
	if err := found(of.Joins(withPassage).Select(deliveryColumns+bodyColumns).Take(&d, "d.public_id = ?", publicID)); err != nil {
		return DeliveryRow{}, err
	}
	settings, err := x.s.Settings.get(db)
	if err != nil {
		return DeliveryRow{}, err
	}
	whole := []Delivery{d}
	if err := x.s.withBodies(db, whole); err != nil {
		return DeliveryRow{}, err
	}
	rows, err := x.withWebhooks(db, whole, settings)
	if err != nil {
		return DeliveryRow{}, err
	}
	return rows[0], nil
}

// Attempts returns a delivery's attempts, the first first.
func (x *Deliveries) Attempts(ctx context.Context, deliveryID int64) (_ []Attempt, err error) {
	defer wrap(&err, "list attempts of delivery %d", deliveryID)
	var rows []Attempt
	err = x.s.db.WithContext(ctx).Order("started_at").Find(&rows, "delivery_id = ?", deliveryID).Error
	for i := range rows {
		rows[i].Number = i + 1
	}
	return rows, err
}

// EventsOf returns the events inside a delivery, without payload; none when
// trigger history was off.
func (x *Deliveries) EventsOf(ctx context.Context, deliveryID int64) (_ []Event, err error) {
	defer wrap(&err, "list events of delivery %d", deliveryID)
	db := x.s.db.WithContext(ctx)
	var rows []Event
	err = db.Select(eventColumns).Order("occurred_at, id").Find(&rows, `id in (select event_id from deliveries where id = ? and event_id is not null union all select event_id from triggers where delivery_id = ?)
		and (select p.logged from deliveries d join dispatches p on p.id = d.dispatch_id where d.id = ?)`, deliveryID, deliveryID, deliveryID).Error
	if err != nil {
		return nil, err
	}
	return rows, x.s.Events.withDispatches(db, rows)
}

// Depth is how much waits, for metrics; counts stop at DepthMax.
type Depth struct {
	Undispatched int64 // events
	Backlogs     int64 // locations with such events
	SetAside     int64 // times that dispatch gave up: see Rest
	Waiting      int64 // deliveries, held ones included
	OldestDue    time.Duration
	Webhooks     map[string]int64 // by state
}

// DepthMax bounds the counts of Depth, which must stay cheap.
const DepthMax = 100_000

// Depth measures the queues.
func (x *Deliveries) Depth(ctx context.Context) (_ Depth, err error) {
	defer wrap(&err, "measure the queues")
	db := x.s.db.WithContext(ctx)
	d := Depth{Webhooks: map[string]int64{WebhookActive: 0, WebhookStopped: 0, WebhookBroken: 0}}
	now, err := x.s.db.Now(db)
	errs := []error{
		err,
		db.Table("(?) as events", db.Model(&pendingEvent{}).Select("1").Limit(DepthMax)).Count(&d.Undispatched).Error,
		db.Table("(?) as queued", db.Model(&queuedDelivery{}).Select("1").Limit(DepthMax)).Count(&d.Waiting).Error,
		db.Raw(pendingLocations+" select count(location) from l", "").Scan(&d.Backlogs).Error,
		db.Model(&Rest{}).Where("set_aside_at is not null").Count(&d.SetAside).Error,
	}
	// A lane's own time may be earlier than that of its next delivery. Those that
	// go out slowly are not late.
	var due []time.Time
	res := db.Raw(`select q.due_at from (
			select (select due_at from delivery_queue where webhook_id = l.webhook_id and paced = false order by due_at, delivery_id limit 1) as due_at
			from lanes l where l.next_due_at <= ?) q
		where q.due_at <= ? order by q.due_at limit 1`, now, now).Scan(&due)
	if len(due) > 0 {
		d.OldestDue = now.Sub(due[0])
	}
	var states []struct {
		State string
		N     int64
	}
	// Those that do not send are few and have an index; the others are the rest.
	var all int64
	errs = append(errs, res.Error,
		db.Model(&Webhook{}).Where("deleted_at is null").Count(&all).Error,
		db.Model(&Webhook{}).Select("state, count(*) as n").Where("state <> 'active' and deleted_at is null").Group("state").Find(&states).Error)
	for _, s := range states {
		d.Webhooks[s.State] = s.N
		all -= s.N
	}
	d.Webhooks[WebhookActive] = all
	return d, errors.Join(errs...)
}
