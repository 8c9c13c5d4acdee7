package db

import (
	"context"
	"database/sql"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"
)

// dialect is what differs between the two databases. Methods that return a text
// return a part of a statement.
type dialect interface {
	// Kind is the name of the database: PostgreSQL or SQLite.
	Kind() string
	// Server asks for the version and the size in bytes.
	Server(ctx context.Context) (version string, bytes int64, err error)
	// Postgres is the pool of PostgreSQL; nil: it is SQLite.
	Postgres() *pgxpool.Pool
	// SQLite is the handle for queries of SQLite, and SQLiteWriter the one for
	// frequent writes, with one connection; nil: it is PostgreSQL.
	SQLite() *sql.DB
	SQLiteWriter() *sql.DB
	// Connections is how many queries the database answers at once.
	Connections() int
	// Pooled tells that a pooler in transaction mode stands before PostgreSQL,
	// so that connections cannot listen for notifications.
	Pooled() bool
	// Shared tells that other instances may work with the same database.
	Shared() bool
	// SingleWriter tells that transactions run one after the other. They need
	// no locks, and must be short.
	SingleWriter() bool
	// WriteWithin is how long a short transaction may take, with the time that
	// it waits for others.
	WriteWithin() time.Duration
	// Close closes the database.
	Close()

	// ForUpdate is added to a select whose rows, or those of one table of
	// several, are locked until the transaction ends. SkipLocked leaves out
	// rows that are locked. ForShare and ForKeyShare keep rows, or their keys,
	// from being changed.
	ForUpdate(table ...string) string
	SkipLocked() string
	ForShare() string
	ForKeyShare(table ...string) string
	// ForNoKeyUpdate is ForUpdate, and SkipLockedKeys is SkipLocked, where
	// others may hold the rows by ForKeyShare.
	ForNoKeyUpdate() string
	SkipLockedKeys() string
	// PreferIndex is added to the columns of a select. From then on the
	// transaction reads no table that has an index as a whole, whatever the
	// statistics say.
	PreferIndex() string

	// InIDs says that a column is in a list of ids, which comes as one
	// parameter made by JSON, and In says it of another kind of column. With a
	// parameter for each value, every length would be another statement to
	// prepare. PostgreSQL uses the column's index, however long it believes the
	// list to be.
	InIDs(column string) string
	In(column, kind string) string
	// JSONList is a subquery of the values of such a list, and JSONEach a table
	// of its elements in the column value.
	JSONList(kind string) string
	JSONEach() string
	// InPairs says that two columns together are one of the pairs in two
	// columns of values. PostgreSQL reads by the index of the first, and also
	// accepts other pairs of these values.
	InPairs(first, second string, firsts, seconds Column) (text string, args []any)

	// MaxRows is how many rows a statement is given at most.
	MaxRows() int
	// Values writes columns as a table with the columns column1, column2, … in
	// parentheses. SQLite has a parameter for every value there: rows of nulls
	// fill up the table, so that there are few lengths, and few statements to
	// prepare.
	Values(columns ...Column) (text string, args []any)

	// HasBytes says that a column has some bytes within.
	HasBytes(column string) string
	// EpochHours is the number of hours from 1970 to a time.
	EpochHours(column string) string
	// TextColumn returns a text unchanged: SQLite's driver looks for a time in
	// every text that it does not get as bytes.
	TextColumn(text string) string

	migrate(ctx context.Context, migrations fs.FS, log *slog.Logger) error
	handles() []*gorm.DB // all of gorm's
	reader() *gorm.DB
	transaction(ctx context.Context, work func(tx *gorm.DB) error) error
	begin(ctx context.Context) (tx *gorm.DB, end func(commit bool) error, err error)
	longTransaction(ctx context.Context, work func(tx *gorm.DB) error) error
	lockBriefly(tx *gorm.DB) error
	alongIndex(ctx context.Context, query func(tx *gorm.DB) error) error
	now() string        // the server's clock; empty: it is this process's
	chunk(rows int) int // how many of so many rows a statement is given
	inserting(in Insertion, columns []Column) (text string, args []any)
}
