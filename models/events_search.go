package models

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"
)

// EventPage is the result of a search, without payloads.
type EventPage struct {
	Rows []Event
	// Next is where to go on, as Before; 0: there is nothing older.
	Next int64
	// Scanned says that the search stopped after ScanMax rows, so older ones
	// may match although these did not.
	Scanned bool
}

// Search finds events by their whole id, all events of locations and time,
// and by anything else looks at ScanMax rows and says where to go on. A number
// may be an event's id and a question's: then both are found.
func (x *Events) Search(ctx context.Context, q EventQuery) (_ EventPage, err error) {
	defer wrap(&err, "search events")
	db := x.s.db.WithContext(ctx)
	if q.Location != "" && !q.Within.Has(q.Location) {
		return EventPage{}, nil
	}
	q.Location = q.Within.narrow(q.Location)
	var named []Event
	if q.Search != "" {
		var err error
		if named, err = x.named(db, q); err != nil {
			return EventPage{}, err
		}
		if len(named) > 0 && questionOf(q.Search) == "" {
			return EventPage{Rows: named}, nil
		}
	}
	query, last, err := x.newest(db, q)
	if err != nil {
		return EventPage{}, err
	}
	var page EventPage
	if err = query.Find(&page.Rows).Error; err == nil {
		err = x.withDispatches(db, page.Rows)
	}
	switch {
	case err != nil:
	case len(page.Rows) > q.Limit:
		page.Rows = page.Rows[:q.Limit]
		page.Next = page.Rows[q.Limit-1].ID
	case last.ID != 0:
		page.Next, page.Scanned = last.ID, true
	}
	if q.Before == 0 { // some of the named ones may be older than the rows searched
		named = slices.DeleteFunc(named, func(n Event) bool {
			return slices.ContainsFunc(page.Rows, func(e Event) bool { return e.ID == n.ID })
		})
		page.Rows = append(named, page.Rows...)
	}
	return page, err
}

// newest selects events of a page and the one after it, and returns the oldest
// that is looked at; zero: there is no such.
func (x *Events) newest(db *gorm.DB, q EventQuery) (_ *gorm.DB, last Event, err error) {
	if q.merges() {
		var pages []any
		for _, q.Location = range q.Within.Slugs() {
			page, _, err := x.newest(db, q)
			if err != nil {
				return nil, last, err
			}
			pages = append(pages, page)
		}
		return merged(db, "events", pages).Order("received_at desc, id desc").Limit(q.Limit + 1), last, nil
	}
	indexed, err := x.whereIndexed(db.Model(&Event{}), q)
	if err != nil {
		return nil, last, err
	}
	query := indexed
	if q.scans() {
		res := newestEvents(indexed.Session(&gorm.Session{}), q).Select("id", "received_at").Offset(ScanMax - 1).Limit(1).Find(&last)
		if res.Error != nil {
			return nil, last, res.Error
		}
		switch {
		case q.Location == "": // of both conditions PostgreSQL would expect few rows, and look at all of them
			query = query.Where("id >= ?", last.ID)
		case last.ID != 0:
			query = query.Where("received_at >= ? and (received_at, id) >= (?, ?)", last.ReceivedAt, last.ReceivedAt, last.ID)
		}
	}
	return newestEvents(x.whereEvent(query, q, q.Search), q).Select(eventColumns).Limit(q.Limit + 1), last, nil
}

// scans tells whether events have to be looked at that may not match.
func (q EventQuery) scans() bool {
	return q.Search != "" || len(q.Types) > 0 || q.Tag != "" || q.NoUnlogged || q.Webhook != 0 || q.Matched != "" ||
		q.Location == "" && !q.Within.All() && !q.merges()
}

// merges tells whether a page is put together from a page of each location.
func (q EventQuery) merges() bool {
	return q.Search+q.Tag+q.Matched+q.Location == "" && len(q.Types) == 0 && q.Webhook == 0 && !q.NoUnlogged && q.Within.merges()
}

// named returns the events whose id was searched for and that the other filters
// let through, newest first.
func (x *Events) named(db *gorm.DB, q EventQuery) ([]Event, error) {
	var list []Event
	err := x.whereEvent(db.Select(eventColumns).Where("event_id = ?", q.Search), q, "").Order("id desc").Limit(q.Limit).Find(&list).Error
	if err != nil {
		return nil, err
	}
	return list, x.withDispatches(db, list)
}

// newestEvents orders as the index goes that the query can use.
func newestEvents(db *gorm.DB, q EventQuery) *gorm.DB {
	if q.Location != "" {
		return db.Order("received_at desc, id desc")
	}
	return db.Order("id desc")
}

// whereIndexed adds the conditions that have an index: location, time, place.
func (x *Events) whereIndexed(db *gorm.DB, q EventQuery) (*gorm.DB, error) {
	fresh := db.Session(&gorm.Session{NewDB: true})
	if q.Location != "" {
		db = db.Where("location = ?", q.Location)
	}
	if !q.From.IsZero() {
		db = db.Where("received_at >= ?", q.From)
	}
	if !q.To.IsZero() {
		db = db.Where("received_at < ?", q.To)
	}
	if q.Before > 0 {
		if q.Location == "" {
			return x.between(fresh, db.Where("id < ?", q.Before), q)
		}
		var at Event // the one to go on from, or the next older if that is gone
		err := fresh.Select("id", "received_at").Order("id desc").Limit(1).Find(&at, "id <= ?", q.Before).Error
		if err != nil {
			return nil, err
		}
		return db.Where("received_at <= ? and (received_at, id) < (?, ?)", at.ReceivedAt, at.ReceivedAt, q.Before), nil
	}
	if q.Location == "" {
		return x.between(fresh, db, q)
	}
	return db, nil
}

// between turns a span of time into ids, for a query that goes by id.
func (x *Events) between(fresh, db *gorm.DB, q EventQuery) (*gorm.DB, error) {
	if !q.From.IsZero() {
		low, err := idFrom(fresh, "events", "received_at", q.From)
		if err != nil {
			return nil, err
		}
		db = db.Where("id >= ?", low)
	}
	if !q.To.IsZero() {
		high, err := idTo(fresh, "events", "received_at", q.To)
		if err != nil {
			return nil, err
		}
		db = db.Where("id < ?", high)
	}
	return db, nil
}

// whereEvent adds the conditions for which rows have to be looked at.
func (x *Events) whereEvent(db *gorm.DB, q EventQuery, words string) *gorm.DB {
	if !q.Within.one(q.Location) {
		db = q.Within.where(db, "location")
	}
	if words != "" {
		title := db.Session(&gorm.Session{NewDB: true}).Where("lower(title) like ? escape '!'", likeContains(strings.ToLower(words)))
		db = db.Where(x.orQuestion(title, questionOf(words)))
	} else if q.Search != "" { // the id was found: the other filters hold as well
		if q.Location != "" {
			db = db.Where("location = ?", q.Location)
		}
		if !q.From.IsZero() {
			db = db.Where("received_at >= ?", q.From)
		}
		if !q.To.IsZero() {
			db = db.Where("received_at < ?", q.To)
		}
	}
	if len(q.Types) > 0 {
		db = db.Where("type in ?", q.Types)
	}
	if q.Tag != "" {
		db = db.Where("tags like ? escape '!'", likeContains(`"`+strings.ToLower(q.Tag)+`"`))
	}
	db = q.whereMatched(db)
	if q.NoUnlogged {
		// A subselect, so that it is looked up for each row by the key.
		db = db.Where("coalesce((select p.logged from dispatches p where p.id = " + strings.ReplaceAll(dispatchOf, "e.id", "events.id") + "), true)")
	}
	return db
}
