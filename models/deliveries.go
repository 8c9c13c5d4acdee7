package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
)

// Deliveries are the notifications and their attempts.
type Deliveries struct{ s *Store }

// What a DeliveryQuery may name as State beside the stored ones.
const (
	StateHeld    = "held"    // waits, and its webhook cannot send
	StateWaiting = "waiting" // pending or retrying
)

// DeliveryQuery selects deliveries; empty: any.
type DeliveryQuery struct {
	WebhookID  int64
	State      string // a stored state, StateHeld or StateWaiting
	CodeClass  int    // 2 to 5: of the newest attempt's status
	ErrorClass string
	EventType  string
	From, To   time.Time // of creation; zero: open
	Before     int64     // Delivery.ID below this; 0: from the newest
	Limit      int
}

// DeliveryRow is a delivery with its webhook, deleted or not.
type DeliveryRow struct {
	Delivery
	Webhook Webhook
	// Held says that it waits and that its webhook cannot send, HeldWhy why.
	Held    bool
	HeldWhy string
}

// List returns deliveries, newest first and without body, and whether there are more.
func (x *Deliveries) List(ctx context.Context, q DeliveryQuery) (rows []DeliveryRow, more bool, err error) {
	db := x.s.db.WithContext(ctx)
	settings, err := x.s.Settings.get(db)
	if err != nil {
		return nil, false, err
	}
	query, err := x.where(db.Omit("body"), q, settings)
	if err != nil {
		return nil, false, err
	}
	rows, more, err = x.newest(query, q.Limit, settings)
	return rows, more, err
}

func (x *Deliveries) newest(query *gorm.DB, limit int, settings Settings) (rows []DeliveryRow, more bool, err error) {
	var found []Delivery
	if err := query.Order("id desc").Limit(limit + 1).Find(&found).Error; err != nil {
		return nil, false, err
	}
	if len(found) > limit {
		found, more = found[:limit], true
	}
	rows, err = x.withWebhooks(query.Session(&gorm.Session{NewDB: true}), found, settings)
	return rows, more, err
}

// where adds all conditions of a query.
func (x *Deliveries) where(db *gorm.DB, q DeliveryQuery, settings Settings) (*gorm.DB, error) {
	db, err := x.whereIndexed(db, q, settings)
	if err != nil {
		return nil, err
	}
	return whereOther(db, q), nil
}

// whereIndexed adds the conditions that have an index: webhook, state, time.
func (x *Deliveries) whereIndexed(db *gorm.DB, q DeliveryQuery, settings Settings) (*gorm.DB, error) {
	fresh := db.Session(&gorm.Session{NewDB: true})
	if q.WebhookID != 0 {
		db = db.Where("webhook_id = ?", q.WebhookID)
	}
	switch q.State {
	case "":
	case StateWaiting, StateHeld:
		db = db.Where("state in ?", []string{DeliveryPending, DeliveryRetrying})
		if q.State == StateHeld {
			ids, err := x.s.cannotSend(fresh, settings)
			if err != nil {
				return nil, err
			}
			db = db.Where("webhook_id in ?", append(ids, 0))
		}
	default:
		db = db.Where("state = ?", q.State)
	}
	if !q.From.IsZero() {
		low, err := idFrom(fresh, "deliveries", "created_at", q.From)
		if err != nil {
			return nil, err
		}
		db = db.Where("created_at >= ? and id >= ?", q.From, low)
	}
	if !q.To.IsZero() {
		high, err := idTo(fresh, "deliveries", "created_at", q.To)
		if err != nil {
			return nil, err
		}
		db = db.Where("created_at < ? and id < ?", q.To, high)
	}
	if q.Before > 0 {
		db = db.Where("id < ?", q.Before)
	}
	return db, nil
}

// whereOther adds the conditions for which rows have to be looked at.
func whereOther(db *gorm.DB, q DeliveryQuery) *gorm.DB {
	if q.CodeClass != 0 {
		db = db.Where("last_code between ? and ?", q.CodeClass*100, q.CodeClass*100+99)
	}
	if q.ErrorClass != "" {
		db = db.Where("last_error = ?", q.ErrorClass)
	}
	if q.EventType != "" {
		db = db.Where("event_types like ? escape '!'", likeContains(","+q.EventType+","))
	}
	return db
}

// cannotSend returns the webhooks whose deliveries are held.
func (s *Store) cannotSend(db *gorm.DB, settings Settings) ([]int64, error) {
	var hooks []Webhook
	if err := db.Select("id", "type", "state").Find(&hooks, "deleted_at is null").Error; err != nil {
		return nil, err
	}
	var ids []int64
	for _, w := range hooks {
		if s.heldWhy(w, settings) != "" {
			ids = append(ids, w.ID)
		}
	}
	return ids, nil
}

// heldWhy says in words why a webhook cannot send; empty: it can.
func (s *Store) heldWhy(w Webhook, settings Settings) string {
	switch {
	case w.State == WebhookStopped && w.StateBy != "":
		return "paused by " + w.StateBy
	case w.State == WebhookStopped:
		return "paused"
	case w.State == WebhookBroken:
		return "the webhook is broken: " + w.StateReason
	case !settings.GenericEnabled && s.needsFeature(w.Type):
		return EnableGenericWebhooks + " is off"
	}
	return ""
}

func (x *Deliveries) withWebhooks(db *gorm.DB, found []Delivery, settings Settings) ([]DeliveryRow, error) {
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
		if d.State == DeliveryPending || d.State == DeliveryRetrying {
			rows[i].HeldWhy = x.s.heldWhy(w, settings)
			rows[i].Held = rows[i].HeldWhy != ""
		}
	}
	return rows, nil
}

// Get returns a delivery with its body, or ErrNotFound.
func (x *Deliveries) Get(ctx context.Context, publicID string) (DeliveryRow, error) {
	db := x.s.db.WithContext(ctx)
	var d Delivery
	if err := found(db.Take(&d, "public_id = ?", publicID)); err != nil {
		return DeliveryRow{}, err
	}
	settings, err := x.s.Settings.get(db)
	if err != nil {
		return DeliveryRow{}, err
	}
	rows, err := x.withWebhooks(db, []Delivery{d}, settings)
	if err != nil {
		return DeliveryRow{}, err
	}
	return rows[0], nil
}

// Attempts returns a delivery's attempts, the first first.
func (x *Deliveries) Attempts(ctx context.Context, deliveryID int64) ([]Attempt, error) {
	var rows []Attempt
	return rows, x.s.db.WithContext(ctx).Order("id").Find(&rows, "delivery_id = ?", deliveryID).Error
}

// EventsOf returns the events inside a delivery, without payload; none when
// trigger history was off.
func (x *Deliveries) EventsOf(ctx context.Context, deliveryID int64) ([]Event, error) {
	var rows []Event
	return rows, x.s.db.WithContext(ctx).Select(eventColumns).Order("occurred_at, id").
		Find(&rows, "id in (select event_id from triggers where delivery_id = ?)", deliveryID).Error
}

// Depth is how much waits, for metrics; counts stop at DepthMax.
type Depth struct {
	Undispatched int64 // events
	Waiting      int64 // deliveries, held ones included
	OldestDue    time.Duration
	Webhooks     map[string]int64 // by state
}

// DepthMax bounds the counts of Depth, which must stay cheap.
const DepthMax = 100_000

// Depth measures the queues.
func (x *Deliveries) Depth(ctx context.Context) (Depth, error) {
	db := x.s.db.WithContext(ctx)
	d := Depth{Webhooks: map[string]int64{WebhookActive: 0, WebhookStopped: 0, WebhookBroken: 0}}
	now, err := x.s.now(db)
	errs := []error{
		err,
		db.Raw("select count(*) from (select 1 from events where dispatched_at is null limit ?) x", DepthMax).Scan(&d.Undispatched).Error,
		db.Raw("select count(*) from (select 1 from deliveries where finished_at is null limit ?) x", DepthMax).Scan(&d.Waiting).Error,
	}
	// A lane's own time may be older than what it still has to do.
	var due []time.Time
	res := db.Raw(`select d.due_at from lanes l join deliveries d on d.id = (
			select id from deliveries where webhook_id = l.webhook_id and due_at is not null order by due_at, id limit 1)
		where l.next_due_at <= ? and d.due_at <= ? order by d.due_at limit 1`, now, now).Scan(&due)
	if len(due) > 0 {
		d.OldestDue = now.Sub(due[0])
	}
	var states []struct {
		State string
		N     int64
	}
	errs = append(errs, res.Error,
		db.Model(&Webhook{}).Select("state, count(*) as n").Where("deleted_at is null").Group("state").Find(&states).Error)
	for _, s := range states {
		d.Webhooks[s.State] = s.N
	}
	return d, errors.Join(errs...)
}
