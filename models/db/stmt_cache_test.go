package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models/modelstest"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// read ends the reading of rows.
func read(t *testing.T, rows *sql.Rows) {
	t.Helper()
	defer rows.Close()
	ok(t, rows.Err())
}

// TestCachedStatements: a connection keeps its statements, and gives one out
// again only when nobody reads from it any more.
func TestCachedStatements(t *testing.T) {
	db := modelstest.Open(t, modelstest.Options(t, "sqlite")).SQLite()
	c, err := db.Conn(t.Context())
	ok(t, err)
	defer c.Close()
	number := func(query string, args ...any) (n int) {
		t.Helper()
		ok(t, c.QueryRowContext(t.Context(), query, args...).Scan(&n))
		return n
	}

	// The same statement, read twice at once.
	const three = "select column1 + ? from (values (1), (2), (3))"
	outer, err := c.QueryContext(t.Context(), three, 10)
	ok(t, err)
	var got []string
	for outer.Next() {
		var o int
		ok(t, outer.Scan(&o))
		inner, err := c.QueryContext(t.Context(), three, 20)
		ok(t, err)
		for inner.Next() {
			var i int
			ok(t, inner.Scan(&i))
			got = append(got, fmt.Sprint(o, "-", i))
		}
		read(t, inner)
	}
	read(t, outer)
	if want := "11-21 11-22 11-23 12-21 12-22 12-23 13-21 13-22 13-23"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}

	// More of them than are kept, while one is read from.
	open, err := c.QueryContext(t.Context(), three, 0)
	ok(t, err)
	for round := range 2 {
		for i := range 450 {
			if n := number(fmt.Sprintf("select %d + ?", i), round); n != i+round {
				t.Fatalf("%d + %d is %d", i, round, n)
			}
		}
	}
	left := 0
	for open.Next() {
		left++
	}
	read(t, open)
	if left != 3 {
		t.Errorf("%d rows of the statement that was open", left)
	}

	// The columns of a statement change with the schema.
	exec := func(query string, args ...any) error {
		_, err := c.ExecContext(t.Context(), query, args...)
		return err
	}
	ok(t, exec("create table kept (a integer primary key, b integer not null)"))
	ok(t, exec("insert into kept values (?, ?)", 1, 7))
	const sum = "select sum(b) from kept where a < ?"
	if n := number(sum, 5); n != 7 {
		t.Errorf("sum %d", n)
	}
	ok(t, exec("alter table kept rename to before"))
	ok(t, exec("create table kept (b integer not null, a integer primary key)"))
	ok(t, exec("insert into kept values (?, ?)", 9, 1))
	if n := number(sum, 5); n != 9 {
		t.Errorf("sum after the schema changed: %d", n)
	}

	// One that failed, or was broken off, works again.
	if err := exec("insert into kept values (?, ?)", 9, 1); err == nil {
		t.Error("the same key twice")
	}
	ok(t, exec("insert into kept values (?, ?)", 9, 2))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.ExecContext(ctx, "insert into kept values (?, ?)", 9, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("broken off: %v", err)
	}
	ok(t, exec("insert into kept values (?, ?)", 9, 3))
	if n := number(sum, 5); n != 27 {
		t.Errorf("sum %d", n)
	}
	if err := exec("select nothing"); err == nil {
		t.Error("a statement that makes no sense")
	}
}
