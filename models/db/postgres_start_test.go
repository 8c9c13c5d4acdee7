package db_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
	"github.com/sitehooks/sitehooks/models/migrations"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// start opens a database as an instance does when it starts.
func start(t *testing.T, databaseURL string) (*db.DB, error) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Options{URL: databaseURL, Migrations: migrations.FS, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		t.Cleanup(d.Close)
	}
	return d, err
}

// with adds parameters to the URL of a database.
func with(databaseURL string, parameters ...string) string {
	return strings.Join(append([]string{databaseURL}, parameters...), "&")
}

// run runs queries on a connection of their own.
func run(t *testing.T, databaseURL string, queries ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	ok(t, err)
	for _, query := range queries {
		_, err := conn.Exec(t.Context(), query)
		ok(t, err)
	}
	ok(t, conn.Close(t.Context()))
}

// role makes a role of the server and returns the URL of a database for it.
func role(t *testing.T, databaseURL, name, options string) string {
	t.Helper()
	run(t, databaseURL, "create role "+name+" login password 's3cr3t' "+options)
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.WithoutCancel(t.Context()), databaseURL)
		ok(t, err)
		defer conn.Close(context.WithoutCancel(t.Context()))
		_, err = conn.Exec(context.WithoutCancel(t.Context()), "drop owned by "+name+"; drop role "+name)
		ok(t, err)
	})
	return strings.Replace(databaseURL, "postgres@", name+":s3cr3t@", 1)
}

// TestAStartThatPostgresRefusesSaysWhy, in one sentence that names the variable and
// no password.
func TestAStartThatPostgresRefusesSaysWhy(t *testing.T) {
	empty, migrated := modelstest.PostgresURL(t), modelstest.Options(t, "postgres").DatabaseURL
	port, err := modelstest.FreePort()
	ok(t, err)
	const times = "DATABASE_URL: statement_timeout must be from 100 to 300000 milliseconds; for example statement_timeout=8000"
	for name, c := range map[string]struct{ url, says string }{
		"no URL":            {"postgres://u:s3cr3t@127.0.0.1:port/x", "DATABASE_URL: "},
		"no time":           {with(empty, "statement_timeout=soon"), times},
		"too short a time":  {with(empty, "statement_timeout=99"), times},
		"too long a time":   {with(empty, "statement_timeout=300001"), times},
		"other words of it": {with(empty, "statement_timeout=50ms"), times},
		"nobody listens": {
			fmt.Sprintf("postgres://u:s3cr3t@127.0.0.1:%d/x?sslmode=disable", port),
			fmt.Sprintf("DATABASE_URL: cannot log in to the database at 127.0.0.1:%d: connection refused; for example DATABASE_URL=postgres://", port),
		},
		"no such database": {strings.Replace(empty, "/test_", "/none_", 1), `: database "none_`},
		"no schema":        {with(empty, "search_path=none,nowhere"), "DATABASE_URL: none of the schemas in its search_path exists: create one, or remove search_path; for example DATABASE_URL="},
		"few connections": {
			role(t, empty, "few", "connection limit 4"),
			`DATABASE_URL: the role few is limited to 4 connections, but an instance needs 5 (22 are better): alter role "few" connection limit 22`,
		},
		"no connection":           {role(t, empty, "nobody", "connection limit 0"), `too many connections for role "nobody" (an instance needs 5); for example`},
		"no rights to the tables": {role(t, migrated, "stranger", ""), "permission denied for table"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := start(t, c.url)
			if err == nil {
				t.Fatal("it starts")
			}
			if text := err.Error(); !strings.Contains(text, c.says) || strings.Contains(text, "s3cr3t") || strings.Contains(text, "\n") {
				t.Errorf("it says %s", text)
			}
		})
	}
}

// TestAnInstanceMakesDoWithTheConnectionsThatItMayHave: those that DATABASE_URL says,
// and no more than its role may have.
func TestAnInstanceMakesDoWithTheConnectionsThatItMayHave(t *testing.T) {
	databaseURL := modelstest.Options(t, "postgres").DatabaseURL
	limited := role(t, databaseURL, "limited", "connection limit 9")
	run(t, databaseURL, "grant all on all tables in schema public to limited; grant all on schema public to limited")
	for _, c := range []struct {
		url  string
		want int
	}{{databaseURL, 20}, {with(databaseURL, "pool_max_conns=6"), 6}, {limited, 7}, {with(limited, "pool_max_conns=6"), 6}} {
		d, err := start(t, c.url)
		ok(t, err)
		equal(t, "connections", d.Connections(), c.want)
	}
}

// TestAServerThatFallsSilentEndsTheStart: whatever the start asks, it says that there is
// no answer, and does not hang.
func TestAServerThatFallsSilentEndsTheStart(t *testing.T) {
	const soon = "statement_timeout=1000"
	direct := modelstest.Options(t, "postgres").DatabaseURL
	pooler := modelstest.PgBouncer(t, direct, "transaction")
	for name, c := range map[string]struct{ url, at, says string }{
		"the role":               {direct, "select rolname", "DATABASE_URL: the database did not answer"},
		"the session":            {direct, "pg_backend_pid", "DATABASE_URL: the database did not answer"},
		"the lock":               {direct, "begin", "bring the schema up to date: the database did not answer"},
		"the lock itself":        {direct, "pg_try_advisory_xact_lock", "bring the schema up to date: the database did not answer"},
		"the version":            {direct, "goose_db_version", "bring the schema up to date: "},
		"a pooler's session":     {pooler, "pg_backend_pid", "DATABASE_URL: the database did not answer"},
		"a pooler, which begins": {pooler, "begin", "DATABASE_URL: the database did not answer"},
		"a pooler, which ends":   {pooler, "commit", "DATABASE_URL: the database did not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := modelstest.NewProxy(t, c.url)
			hung := proxy.HangAt(c.at)
			_, err := start(t, with(proxy.Through(c.url), soon, "default_query_exec_mode=exec"))
			select {
			case <-hung:
			default:
				t.Fatalf("it did not ask: %v", err)
			}
			if err == nil || !strings.HasPrefix(err.Error(), c.says) {
				t.Errorf("it says %v", err)
			}
		})
	}
	t.Run("all of it", func(t *testing.T) {
		proxy := modelstest.NewProxy(t, direct)
		proxy.HangAll(true)
		_, err := start(t, with(proxy.Through(direct), soon, "connect_timeout=1"))
		if err == nil || !strings.HasPrefix(err.Error(), "DATABASE_URL: cannot log in to the database at 127.0.0.1:") {
			t.Errorf("it says %v", err)
		}
	})
}

// TestAPoolerInTransactionModeIsNoticed: the URL has to say that nothing is prepared, and
// the limits of time then hold in each transaction. In session mode nothing has to be said.
func TestAPoolerInTransactionModeIsNoticed(t *testing.T) {
	direct := modelstest.Options(t, "postgres").DatabaseURL
	pooler := modelstest.PgBouncer(t, direct, "transaction")
	for _, parameter := range []string{"", "default_query_exec_mode=simple_protocol", "default_query_exec_mode=describe_exec"} {
		_, err := start(t, with(pooler, parameter))
		if err == nil || !strings.HasPrefix(err.Error(), "DATABASE_URL: the database is behind a connection pooler in transaction mode, which does not support prepared statements: add default_query_exec_mode=exec") {
			t.Errorf("%q: %v", parameter, err)
		}
	}
	for name, c := range map[string]struct {
		url    string
		pooled bool
	}{
		"exec":           {with(pooler, "default_query_exec_mode=exec"), true},
		"cache_describe": {with(pooler, "default_query_exec_mode=cache_describe"), true},
		"session":        {modelstest.PgBouncer(t, direct, "session"), false},
		"none":           {direct, false},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := start(t, with(c.url, "statement_timeout=7s", "idle_in_transaction_session_timeout=3000"))
			ok(t, err)
			equal(t, "pooled", d.Pooled(), c.pooled)
			limits := func(tx *gorm.DB) (found string) {
				ok(t, tx.Raw("select current_setting('statement_timeout') || ' ' || current_setting('idle_in_transaction_session_timeout')").Scan(&found).Error)
				return found
			}
			ok(t, d.Tx(t.Context(), func(tx *gorm.DB) error {
				equal(t, "limits", limits(tx), "7s 3s")
				return nil
			}))
			tx, err := d.Begin(t.Context())
			ok(t, err)
			equal(t, "limits of a transaction that is begun", limits(tx.DB), "7s 3s")
			ok(t, tx.Commit())
			ok(t, d.TxLong(t.Context(), func(tx *gorm.DB) error {
				equal(t, "limits of a long transaction", limits(tx), "0 12s")
				return nil
			}))
		})
	}
}

// TestATransactionWithoutItsLimitsDoesNothing: when they cannot be set, its work is not
// begun.
func TestATransactionWithoutItsLimitsDoesNothing(t *testing.T) {
	direct := modelstest.Options(t, "postgres").DatabaseURL
	pooler := modelstest.PgBouncer(t, direct, "transaction")
	errWork := errors.New("it works")
	work := func(*gorm.DB) error { return errWork }
	for name, begin := range map[string]func(ctx context.Context, d *db.DB) error{
		"a transaction": func(ctx context.Context, d *db.DB) error { return d.Tx(ctx, work) },
		"a transaction that is begun": func(ctx context.Context, d *db.DB) error {
			_, err := d.Begin(ctx)
			return err
		},
		"a long transaction": func(ctx context.Context, d *db.DB) error { return d.TxLong(ctx, work) },
		"a group":            func(ctx context.Context, d *db.DB) error { return d.TxBatch(ctx, true, work) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := modelstest.NewProxy(t, pooler)
			d, err := start(t, with(proxy.Through(pooler), "default_query_exec_mode=exec", "statement_timeout=1000"))
			ok(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			at := "set local statement_timeout"
			switch name {
			case "a long transaction":
				at = "set local lock_timeout = '8s'"
			case "a group":
				at = "set local lock_timeout = '300ms'"
			}
			hung := proxy.HangAt(at)
			if name == "a long transaction" { // which only its context ends
				go func() {
					<-hung
					cancel()
				}()
			}
			err = begin(ctx, d)
			if err == nil || errors.Is(err, errWork) || ctx.Err() == nil && db.Unable(err) == "" {
				t.Errorf("it says %v", err)
			}
			select {
			case <-hung:
			default:
				t.Error("it set no limits")
			}
		})
	}
}

// migrating is the folder of one migration.
func migrating(statement string) fs.FS {
	return fstest.MapFS{"postgres/00001_test.sql": {Data: []byte("-- +goose NO TRANSACTION\n-- +goose Up\n" + statement + ";\n")}}
}

// log is what an instance writes, and tells when it writes a text.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
	wait string
	seen chan struct{}
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if bytes.Contains(b, []byte(l.wait)) {
		select {
		case <-l.seen:
		default:
			close(l.seen)
		}
	}
	return l.text.Write(b)
}

// TestOneInstanceAtATimeChangesTheSchema: the next one waits, says so once, and stops
// waiting when it is told to.
func TestOneInstanceAtATimeChangesTheSchema(t *testing.T) {
	databaseURL := modelstest.PostgresURL(t)
	holder, err := pgx.Connect(t.Context(), databaseURL)
	ok(t, err)
	defer holder.Close(context.WithoutCancel(t.Context()))
	tx, err := holder.Begin(t.Context())
	ok(t, err)
	_, err = tx.Exec(t.Context(), "select pg_advisory_xact_lock(7236113902)")
	ok(t, err)
	written := &log{wait: "waiting for another instance to bring the schema up to date", seen: make(chan struct{})}
	open := func(ctx context.Context) chan error {
		ended := make(chan error, 1)
		go func() {
			d, err := db.Open(ctx, db.Options{URL: databaseURL, Migrations: migrating("create table made (id bigint)"), Log: slog.New(slog.NewTextHandler(written, nil))})
			if err == nil {
				d.Close()
			}
			ended <- err
		}()
		return ended
	}
	stopped, stop := context.WithCancel(t.Context())
	first := open(stopped)
	<-written.seen
	stop()
	if err := <-first; !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "bring the schema up to date: ") {
		t.Errorf("stopped: %v", err)
	}
	equal(t, "said", strings.Count(written.text.String(), written.wait), 1)

	second := open(t.Context())
	ok(t, tx.Rollback(t.Context()))
	ok(t, <-second)
	run(t, databaseURL, "insert into made (id) values (1)")
}

// TestAMigrationEndsWhenItsLockIsLost, since another instance may begin one now.
func TestAMigrationEndsWhenItsLockIsLost(t *testing.T) {
	databaseURL := modelstest.PostgresURL(t)
	holder, err := pgx.Connect(t.Context(), databaseURL)
	ok(t, err)
	defer holder.Close(context.WithoutCancel(t.Context()))
	_, err = holder.Exec(t.Context(), "select pg_advisory_lock(42)")
	ok(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // it would wait for ever
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		d, err := db.Open(ctx, db.Options{URL: databaseURL, Migrations: migrating("select pg_advisory_lock(42)"), Log: slog.New(slog.DiscardHandler)})
		if err == nil {
			d.Close()
		}
		ended <- err
	}()
	// The migration waits for the test's lock; then the connection with its own is cut.
	for cut := int64(0); cut == 0; {
		tag, err := holder.Exec(t.Context(), `select pg_terminate_backend(own.pid) from pg_locks own, pg_locks waits where own.locktype = 'advisory' and own.granted
			and own.pid <> pg_backend_pid() and waits.locktype = 'advisory' and not waits.granted and own.database = waits.database
			and own.database = (select oid from pg_database where datname = current_database())`)
		ok(t, err)
		cut = tag.RowsAffected()
	}
	err = <-ended
	if err == nil || !strings.HasPrefix(err.Error(), "bring the schema up to date: the connection that has the lock was lost: ") {
		t.Errorf("it says %v", err)
	}
}

// TestPostgresTargets are the hosts that a URL names, each once, and no sockets.
func TestPostgresTargets(t *testing.T) {
	for databaseURL, want := range map[string]string{
		"postgres://u@a:1,b:2,a:1/x?sslmode=disable":                    "a:1 b:2",
		"postgres://u@a/x":                                              "a:5432",
		"postgres:///x?host=/run/postgresql&sslmode=disable":            "",
		"postgres:///x?host=/run/postgresql,b&port=1,2&sslmode=disable": "b:2",
		"postgres://u@a:none/x":                                         "",
	} {
		var list []string
		for _, target := range db.PostgresTargets(databaseURL) {
			list = append(list, target.Host+":"+strconv.Itoa(int(target.Port)))
		}
		equal(t, databaseURL, strings.Join(list, " "), want)
	}
}
