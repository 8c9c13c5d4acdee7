package db

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"
)

// postgresDB is a database of PostgreSQL.
type postgresDB struct {
	pool  *pgxpool.Pool
	sqlDB *sql.DB
	gorm  *gorm.DB
	// pooled says that a pooler in transaction mode is in front of the server.
	// Transactions then begin with the statement in limits.
	pooled bool
	limits string
	// patient are a few connections more, without limits of time, and long is
	// gorm's way to them.
	patient   *pgxpool.Pool
	patientDB *sql.DB
	long      *gorm.DB
	// answerWithin is how long the server may take for a question of the start.
	answerWithin time.Duration
}

func (*postgresDB) Kind() string              { return "PostgreSQL" }
func (p *postgresDB) Postgres() *pgxpool.Pool { return p.pool }
func (*postgresDB) SQLite() *sql.DB           { return nil }
func (*postgresDB) SQLiteWriter() *sql.DB     { return nil }
func (p *postgresDB) Connections() int        { return int(p.pool.Config().MaxConns) }
func (p *postgresDB) Pooled() bool            { return p.pooled }
func (*postgresDB) Shared() bool              { return true }
func (*postgresDB) SingleWriter() bool        { return false }
func (*postgresDB) WriteWithin() time.Duration {
	return 3 * time.Second
}

func (p *postgresDB) Server(ctx context.Context) (version string, bytes int64, err error) {
	err = p.sqlDB.QueryRowContext(ctx, "select current_setting('server_version'), pg_database_size(current_database())").Scan(&version, &bytes)
	version, _, _ = strings.Cut(version, " ") // the rest names the packager
	return version, bytes, err
}

func (p *postgresDB) Close() {
	_ = p.sqlDB.Close()
	p.pool.Close()
	_ = p.patientDB.Close()
	p.closePatient()
}

func (p *postgresDB) handles() []*gorm.DB { return []*gorm.DB{p.gorm, p.long} }
func (p *postgresDB) reader() *gorm.DB    { return p.gorm }

func (p *postgresDB) transaction(ctx context.Context, work func(tx *gorm.DB) error) error {
	return untilNoDeadlock(p.gorm.WithContext(ctx), func(tx *gorm.DB) error {
		if p.pooled {
			if err := tx.Exec(p.limits).Error; err != nil {
				return err
			}
		}
		return work(tx)
	})
}

func (p *postgresDB) begin(ctx context.Context) (tx *gorm.DB, end func(commit bool) error, err error) {
	tx = p.gorm.WithContext(ctx).Begin()
	if tx.Error != nil {
		return nil, nil, tx.Error
	}
	end = func(commit bool) error {
		if commit {
			return tx.Commit().Error
		}
		return tx.Rollback().Error
	}
	if p.pooled {
		if err := tx.Exec(p.limits).Error; err != nil {
			_ = end(false)
			return nil, nil, err
		}
	}
	return tx, end, nil
}

func (p *postgresDB) longTransaction(ctx context.Context, work func(tx *gorm.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, longWithin)
	defer cancel()
	return untilNoDeadlock(p.long.WithContext(ctx), func(tx *gorm.DB) error {
		if err := tx.Exec("set local lock_timeout = '8s'; set local idle_in_transaction_session_timeout = '12s'").Error; err != nil {
			return err
		}
		return work(tx)
	})
}

// untilNoDeadlock runs work in a transaction until the server ends it for
// another cause than a deadlock, or five times.
func untilNoDeadlock(db *gorm.DB, work func(tx *gorm.DB) error) (err error) {
	for range 5 {
		if err = db.Transaction(work); !isDeadlock(err) {
			break
		}
	}
	return err
}

func (*postgresDB) lockBriefly(tx *gorm.DB) error {
	return tx.Exec("set local lock_timeout = '300ms'").Error
}

func (p *postgresDB) alongIndex(ctx context.Context, query func(tx *gorm.DB) error) error {
	return p.transaction(ctx, func(tx *gorm.DB) error {
		if err := tx.Exec("set local enable_bitmapscan = off").Error; err != nil {
			return err
		}
		return query(tx)
	})
}

func (*postgresDB) now() string { return "clock_timestamp()" }

func (*postgresDB) ForUpdate(table ...string) string   { return locking(" for update", table) }
func (*postgresDB) ForKeyShare(table ...string) string { return locking(" for key share", table) }

func locking(lock string, table []string) string {
	if len(table) > 0 {
		lock += " of " + strings.Join(table, ", ")
	}
	return lock
}

func (*postgresDB) ForNoKeyUpdate() string { return " for no key update" }
func (*postgresDB) SkipLocked() string     { return " for update skip locked" }
func (*postgresDB) SkipLockedKeys() string { return " for no key update skip locked" }
func (*postgresDB) ForShare() string       { return " for share" }
func (*postgresDB) PreferIndex() string    { return ", set_config('enable_seqscan', 'off', true)" }

func (p *postgresDB) InIDs(column string) string { return p.In(column, "bigint") }

func (p *postgresDB) In(column, kind string) string {
	return column + " = any(array" + p.JSONList(kind) + ")"
}

func (*postgresDB) JSONList(kind string) string {
	return "(select cast(value as " + kind + ") from json_array_elements_text(cast(? as json)))"
}

func (*postgresDB) JSONEach() string { return "json_array_elements(cast(? as json))" }

// InPairs looks at the second column only where the first one leads: to a join
// of two lists the planner may come to prefer reading the whole table.
func (*postgresDB) InPairs(first, second string, firsts, seconds Column) (text string, args []any) {
	return first + " = any(cast(? as " + firsts.kind + "[])) and " + second + " + 0 = any(cast(? as " + seconds.kind + "[]))",
		[]any{array{firsts.all}, array{seconds.all}}
}

func (*postgresDB) MaxRows() int         { return 512 }
func (p *postgresDB) chunk(rows int) int { return min(rows, p.MaxRows()) }

func (*postgresDB) Values(columns ...Column) (text string, args []any) {
	names := make([]string, len(columns))
	for i := range names {
		names[i] = "column" + strconv.Itoa(i+1)
	}
	text, args = unnested(columns, func(int) string { return "?" })
	return "(select * from " + text + " as c(" + strings.Join(names, ", ") + "))", args
}

func (*postgresDB) inserting(in Insertion, columns []Column) (text string, args []any) {
	text, args = unnested(columns, func(i int) string { return "$" + strconv.Itoa(i+1) })
	wait := ""
	if in.LockWait > 0 {
		wait = ", (select set_config('lock_timeout', '" + strconv.FormatInt(in.LockWait.Milliseconds(), 10) + "', true)) as wait"
	}
	return in.Into + " select c.*" + in.Fixed + " from " + text + " as c" + wait + in.After, args
}

// unnested writes columns as arrays, so that there is one statement for any
// number of rows.
func unnested(columns []Column, parameter func(i int) string) (text string, args []any) {
	arrays := make([]string, len(columns))
	for i, c := range columns {
		arrays[i], args = "cast("+parameter(i)+" as "+c.kind+"[])", append(args, array{c.all})
	}
	return "unnest(" + strings.Join(arrays, ", ") + ")", args
}

// HasBytes leaves a space behind the bracket: right behind it, gorm would make
// a list of the bytes.
func (*postgresDB) HasBytes(column string) string { return "position( ? in " + column + ") > 0" }

func (*postgresDB) EpochHours(column string) string {
	return "(cast(date_part('epoch', " + column + ") as bigint) / 3600)"
}

func (*postgresDB) TextColumn(text string) string { return text }
