package models

import (
	"slices"
	"strings"

	"gorm.io/gorm"
)

// source is a table whose index has the deliveries of a query in order. The id
// is that of the deliveries there.
type source struct{ table, id string }

var (
	deliverySource = source{"deliveries d", "d.id"}
	queueSource    = source{"delivery_queue q", "q.delivery_id"}
	endsSource     = source{"delivery_ends e", "e.delivery_id"}
	failureSource  = source{"attempts a", "a.delivery_id"}
)

// source is where the fewest deliveries are that have to be looked at.
func (q DeliveryQuery) source() source {
	switch {
	case q.PublicID != "":
		return deliverySource
	case q.State == DeliveryFailed, q.State == DeliveryDropped && q.WebhookID == 0:
		return endsSource
	case q.WebhookID != 0:
		return deliverySource
	case q.State == DeliveryPending, q.State == DeliveryRetrying, q.State == StateWaiting, q.State == StateHeld:
		return queueSource
	case q.ErrorClass != "", q.CodeClass > 2, q.State == StateTried:
		return failureSource
	default:
		return deliverySource
	}
}

// queueStates are the conditions for a row q of delivery_queue, by
// DeliveryQuery.State.
var queueStates = map[string]string{
	DeliveryPending:  "q.round = 0 and " + onSchedule,
	DeliveryRetrying: "q.round > 0 and " + onSchedule,
	StateWaiting:     onSchedule,
	StateHeld:        "q.delivery_id > 0",
}

// whereState is the condition for the state. The rows of another table are
// looked up one by one: joined, PostgreSQL would read all that wait or failed.
func (q DeliveryQuery) whereState() string {
	switch from := q.source(); q.State {
	case DeliveryFailed, DeliveryDropped:
		if from == endsSource {
			return "e.state = '" + q.State + "'"
		}
		return "(select e.state from delivery_ends e where e.delivery_id = d.id) = '" + q.State + "'"
	case StateTried:
		if from == failureSource { // each delivery once
			id := "d.id" // looked up for those that the locations let through
			if q.Within.All() {
				id = from.id
			}
			return "a.started_at = (select min(f.started_at) from attempts f where f.delivery_id = " + id + " and not f.arrived)"
		}
		return eachHas("attempts f where f.delivery_id = d.id and not f.arrived")
	case DeliveryDelivered:
		return "(select e.state from delivery_ends e where e.delivery_id = d.id) is null" +
			" and not coalesce((select " + onSchedule + " from delivery_queue q where q.delivery_id = d.id), false)"
	default:
		condition := queueStates[q.State]
		if condition == "" {
			return "false" // there is no such state
		}
		if from == queueSource {
			return condition
		}
		return "(select " + condition + " from delivery_queue q where q.delivery_id = d.id)"
	}
}

// where selects the deliveries of a query, from a floor on where it scans.
func (x *Deliveries) where(db *gorm.DB, q DeliveryQuery, floor int64, settings Settings) (*gorm.DB, error) {
	from := q.source()
	query, err := x.indexed(db, q)
	if err != nil {
		return nil, err
	}
	if from != deliverySource {
		query = query.Joins("join deliveries d on d.id = " + from.id)
	}
	if q.scans() {
		query = query.Where(from.id+" >= ?", floor)
	}
	query = q.whereWithin(query) // first, because it leaves out the most
	if q.State != "" {
		query = query.Where(q.whereState())
	}
	if q.State == StateHeld {
		holds, args, err := x.s.holds(db, settings)
		if err != nil {
			return nil, err
		}
		// Asked of each delivery in turn: joined, PostgreSQL would read all that
		// these webhooks ever had. One that is deleted has nothing waiting.
		query = query.Where("(select "+holds+" from webhooks w where w.id = d.webhook_id)", args...)
	}
	if !q.From.IsZero() {
		query = query.Where("d.created_at >= ?", q.From)
	}
	if !q.To.IsZero() {
		query = query.Where("d.created_at < ?", q.To)
	}
	if q.Location != "" && from != deliverySource { // where it is indexed
		query = query.Where(ofDelivery+" = ?", q.Location)
	}
	if len(q.EventTypes) > 0 {
		conditions, args := make([]string, len(q.EventTypes)), make([]any, len(q.EventTypes))
		for i, name := range q.EventTypes {
			conditions[i], args[i] = "d.event_types like ? escape '!'", likeContains(","+name+",")
		}
		query = query.Where("("+strings.Join(conditions, " or ")+")", args...)
	}
	return q.whereLast(query), nil
}

// ofDelivery is the location of a delivery d, as an expression: PostgreSQL would
// rather read all that a location ever had than the few that wait or failed.
const ofDelivery = "coalesce(d.location, '')"

// whereWithin leaves out deliveries d of other locations, and those of webhooks
// that have moved to one. PostgreSQL would expect that few pass the second
// condition by itself, and read all rather than stop when a page is full.
func (q DeliveryQuery) whereWithin(query *gorm.DB) *gorm.DB {
	if q.Within.All() {
		return query
	}
	if !q.Within.one(q.Location) {
		query = query.Where(ofDelivery+" in ?", q.Within.Slugs())
	}
	return query.Where("coalesce((select w.location from webhooks w where w.id = d.webhook_id) in ?, false)", q.Within.Slugs())
}

// indexed selects rows of the source by the conditions that it has an index
// for: webhook, state, time.
func (x *Deliveries) indexed(db *gorm.DB, q DeliveryQuery) (*gorm.DB, error) {
	from := q.source()
	query := db.Table(from.table)
	switch from {
	case endsSource:
		// As a literal, because PostgreSQL plans a statement that comes often
		// without its arguments, and one state alone has an index by webhook.
		query = query.Where(q.whereState())
		if q.WebhookID != 0 {
			query = query.Where("e.webhook_id = ?", q.WebhookID)
		}
	case failureSource:
		query = query.Where("not a.arrived")
	case deliverySource:
		if q.PublicID != "" { // GUIDs are also written with capital letters
			query = query.Where("d.public_id in (?, ?)", q.PublicID, strings.ToLower(q.PublicID))
		}
		if q.WebhookID != 0 {
			query = query.Where("d.webhook_id = ?", q.WebhookID)
		}
		if q.Location != "" {
			query = query.Where("d.location = ?", q.Location)
		}
	}
	if !q.From.IsZero() {
		low, err := idFrom(db, "deliveries", "created_at", q.From)
		if err != nil {
			return nil, err
		}
		query = query.Where(from.id+" >= ?", low)
	}
	if !q.To.IsZero() {
		high, err := idTo(db, "deliveries", "created_at", q.To)
		if err != nil {
			return nil, err
		}
		query = query.Where(from.id+" < ?", high)
	}
	if q.Before > 0 {
		query = query.Where(from.id+" < ?", q.Before)
	}
	return query, nil
}

// whereLast adds the conditions for the newest attempt.
func (q DeliveryQuery) whereLast(query *gorm.DB) *gorm.DB {
	last := func(column string) string {
		return "(select l." + column + " from attempts l where l.delivery_id = d.id order by l.started_at desc limit 1)"
	}
	if q.source() == failureSource && q.State != StateTried { // which has other attempts of the same delivery too
		query = query.Where("a.started_at = " + last("started_at"))
		last = func(column string) string { return "a." + column }
	}
	if q.CodeClass != 0 {
		query = query.Where(last("code / 100")+" = ?", q.CodeClass)
	}
	if q.ErrorClass != "" {
		query = query.Where(last("error_class")+" = ?", q.ErrorClass)
	}
	return query
}

// holds is the condition that a webhook w cannot send its deliveries, as in
// HeldWhy.
func (s *Store) holds(db *gorm.DB, settings Settings) (text string, args []any, err error) {
	off, err := s.offTypes(db, settings)
	if len(off) == 0 || err != nil {
		// SQLite takes the index when both are said.
		return "(w.state <> 'active' and w.state in ('stopped', 'broken'))", nil, err
	}
	return "(w.state <> 'active' or w.type in ?)", []any{off}, nil
}

// offTypes are the types of the webhooks there are that are switched off.
func (s *Store) offTypes(db *gorm.DB, settings Settings) ([]string, error) {
	if settings.GenericEnabled {
		return nil, nil
	}
	// One step in the index for each, not for each webhook; gorm has no recursion.
	var types []string
	err := db.Session(&gorm.Session{NewDB: true}).Raw(`with recursive t(type) as (
		select min(type) from webhooks where deleted_at is null union all
		select (select min(type) from webhooks where deleted_at is null and type > t.type) from t where t.type is not null)
		select type from t where type is not null`).Scan(&types).Error
	return slices.DeleteFunc(types, func(name string) bool { return !s.needsFeature(name) }), err
}
