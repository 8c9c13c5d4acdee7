package models

import (
	"slices"

	"gorm.io/gorm"
)

// parts are queries for one stored state each: the index has the deliveries
// of a state in order, but not those of two.
func (q DeliveryQuery) parts() []DeliveryQuery {
	if q.State != StateWaiting && q.State != StateHeld {
		return []DeliveryQuery{q}
	}
	q.held = q.State == StateHeld
	parts := []DeliveryQuery{q, q}
	parts[0].State, parts[1].State = DeliveryPending, DeliveryRetrying
	return parts
}

// where adds all conditions of a part of a query.
func (x *Deliveries) where(db *gorm.DB, q DeliveryQuery, settings Settings) (*gorm.DB, error) {
	if q.held {
		holds, args, err := x.s.holds(db, settings)
		if err != nil {
			return nil, err
		}
		// Asked of each delivery in turn: joined, PostgreSQL would read all that
		// these webhooks ever had. One that is deleted has nothing waiting.
		db = db.Where("(select "+holds+" from webhooks w where w.id = deliveries.webhook_id)", args...)
	}
	db, err := x.whereIndexed(db, q)
	if err != nil {
		return nil, err
	}
	return whereOther(db, q), nil
}

var storedStates = []string{DeliveryPending, DeliveryRetrying, DeliveryDelivered, DeliveryFailed, DeliveryDropped}

// whereIndexed adds the conditions that have an index: webhook, state, time.
func (x *Deliveries) whereIndexed(db *gorm.DB, q DeliveryQuery) (*gorm.DB, error) {
	fresh := db.Session(&gorm.Session{NewDB: true})
	if q.WebhookID != 0 {
		db = db.Where("webhook_id = ?", q.WebhookID)
	}
	switch {
	case q.State == "":
	case slices.Contains(storedStates, q.State):
		// As a literal, because an index is there for one state alone, and
		// PostgreSQL plans a statement that comes often without its arguments.
		db = db.Where("state = '" + q.State + "'")
	default:
		db = db.Where("false")
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
	var types []string // one step in the index for each, not for each webhook
	err := db.Session(&gorm.Session{NewDB: true}).Raw(`with recursive t(type) as (
		select min(type) from webhooks where deleted_at is null union all
		select (select min(type) from webhooks where deleted_at is null and type > t.type) from t where t.type is not null)
		select type from t where type is not null`).Scan(&types).Error
	return slices.DeleteFunc(types, func(name string) bool { return !s.needsFeature(name) }), err
}
