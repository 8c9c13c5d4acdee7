package models

import (
	"context"

	"gorm.io/gorm"
)

// DeliveryPage is the result of a search.
type DeliveryPage struct {
	Rows []DeliveryRow
	// Next is where to go on, as Before; 0: there is nothing older.
	Next int64
	// Scanned says that the search stopped after ScanMax rows, so older ones
	// may match although these did not.
	Scanned bool
	Total   Total
}

// TotalMax is how far matching rows are counted.
const TotalMax = 10_000

// Total is how many rows match on all pages.
type Total struct {
	N     int64
	More  bool // there are more than N, which is TotalMax
	Known bool // false: too many rows would have to be looked at to count
}

// Search is List for people: by location, webhook and time, and for what failed or was
// dropped, it finds all; by anything else it looks at ScanMax rows and says
// where to go on.
func (x *Deliveries) Search(ctx context.Context, q DeliveryQuery) (_ DeliveryPage, err error) {
	defer wrap(&err, "search deliveries")
	q.Location = q.Within.narrow(q.Location)
	db := x.s.db.WithContext(ctx)
	if out, err := x.outside(db, q); out || err != nil {
		return DeliveryPage{Total: Total{Known: true}}, err
	}
	settings, err := x.s.Settings.get(db)
	if err != nil {
		return DeliveryPage{}, err
	}
	floor := int64(0)
	if q.scans() {
		if floor, err = x.floor(db, q); err != nil {
			return DeliveryPage{}, err
		}
	}
	rows, more, err := x.newest(db, q, floor, settings)
	page := DeliveryPage{Rows: rows}
	if err == nil && q.Count {
		page.Total, err = x.total(db, q, len(rows), more, floor, settings)
	}
	switch {
	case err != nil:
	case more:
		page.Next = rows[len(rows)-1].ID
	case floor > 0:
		page.Next, page.Scanned = floor, true
	}
	return page, err
}

// outside tells whether the query asks for a location, or a webhook, that it may
// not see. Otherwise all that the webhook ever had would be looked at.
func (x *Deliveries) outside(db *gorm.DB, q DeliveryQuery) (bool, error) {
	if q.Location != "" && !q.Within.Has(q.Location) {
		return true, nil
	}
	if q.WebhookID == 0 || q.Within.All() {
		return false, nil
	}
	var seen int64
	err := q.Within.where(db.Model(&Webhook{}), "location").Where("id = ?", q.WebhookID).Count(&seen).Error
	return seen == 0, err
}

// total counts what matches on all pages. Of a page that has all that was found,
// it knows without a question.
func (x *Deliveries) total(db *gorm.DB, q DeliveryQuery, shown int, more bool, floor int64, settings Settings) (Total, error) {
	if q.Before == 0 && !more {
		return Total{N: int64(shown), Known: floor == 0}, nil
	}
	if q.merges() {
		return x.totalOfAll(db, q, settings)
	}
	if q.scans() && q.Before != 0 {
		q.Before = 0
		var err error
		if floor, err = x.floor(db, q); err != nil {
			return Total{}, err
		}
	}
	q.Before = 0
	query, err := x.where(db, q, floor, settings)
	if err != nil {
		return Total{}, err
	}
	var t Total
	// In order, as the page is read: without one SQLite would rather begin with
	// all deliveries than with the few that wait.
	id := q.source().id
	err = db.Table("(?) as matching", query.Select(id).Order(id+" desc").Limit(TotalMax+1)).Count(&t.N).Error
	t.More = t.N > TotalMax
	t.N, t.Known = min(t.N, TotalMax), t.More || floor == 0
	return t, err
}

// totalOfAll adds up what matches in each location.
func (x *Deliveries) totalOfAll(db *gorm.DB, q DeliveryQuery, settings Settings) (Total, error) {
	all := Total{Known: true}
	for _, q.Location = range q.Within.Slugs() {
		one, err := x.total(db, q, 0, true, 0, settings)
		if err != nil {
			return Total{}, err
		}
		if all.N += one.N; one.More || all.N > TotalMax {
			return Total{N: TotalMax, More: true, Known: true}, nil
		}
	}
	return all, nil
}

// filters tells whether rows of the source have to be looked at that may not
// match, even of one location.
func (q DeliveryQuery) filters() bool {
	return q.CodeClass != 0 || q.ErrorClass != "" || len(q.EventTypes) > 0 ||
		q.State != "" && q.source() != endsSource || q.Location != "" && q.source() != deliverySource
}

// scans tells whether rows of the source have to be looked at that may not
// match.
func (q DeliveryQuery) scans() bool {
	return q.PublicID == "" && (q.filters() || q.Location == "" && q.WebhookID == 0 && !q.Within.All() && !q.merges())
}

// merges tells whether a page is put together from a page of each location.
func (q DeliveryQuery) merges() bool {
	return q.source() == deliverySource && !q.filters() && q.PublicID == "" && q.WebhookID == 0 && q.Location == "" && q.Within.merges()
}

// floor is the oldest delivery to look at, so that they are at most ScanMax; 0:
// there are fewer.
func (x *Deliveries) floor(db *gorm.DB, q DeliveryQuery) (int64, error) {
	query, err := x.indexed(db, q)
	if err != nil {
		return 0, err
	}
	return scanFloor(query, q.source().id)
}
