package db

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// How long a use of the database may take. The server ends a statement, and
// says so, before the connection counts as hung.
const (
	connectWithin   = 5 * time.Second // for each host
	statementWithin = 8 * time.Second // unless DATABASE_URL has a statement_timeout
	answerMargin    = 2 * time.Second // at most, beyond the statement's time
	// longWithin is for statements that change all of a webhook's deliveries at
	// once.
	longWithin = time.Minute
)

// sessionSettings let the server notice within 15 seconds that an instance has
// lost its machine, or is frozen, and free its locks: no other instance can
// dispatch before that. Compiling a statement takes longer than any of ours
// should run. DATABASE_URL may set others. Through a pooler in transaction mode
// the limits of time are set in each transaction instead.
var sessionSettings = []struct{ name, value string }{
	{"tcp_keepalives_idle", "5s"},
	{"tcp_keepalives_interval", "3s"},
	{"tcp_keepalives_count", "3"},
	{idleTimeout, "12s"},
	{statementTimeout, statementWithin.String()},
	{"jit", "off"},
}

const (
	statementTimeout = "statement_timeout"
	idleTimeout      = "idle_in_transaction_session_timeout"
)

// takeSettings removes the settings above from the parameters of a connection,
// and returns them all, with the values of DATABASE_URL: a pooler knows none of
// them.
func takeSettings(cfg *pgxpool.Config) map[string]string {
	settings := map[string]string{}
	for _, set := range sessionSettings {
		settings[set.name] = set.value
		if given, is := cfg.ConnConfig.RuntimeParams[set.name]; is {
			settings[set.name] = given
			delete(cfg.ConnConfig.RuntimeParams, set.name)
		}
	}
	return settings
}

// setting writes the statements that make some of the settings, for the
// session or, as "set local", for a transaction.
func setting(how string, settings map[string]string, names ...string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString(how + " " + name + " = '" + strings.ReplaceAll(settings[name], "'", "''") + "'; ")
	}
	return b.String()
}

func openPostgres(ctx context.Context, databaseURL string) (*postgresDB, error) {
	cfg, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	settings := takeSettings(cfg)
	statement, err := timeoutOfStatements(settings[statementTimeout])
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	p := &postgresDB{answerWithin: statement + min(answerMargin, statement)}
	cfg.MaxConns = poolSize(databaseURL, cfg)
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = connectWithin
	}
	if p.patient, err = pgxpool.NewWithConfig(ctx, patientConfig(cfg)); err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	if err := p.checkServer(ctx, cfg); err != nil {
		p.closePatient()
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	limits := setting("set", settings, slices.Sorted(maps.Keys(settings))...)
	if p.pooled {
		p.limits, limits = setting("set local", settings, statementTimeout, idleTimeout), ""
	}
	if p.pool, err = limitedPool(ctx, cfg, p.answerWithin, limits); err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	p.sqlDB = stdlib.OpenDBFromPool(p.pool)
	if p.gorm, err = gorm.Open(postgres.New(postgres.Config{Conn: p.sqlDB}), gormConfig()); err != nil {
		return nil, err
	}
	p.patientDB = stdlib.OpenDBFromPool(p.patient)
	p.long, err = gorm.Open(postgres.New(postgres.Config{Conn: p.patientDB}), gormConfig())
	return p, err
}

// checkServer checks that the server accepts connections, and whether a pooler
// is in front of it.
func (p *postgresDB) checkServer(ctx context.Context, cfg *pgxpool.Config) (err error) {
	if err := p.connect(ctx); err != nil {
		at := cfg.ConnConfig.Host + ":" + strconv.Itoa(int(cfg.ConnConfig.Port))
		return fmt.Errorf("cannot log in to the database at %s: %w; for example DATABASE_URL=postgres://sitehooks:password@db.internal:5432/sitehooks", at, tooMany(err))
	}
	err = p.answered(ctx, func(ctx context.Context) error { return p.checkRole(ctx, cfg) })
	if err != nil {
		return err
	}
	err = p.answered(ctx, func(ctx context.Context) (err error) {
		p.pooled, err = pooled(ctx, p.patient)
		return err
	})
	if err != nil || !p.pooled {
		return err
	}
	return poolable(cfg.ConnConfig.DefaultQueryExecMode)
}

// connect opens a connection, which has its own limit for each host, and waits for an
// answer.
func (p *postgresDB) connect(ctx context.Context) error {
	conn, err := p.patient.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return p.answered(ctx, conn.Ping)
}

// answered gives a question through the patient connections the time
// of a statement and a little more. Error: errHung if there is no answer.
func (p *postgresDB) answered(ctx context.Context, ask func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.answerWithin, errHung)
	defer cancel()
	err := ask(ctx)
	if err != nil && errors.Is(context.Cause(ctx), errHung) {
		return errHung
	}
	return err
}

// closePatient does not wait for connections that hang, to which the driver
// gives a quarter of a minute.
func (p *postgresDB) closePatient() {
	closed := make(chan struct{})
	go func() {
		p.patient.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(goodbyeWithin):
	}
}

// limitedPool is for nearly all statements: each is answered within the time of
// a statement and a little more, or fails.
func limitedPool(ctx context.Context, cfg *pgxpool.Config, within time.Duration, limits string) (*pgxpool.Pool, error) {
	var pool atomic.Pointer[pgxpool.Pool]
	reset := func() { // a fault of one connection may be one of all open ones
		if p := pool.Load(); p != nil {
			p.Reset()
		}
	}
	cfg.ConnConfig.AfterNetConnect = func(_ context.Context, _ *pgconn.Config, c net.Conn) (net.Conn, error) {
		return &answeringConn{Conn: endingConn{c}, within: within, hung: reset, since: time.Now()}, nil
	}
	fatal := cfg.ConnConfig.OnPgError
	cfg.ConnConfig.OnPgError = func(c *pgconn.PgConn, err *pgconn.PgError) bool {
		if err.Code != pgReadOnly {
			return fatal(c, err)
		}
		reset()
		return false
	}
	cfg.ShouldPing = func(_ context.Context, p pgxpool.ShouldPingParams) bool {
		idle := p.IdleDuration > time.Second
		if c, ok := p.Conn.PgConn().Conn().(*answeringConn); ok && idle {
			c.nextWithin(pingWithin)
		}
		return idle
	}
	cfg.PrepareConn = func(_ context.Context, c *pgx.Conn) (bool, error) { return !outdated(c.PgConn()), nil }
	cfg.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		inUTC(c)
		if limits == "" {
			return nil
		}
		_, err := c.Exec(ctx, limits)
		return err
	}
	p, err := pgxpool.NewWithConfig(ctx, cfg)
	if err == nil {
		pool.Store(p)
	}
	return p, err
}

const (
	pgReadOnly         = "25006" // read_only_sql_transaction
	pgLockNotAvailable = "55P03" // lock_not_available: it waited longer than lock_timeout
	// readOnlyFor is how long a connection to a server that is read-only is
	// used: after a failover another one may be found at the same address.
	readOnlyFor = 2 * time.Second
)

// outdated tells a connection to a standby, or to a server that was made
// read-only, which may be neither by now.
func outdated(c *pgconn.PgConn) bool {
	if c.ParameterStatus("in_hot_standby") != "on" && c.ParameterStatus("default_transaction_read_only") != "on" {
		return false
	}
	conn, ok := c.Conn().(*answeringConn)
	return ok && time.Since(conn.since) > readOnlyFor
}

// patientConfig is for long statements: migrations, and changes of all of a
// webhook's deliveries at once. Only their context limits them.
func patientConfig(cfg *pgxpool.Config) *pgxpool.Config {
	cfg = cfg.Copy()
	cfg.MinConns, cfg.MinIdleConns, cfg.MaxConns = 0, 0, 4
	cfg.MaxConnIdleTime, cfg.HealthCheckPeriod = time.Second, time.Second
	cfg.PingTimeout = pingWithin
	cfg.ConnConfig.AfterNetConnect = func(_ context.Context, _ *pgconn.Config, c net.Conn) (net.Conn, error) { return endingConn{c}, nil }
	cfg.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		inUTC(c)
		return nil
	}
	return cfg
}

func inUTC(c *pgx.Conn) {
	c.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID,
		Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
}

// timeoutOfStatements reads how long a statement may take.
func timeoutOfStatements(text string) (time.Duration, error) {
	const least, most = 100 * time.Millisecond, 5 * time.Minute
	d, err := time.ParseDuration(text)
	if n, notNumber := strconv.Atoi(text); notNumber == nil {
		d, err = time.Duration(n)*time.Millisecond, nil
	}
	if err != nil || d < least || d > most {
		return 0, fmt.Errorf("%s must be from 100 to 300000 milliseconds; for example %[1]s=8000", statementTimeout)
	}
	return d, nil
}

// lastCause is the error of the server or the system, without the addresses
// that every layer repeats.
func lastCause(err error) error {
	if said, is := errors.AsType[*pgconn.PgError](err); is {
		return errors.New(said.Message)
	}
	if system, is := errors.AsType[syscall.Errno](err); is {
		return system
	}
	return err
}

// Target is a host and port of the database server.
type Target struct {
	Host string
	Port uint16
}

// PostgresTargets returns the hosts that a DATABASE_URL names; sockets are
// left out.
func PostgresTargets(databaseURL string) []Target {
	cfg, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return nil
	}
	var targets []Target
	add := func(host string, port uint16) {
		t := Target{host, port}
		if !filepath.IsAbs(host) && !slices.Contains(targets, t) {
			targets = append(targets, t)
		}
	}
	add(cfg.Host, cfg.Port)
	for _, f := range cfg.Fallbacks {
		add(f.Host, f.Port)
	}
	return targets
}
