package models

import (
	"time"

	"gorm.io/gorm"
)

// ScanMax is how many rows a filter without an index looks at in one request.
const ScanMax = 20_000

// scanFloor is the id of the ScanMax-th row of a query, counted from the
// newest; 0: it has fewer. The query's conditions must have an index.
func scanFloor(query *gorm.DB, id string) (int64, error) {
	var ids []int64
	err := query.Session(&gorm.Session{}).Order(id+" desc").Offset(ScanMax-1).Limit(1).Pluck(id, &ids).Error
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return ids[0], nil
}

// idSlack covers rows that concurrent transactions, or a corrected clock, may
// have stored out of order.
const idSlack = 10 * time.Minute

// idFrom is an id below which no row of the table is as new as at, found by
// halving: ids grow with time, so a time needs no index of its own.
func idFrom(db *gorm.DB, table, column string, at time.Time) (int64, error) {
	at = at.Add(-idSlack)
	var ends struct{ Low, High int64 }
	// SQLite finds either end at once, but not both in one question.
	err := db.Raw("select coalesce((select min(id) from " + table + "), 0) as low, coalesce((select max(id) from " + table + "), 0) as high").Scan(&ends).Error
	if err != nil {
		return 0, err
	}
	low, high := ends.Low, ends.High+1
	for low < high {
		middle := low + (high-low)/2
		var row struct {
			ID int64
			At time.Time
		}
		err := db.Table(table).Select("id, "+column+" as at").Where("id >= ?", middle).Order("id").Limit(1).Scan(&row).Error
		switch {
		case err != nil:
			return 0, err
		case row.ID == 0 || !row.At.Before(at):
			high = middle
		default:
			low = row.ID + 1
		}
	}
	return low, nil
}

// idTo is an id from which on every row of the table is newer than at.
func idTo(db *gorm.DB, table, column string, at time.Time) (int64, error) {
	return idFrom(db, table, column, at.Add(2*idSlack))
}
