package db

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"time"

	"gorm.io/gorm"
)

// storable are the types that a column of values can have.
type storable interface {
	int | int64 | *int64 | string | bool | time.Time | *time.Time | []byte
}

// Column is one column of rows that are given to a statement.
type Column struct {
	kind string // in the database
	rows int
	all  any // a slice
	at   func(i int) any
}

// ColumnOf is the column that has a value of each row.
func ColumnOf[R any, V storable](rows []R, value func(row R) V) Column {
	all := make([]V, len(rows))
	for i, row := range rows {
		all[i] = value(row)
	}
	return Column{kindOf[V](), len(rows), all, func(i int) any { return all[i] }}
}

func kindOf[V storable]() string {
	switch any(*new(V)).(type) {
	case string:
		return "text"
	case bool:
		return "boolean"
	case time.Time, *time.Time:
		return "timestamptz"
	case []byte:
		return "bytea"
	default:
		return "bigint"
	}
}

// array is a parameter that PostgreSQL takes as an array.
type array struct{ slice any }

// Value returns the slice itself: the driver of PostgreSQL accepts slices.
func (a array) Value() (driver.Value, error) { return a.slice, nil }

// Insertion is an insert of rows: Fixed follows the columns in each of them, and
// After is the end of the statement. LockWait is how long PostgreSQL waits for a
// row that another transaction inserts; 0: as long as ever.
type Insertion struct {
	Into, Fixed, After string
	LockWait           time.Duration
}

// Insert adds rows, and scans the columns returned of each. It goes past gorm,
// which would look at every parameter.
func (d *DB) Insert(tx *gorm.DB, in Insertion, scan func(rows *sql.Rows) error, columns ...Column) error {
	text, args := d.inserting(in, columns)
	if scan == nil {
		_, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context, text, args...)
		return err
	}
	rows, err := tx.Statement.ConnPool.QueryContext(tx.Statement.Context, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Chunks hands on rows for statements, of which each takes only so many.
func Chunks[T any](d *DB, rows []T, work func(chunk []T) error) error {
	for len(rows) > 0 {
		n := d.chunk(len(rows))
		if err := work(rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// JSON writes a list as the parameter of In, InIDs, JSONList and JSONEach.
func JSON[T int64 | string | [2]string](values []T) string {
	if len(values) == 0 {
		return "[]"
	}
	text, _ := json.Marshal(values) // numbers and strings always can be
	return string(text)
}
