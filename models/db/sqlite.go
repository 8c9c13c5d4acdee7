package db

import (
	"context"
	"database/sql"
	"math/bits"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"
)

// sqliteDB is a file of SQLite. SQLite allows one writer at a time, and waiting
// ones only retry now and then, so transactions take turns in order of arrival.
type sqliteDB struct {
	sqlDB *sql.DB
	gorm  *gorm.DB
	// Transactions have one connection, which therefore knows the pages that it
	// wrote last, and busy is full while one uses it.
	writerDB *sql.DB
	writer   *gorm.DB
	busy     chan struct{}
	path     string
	file     *sqliteFile // nil until the schema is up to date
}

// sqliteReaders is how many connections read at once.
const sqliteReaders = 4

func (*sqliteDB) Kind() string               { return "SQLite" }
func (*sqliteDB) Postgres() *pgxpool.Pool    { return nil }
func (l *sqliteDB) SQLite() *sql.DB          { return l.sqlDB }
func (l *sqliteDB) SQLiteWriter() *sql.DB    { return l.writerDB }
func (*sqliteDB) Connections() int           { return sqliteReaders }
func (*sqliteDB) Pooled() bool               { return false }
func (*sqliteDB) Shared() bool               { return false } // the instance locks its folder
func (*sqliteDB) SingleWriter() bool         { return true }
func (*sqliteDB) WriteWithin() time.Duration { return 15 * time.Second }

func (l *sqliteDB) Server(ctx context.Context) (version string, bytes int64, err error) {
	err = l.sqlDB.QueryRowContext(ctx, "select sqlite_version(), page_count * page_size from pragma_page_count(), pragma_page_size()").Scan(&version, &bytes)
	return version, bytes, err
}

// Close leaves a file that was removed as it is: closing it would remove its
// log too, by which the next start knows.
func (l *sqliteDB) Close() {
	if l.file != nil && l.file.check() != nil {
		return
	}
	_ = l.sqlDB.Close()
	_ = l.writerDB.Close()
}

func (l *sqliteDB) handles() []*gorm.DB { return []*gorm.DB{l.gorm, l.writer} }
func (l *sqliteDB) reader() *gorm.DB    { return l.gorm }

func (l *sqliteDB) transaction(ctx context.Context, work func(tx *gorm.DB) error) error {
	if err := l.takeTurn(ctx); err != nil {
		return err
	}
	defer l.endTurn()
	err := l.writer.WithContext(ctx).Transaction(work)
	if err == nil && l.file != nil {
		err = l.file.check() // before anything relies on the commit
	}
	return err
}

func (l *sqliteDB) takeTurn(ctx context.Context) error {
	select {
	case l.busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *sqliteDB) endTurn() { <-l.busy }

func (l *sqliteDB) begin(ctx context.Context) (tx *gorm.DB, end func(commit bool) error, err error) {
	if err := l.takeTurn(ctx); err != nil {
		return nil, nil, err
	}
	tx = l.writer.WithContext(ctx).Begin()
	if tx.Error != nil {
		l.endTurn()
		return nil, nil, tx.Error
	}
	return tx, func(commit bool) error {
		defer l.endTurn()
		if !commit {
			return tx.Rollback().Error
		}
		if err := tx.Commit().Error; err != nil {
			return err
		}
		if l.file == nil {
			return nil
		}
		return l.file.check()
	}, nil
}

func (l *sqliteDB) longTransaction(ctx context.Context, work func(tx *gorm.DB) error) error {
	return l.transaction(ctx, work)
}

func (*sqliteDB) lockBriefly(*gorm.DB) error { return nil }

func (l *sqliteDB) alongIndex(ctx context.Context, query func(tx *gorm.DB) error) error {
	return query(l.gorm.WithContext(ctx))
}

func (*sqliteDB) now() string { return "" }

func (*sqliteDB) ForUpdate(...string) string   { return "" }
func (*sqliteDB) ForKeyShare(...string) string { return "" }
func (*sqliteDB) ForNoKeyUpdate() string       { return "" }
func (*sqliteDB) SkipLockedKeys() string       { return "" }
func (*sqliteDB) SkipLocked() string           { return "" }
func (*sqliteDB) ForShare() string             { return "" }
func (*sqliteDB) PreferIndex() string          { return "" }

func (l *sqliteDB) InIDs(column string) string { return l.In(column, "bigint") }

func (l *sqliteDB) In(column, kind string) string { return column + " in " + l.JSONList(kind) }

func (*sqliteDB) JSONList(string) string { return "(select value from json_each(?))" }
func (*sqliteDB) JSONEach() string       { return "json_each(?)" }

func (l *sqliteDB) InPairs(first, second string, firsts, seconds Column) (text string, args []any) {
	text, args = l.Values(firsts, seconds)
	return "(" + first + ", " + second + ") in (select v.column1, v.column2 from " + text + " as v)", args
}

func (*sqliteDB) MaxRows() int { return 128 }

// chunk is a power of two, for the reason that Values has.
func (l *sqliteDB) chunk(rows int) int {
	return min(l.MaxRows(), 1<<(bits.Len(uint(rows))-1))
}

func (*sqliteDB) Values(columns ...Column) (text string, args []any) {
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

func (*sqliteDB) inserting(in Insertion, columns []Column) (text string, args []any) {
	n := columns[0].rows
	return in.Into + " values " + repeated("("+repeated("?", len(columns))+in.Fixed+")", n) + in.After, flat(columns, n)
}

// flat is the values of rows one after the other, filled up to n rows of null.
func flat(columns []Column, n int) []any {
	args := make([]any, 0, n*len(columns))
	for i := range columns[0].rows {
		for _, c := range columns {
			args = append(args, c.at(i))
		}
	}
	return args[:cap(args)]
}

func repeated(text string, n int) string {
	return strings.TrimSuffix(strings.Repeat(text+", ", n), ", ")
}

func (*sqliteDB) HasBytes(column string) string { return "instr(" + column + ", ?) > 0" }

// EpochHours reads times as they are stored: in microseconds.
func (*sqliteDB) EpochHours(column string) string { return "(" + column + " / 3600000000)" }
func (*sqliteDB) TextColumn(text string) string   { return "cast(" + text + " as blob)" }
