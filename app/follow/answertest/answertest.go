// Package answertest gives tests a database as an Apache Answer has one: the
// columns that a follower reads, with the rows of recorded runs.
package answertest

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	_ "modernc.org/sqlite"             // the driver sqlite

	"github.com/sitehooks/sitehooks/models/modelstest"
)

//go:embed schema.sql
var schema string

// Grants are what a follower needs on PostgreSQL, for the role sitehooks.
//
//go:embed grants.sql
var Grants string

// Site is an Answer's database that a test writes as the site does.
type Site struct {
	t    testing.TB
	db   *sql.DB
	kind string
	// DSN is for the follower. On PostgreSQL it is of a role that has no more
	// than the grants of the documentation.
	DSN string
}

// New makes a database of a kind, sqlite or postgres, without rows.
func New(t testing.TB, kind string) *Site {
	t.Helper()
	s := &Site{t: t, kind: kind}
	if kind == "sqlite" {
		s.DSN = filepath.Join(t.TempDir(), "answer.db")
		s.open("sqlite", "file:"+s.DSN+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)")
		s.exec(schema)
		return s
	}
	owner := modelstest.PostgresURL(t)
	s.open("pgx", owner)
	s.exec(schema)
	s.asRole(owner)
	return s
}

func (s *Site) open(driver, source string) {
	s.t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = db.Close() })
	s.db = db
}

// asRole makes DSN that of a role with the documented grants. Roles belong to
// the server, so that other tests may have made it.
func (s *Site) asRole(owner string) {
	s.t.Helper()
	s.exec(`do $$ begin create role sitehooks login; exception when duplicate_object or unique_violation then null; end $$`)
	s.exec(Grants)
	u, err := url.Parse(owner)
	if err != nil {
		s.t.Fatal(err)
	}
	u.User = url.User("sitehooks")
	s.DSN = u.String()
}

// exec runs statements that are separated by semicolons at the ends of lines.
func (s *Site) exec(script string, args ...any) {
	s.t.Helper()
	for statement := range strings.SplitSeq(script, ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := s.db.ExecContext(context.Background(), statement, args...); err != nil {
			s.t.Fatalf("%v: %s", err, statement)
		}
	}
}

// Row has the values of a row by column, with its id. Times are as the site has
// them: without a zone.
type Row map[string]any

// Put writes a row over the one with its id, if there is one.
func (s *Site) Put(table string, row Row) {
	s.t.Helper()
	columns := slices.Sorted(maps.Keys(row))
	var names, marks, sets []string
	var args []any
	for i, c := range columns {
		names = append(names, `"`+c+`"`)
		marks = append(marks, s.mark(i+1))
		args = append(args, row[c])
		if c != "id" {
			sets = append(sets, fmt.Sprintf(`"%s" = excluded."%s"`, c, c))
		}
	}
	s.exec(fmt.Sprintf(`insert into "%s" (%s) values (%s) on conflict (id) do update set %s`,
		table, strings.Join(names, ", "), strings.Join(marks, ", "), strings.Join(sets, ", ")), args...)
}

// Set changes one column of a row.
func (s *Site) Set(table string, id int64, column string, value any) {
	s.t.Helper()
	s.exec(fmt.Sprintf(`update "%s" set "%s" = %s where id = %s`, table, column, s.mark(1), s.mark(2)), value, id)
}

// Remove deletes a row.
func (s *Site) Remove(table string, id int64) {
	s.t.Helper()
	s.exec(fmt.Sprintf(`delete from "%s" where id = %s`, table, s.mark(1)), id)
}

func (s *Site) mark(n int) string {
	if s.kind == "postgres" {
		return fmt.Sprintf("$%d", n)
	}
	return "?"
}

// Wall is a time as a site has it whose zone is UTC.
func Wall(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
