package models_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/sitehooks/sitehooks/models"
)

// dump returns all rows of the tables that hold secrets, as text.
func dump(t *testing.T, s *models.Store) string {
	t.Helper()
	db := s.SQLite()
	if db == nil {
		db = stdlib.OpenDBFromPool(s.Postgres())
		defer db.Close()
	}
	var text strings.Builder
	for _, table := range []string{"webhooks", "webhook_versions", "audit_entries", "tokens", "deliveries"} {
		dumpTable(t, db, table, &text)
	}
	return text.String()
}

func dumpTable(t *testing.T, db *sql.DB, table string, text *strings.Builder) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "select * from "+table)
	ok(t, err)
	defer func() { ok(t, rows.Close()) }()
	columns, err := rows.Columns()
	ok(t, err)
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		ok(t, rows.Scan(into...))
		fmt.Fprintf(text, "%s %s\n", table, values)
	}
	ok(t, rows.Err())
}
