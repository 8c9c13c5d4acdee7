package models_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestKeptStatements: a connection keeps its statements, and gives one out
// again only when nobody reads from it any more.
func TestKeptStatements(t *testing.T) {
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
		ok(t, errors.Join(inner.Err(), inner.Close()))
	}
	ok(t, errors.Join(outer.Err(), outer.Close()))
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
	ok(t, errors.Join(open.Err(), open.Close()))
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

// TestWhatChangedMeanwhileIsDecidedAnew: on SQLite dispatch reads before its
// transaction; a decision for a webhook that has changed meanwhile is dropped.
func TestWhatChangedMeanwhileIsDecidedAnew(t *testing.T) {
	for name, change := range map[string]func(s *models.Store) error{
		"webhook": func(s *models.Store) error {
			_, err := s.Webhooks.Create(t.Context(), models.Actor{}, models.WebhookInput{
				Type: "stackauth", Name: "new", Location: "main", TagMode: models.TagsAll, Events: []string{"question.created"},
				URL: "http://127.0.0.1:9", URLShown: "http://127.0.0.1:9",
			})
			return err
		},
		"setting": func(s *models.Store) error {
			return s.Settings.Change(t.Context(), models.Actor{}, models.EnableTriggerHistory, "False", "test")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := modelstest.Open(t, modelstest.Options(t, "sqlite"))
			ok(t, s.Settings.Change(t.Context(), models.Actor{}, models.DispatchDelay, "0", "test"))
			ok(t, s.Settings.Change(t.Context(), models.Actor{}, models.DispatchInterval, "0", "test"))
			_, _, err := s.Events.Record(t.Context(), []models.NewEvent{{EventID: "a", Type: "question.created", Location: "main", Payload: []byte("{}")}})
			ok(t, err)
			decided := 0
			r, err := s.Events.Take(t.Context(), 10, func(taken models.Take) (models.Decision, error) {
				if decided++; decided == 1 {
					ok(t, change(s))
					taken.Events[0].ID = 99 // wrong by then
				}
				return models.Decision{Events: []int64{taken.Events[0].ID}, Version: taken.Version}, nil
			})
			ok(t, err)
			if decided != 2 || !r.Ran || r.Events != 1 {
				t.Errorf("decided %d times: %+v", decided, r)
			}
			if e, err := s.Events.Get(t.Context(), "main", "a"); err != nil || e.DispatchedAt == nil {
				t.Errorf("not dispatched: %+v, %v", e, err)
			}
		})
	}
}
