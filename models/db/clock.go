package db

import (
	"time"

	"gorm.io/gorm"
)

// Now is the clock that decides: the database's, and with SQLite this
// process's. Its precision is a microsecond, in UTC.
func (d *DB) Now(tx *gorm.DB) (time.Time, error) {
	if d.clock != nil || d.now() == "" {
		return d.ReadClock(time.Time{}), nil
	}
	var t time.Time
	err := tx.Raw("select " + d.now()).Scan(&t).Error
	return t.UTC(), err
}

// ClockColumn adds the clock to the columns of a statement, as now, if it is
// the database's; ReadClock then returns the time.
func (d *DB) ClockColumn() string {
	if d.clock != nil || d.now() == "" {
		return ""
	}
	return ", " + d.now() + " as now"
}

// ReadClock is the time that came as ClockColumn's; zero: this process's clock.
func (d *DB) ReadClock(now time.Time) time.Time {
	switch {
	case !now.IsZero():
	case d.clock != nil:
		now = d.clock()
	default:
		now = time.Now()
	}
	return now.UTC().Truncate(time.Microsecond)
}
