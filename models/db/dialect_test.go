package db_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
	"github.com/sitehooks/sitehooks/models/migrations"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// each runs a test on both databases, with the table t of four rows.
func each(t *testing.T, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			o := modelstest.Options(t, kind)
			d, err := db.Open(t.Context(), db.Options{URL: o.DatabaseURL, Dir: o.DataDir, Migrations: migrations.FS, Log: slog.New(slog.DiscardHandler)})
			ok(t, err)
			t.Cleanup(d.Close)
			created := "datetime"
			if d.Postgres() != nil {
				created = "timestamptz"
			}
			ok(t, d.WithContext(t.Context()).Exec("create table t (id bigint, name text, at "+created+", body text)").Error)
			ok(t, d.WithContext(t.Context()).Exec("insert into t (id, name, body) values (1, 'a', 'x{1}'), (2, 'b', 'y'), (3, 'c', 'x'), (4, 'a', null)").Error)
			test(t, d)
		})
	}
}

func ids(t *testing.T, tx *gorm.DB, where string, args ...any) string {
	t.Helper()
	var found []int64
	ok(t, tx.Raw("select id from t where "+where+" order by id", args...).Scan(&found).Error)
	return fmt.Sprint(found)
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestPartsOfStatements: each part of a statement finds the same rows on both
// databases.
func TestPartsOfStatements(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		tx := d.WithContext(t.Context())
		list := db.JSON([]int64{1, 3, 9})
		equal(t, "InIDs", ids(t, tx, d.InIDs("id"), list), "[1 3]")
		equal(t, "InIDs of none", ids(t, tx, d.InIDs("id"), db.JSON[int64](nil)), "[]")
		equal(t, "In", ids(t, tx, d.In("name", "text"), db.JSON([]string{"a", "it's"})), "[1 4]")
		equal(t, "JSONList", ids(t, tx, "id not in "+d.JSONList("bigint"), list), "[2 4]")
		equal(t, "JSONEach", ids(t, tx, "id in (select cast(value->>0 as bigint) from "+d.JSONEach()+" as pair where value->>1 = 'b')", `[[2, "b"], [3, "x"]]`), "[2]")
		equal(t, "HasBytes", ids(t, tx, d.HasBytes("cast(body as "+map[bool]string{true: "bytea", false: "blob"}[d.Postgres() != nil]+")"), []byte("{1}")), "[1]")
		type pair struct {
			id   int64
			name string
		}
		pairs := []pair{{1, "a"}, {2, "x"}, {3, "c"}}
		idColumn := db.ColumnOf(pairs, func(p pair) int64 { return p.id })
		text, args := d.InPairs("id", "id", idColumn, idColumn)
		equal(t, "InPairs", ids(t, tx, text, args...), "[1 2 3]")
		text, args = d.Values(idColumn, db.ColumnOf(pairs, func(p pair) string { return p.name }))
		equal(t, "Values", ids(t, tx, "exists (select 1 from "+text+" as v where v.column1 = t.id and v.column2 = t.name)", args...), "[1 3]")
	})
}

// TestInsertInChunks stores every row once, however many they are, and returns
// what it made in the order of the rows.
func TestInsertInChunks(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		for _, n := range []int{0, 1, 7, 128, 129, 255, 512, 1000} {
			rows := make([]int64, n)
			for i := range rows {
				rows[i] = int64(i + 1)
			}
			var made []int64
			ok(t, d.Tx(t.Context(), func(tx *gorm.DB) error {
				ok(t, tx.Exec("delete from t").Error)
				made = nil
				return db.Chunks(d, rows, func(chunk []int64) error {
					if len(chunk) > d.MaxRows() {
						t.Errorf("%d rows in a statement", len(chunk))
					}
					insert := db.Insertion{Into: "insert into t (id, at, name)", Fixed: ", 'made'", After: " returning id"}
					return d.Insert(tx, insert, func(found *sql.Rows) error {
						made = append(made, 0)
						return found.Scan(&made[len(made)-1])
					}, db.ColumnOf(chunk, func(id int64) int64 { return id }), db.ColumnOf(chunk, func(int64) *time.Time { return nil }))
				})
			}))
			if !slices.Equal(made, rows) {
				t.Errorf("%d rows: %v", n, made)
			}
			var stored int64
			ok(t, d.WithContext(t.Context()).Raw("select count(*) from t where name = 'made' and at is null").Scan(&stored).Error)
			equal(t, "stored", stored, n)
		}
	})
}

// TestClocks: the clock comes with a statement or alone, and hours are counted
// from 1970.
func TestClocks(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		tx := d.WithContext(t.Context())
		first, err := d.Now(tx)
		ok(t, err)
		var row struct {
			ID  int64
			Now time.Time
		}
		ok(t, tx.Raw("select id"+d.ClockColumn()+" from t where id = 1").Scan(&row).Error)
		second := d.ReadClock(row.Now)
		if second.Before(first) || second.Sub(first) > time.Minute || second.Location() != time.UTC {
			t.Errorf("%v, then %v", first, second)
		}
		ok(t, tx.Exec("update t set at = ? where id = 1", time.Date(1970, 1, 2, 3, 59, 0, 0, time.UTC)).Error)
		var text string
		ok(t, tx.Raw("select "+d.TextColumn("cast("+d.EpochHours("at")+" as text)")+" from t where id = 1").Scan(&text).Error)
		equal(t, "hours", text, "27")
	})
}
