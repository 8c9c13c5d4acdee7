package modelstest

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/sitehooks/sitehooks/models"
)

// Dump is all that a database holds, as text: a line for each row of every
// table, those of the job queue included.
func Dump(t testing.TB, s *models.Store) string {
	t.Helper()
	if db := s.SQLite(); db != nil {
		return DumpSQL(t, db)
	}
	db := stdlib.OpenDBFromPool(s.Postgres())
	defer func() { _ = db.Close() }()
	return DumpSQL(t, db)
}

// DumpSQL is Dump of a database that no store has open here.
func DumpSQL(t testing.TB, db *sql.DB) string {
	t.Helper()
	var text strings.Builder
	for _, table := range tables(t, db) {
		query(t, db, "select * from "+table, func(values []any) {
			text.WriteString(table)
			for _, v := range values {
				if raw, ok := v.([]byte); ok {
					v = string(raw)
				}
				text.WriteString(" | " + strings.ReplaceAll(fmt.Sprint(v), "\n", `\n`))
			}
			text.WriteByte('\n')
		})
	}
	return text.String()
}

// tables are those of either kind of database.
func tables(t testing.TB, db *sql.DB) []string {
	t.Helper()
	list := "select table_name from information_schema.tables where table_schema = current_schema() order by 1"
	if _, err := db.ExecContext(t.Context(), "select 1 from sqlite_master"); err == nil {
		list = "select name from sqlite_master where type = 'table' order by 1"
	}
	var names []string
	query(t, db, list, func(values []any) { names = append(names, fmt.Sprint(values[0])) })
	if len(names) < 10 {
		t.Fatalf("the database has only the tables %v", names)
	}
	return names
}

func query(t testing.TB, db *sql.DB, text string, each func(values []any)) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		each(values)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
