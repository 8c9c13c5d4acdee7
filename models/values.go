package models

import (
	"database/sql"
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"
)

// rowsMost is how many rows a statement is given at most. SQLite has a
// parameter for every value, PostgreSQL one for a column.
func (s *Store) rowsMost() int {
	if s.pool == nil {
		return 128
	}
	return 512
}

// storable are the types that a column of values can have.
type storable interface {
	int | int64 | *int64 | string | bool | time.Time | *time.Time | []byte
}

// column is one column of rows that are given to a statement.
type column struct {
	kind string // in the database
	rows int
	all  any // a slice
	at   func(i int) any
}

// columnOf is the column that has a value of each row.
func columnOf[R any, V storable](rows []R, value func(row R) V) column {
	all := make([]V, len(rows))
	for i, row := range rows {
		all[i] = value(row)
	}
	return column{kindOf[V](), len(rows), all, func(i int) any { return all[i] }}
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

// unnested writes columns as PostgreSQL reads them: an array each, so that
// there is one statement for any number of rows.
func unnested(columns []column, parameter func(i int) string) (text string, args []any) {
	kinds := make([]string, len(columns))
	for i, c := range columns {
		kinds[i], args = "cast("+parameter(i)+" as "+c.kind+"[])", append(args, array{c.all})
	}
	return "unnest(" + strings.Join(kinds, ", ") + ")", args
}

// values writes columns as a table with the columns column1, column2, … in
// parentheses. SQLite has a parameter for every value: rows of nulls fill up
// the table there, so that there are few lengths, and few statements to prepare.
func (s *Store) values(columns ...column) (text string, args []any) {
	if s.pool != nil {
		names := make([]string, len(columns))
		for i := range names {
			names[i] = "column" + strconv.Itoa(i+1)
		}
		text, args = unnested(columns, func(int) string { return "?" })
		return "(select * from " + text + " as c(" + strings.Join(names, ", ") + "))", args
	}
	n := 1
	for n < columns[0].rows {
		n *= 2
	}
	casts := make([]string, len(columns))
	for i, c := range columns {
		if casts[i] = "?"; c.kind != "bytea" { // which SQLite takes for a number
			casts[i] = "cast(? as " + c.kind + ")"
		}
	}
	return "(values " + repeated("("+strings.Join(casts, ", ")+")", n) + ")", flat(columns, n)
}

// flat is the values of rows one after the other, filled up to n rows of null.
func flat(columns []column, n int) []any {
	args := make([]any, 0, n*len(columns))
	for i := range columns[0].rows {
		for _, c := range columns {
			args = append(args, c.at(i))
		}
	}
	return args[:cap(args)]
}

// insertion is an insert of rows: fixed follows the columns in each of them,
// and after is the end of the statement.
type insertion struct{ into, fixed, after string }

// insert adds rows, and scans the columns returned of each. It goes past gorm,
// which would look at every parameter.
func (s *Store) insert(tx *gorm.DB, in insertion, scan func(rows *sql.Rows) error, columns ...column) (err error) {
	text, args := s.inserting(in, columns)
	if scan == nil {
		_, err = tx.Statement.ConnPool.ExecContext(tx.Statement.Context, text, args...)
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

func (s *Store) inserting(in insertion, columns []column) (text string, args []any) {
	if s.pool != nil {
		text, args = unnested(columns, func(i int) string { return "$" + strconv.Itoa(i+1) })
		return in.into + " select c.*" + in.fixed + " from " + text + " as c" + in.after, args
	}
	n := columns[0].rows
	return in.into + " values " + repeated("("+repeated("?", len(columns))+in.fixed+")", n) + in.after, flat(columns, n)
}

func repeated(text string, n int) string {
	return strings.TrimSuffix(strings.Repeat(text+", ", n), ", ")
}

// portions hands on rows for statements, of which each takes only so many. For
// SQLite a portion is a power of two, for the reason that values has.
func portions[T any](s *Store, rows []T, work func(part []T) error) error {
	if s.pool != nil {
		for part := range slices.Chunk(rows, s.rowsMost()) {
			if err := work(part); err != nil {
				return err
			}
		}
		return nil
	}
	for n := s.rowsMost(); len(rows) > 0; n /= 2 {
		for len(rows) >= n {
			if err := work(rows[:n]); err != nil {
				return err
			}
			rows = rows[n:]
		}
	}
	return nil
}
