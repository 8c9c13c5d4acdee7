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
}

// Search is List for people: by webhook and time, and for what failed or was
// dropped, it finds all; by anything else it looks at ScanMax rows and says
// where to go on.
func (x *Deliveries) Search(ctx context.Context, q DeliveryQuery) (_ DeliveryPage, err error) {
	defer wrap(&err, "search deliveries")
	db := x.s.db.WithContext(ctx)
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
	switch {
	case err != nil:
	case more:
		page.Next = rows[len(rows)-1].ID
	case floor > 0:
		page.Next, page.Scanned = floor, true
	}
	return page, err
}

// scans tells whether rows of the source have to be looked at that may not
// match.
func (q DeliveryQuery) scans() bool {
	return q.CodeClass != 0 || q.ErrorClass != "" || q.EventType != "" || q.State != "" && q.source().table != endsSource.table
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
