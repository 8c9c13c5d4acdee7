package db

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// pooled reports whether a pooler in transaction mode is in front of the
// database, such as PgBouncer with pool_mode=transaction. A client then has
// another session of the server in each transaction, so state of a session does
// not last.
func pooled(ctx context.Context, pool *pgxpool.Pool) (bool, error) {
	var conns [3]*pgxpool.Conn
	for i := range conns {
		var err error
		if conns[i], err = pool.Acquire(ctx); err != nil {
			return false, err
		}
		defer conns[i].Release()
		if i > 0 {
			continue
		}
		// A pooler makes up the number by which a question is cancelled.
		if session, err := sessionOf(ctx, conns[0].Conn()); err != nil || session == conns[0].Conn().PgConn().PID() {
			return false, err
		}
	}
	return switches(ctx, conns)
}

// switches finds out whether one of two connections has another session when a
// third one takes the session that one of them had.
func switches(ctx context.Context, conns [3]*pgxpool.Conn) (bool, error) {
	var before [2]uint32
	var open [3]pgx.Tx
	for i, c := range conns {
		var err error
		if i == 2 { // both sessions are free again
			if err := errors.Join(open[0].Commit(ctx), open[1].Commit(ctx)); err != nil {
				return false, err
			}
		}
		if open[i], err = c.Begin(ctx); err != nil {
			return false, err
		}
		session, err := sessionOf(ctx, c.Conn())
		if err != nil {
			return false, err
		}
		if i < len(before) {
			before[i] = session //nolint:gosec // i is within it
		}
	}
	defer func() { _ = open[2].Rollback(ctx) }()
	for i := range before {
		if session, err := sessionOf(ctx, conns[i].Conn()); err != nil || session != before[i] {
			return err == nil, err
		}
	}
	return false, nil
}

// sessionOf is the number of the server's process.
func sessionOf(ctx context.Context, c *pgx.Conn) (session uint32, err error) {
	return session, c.QueryRow(ctx, "select pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&session)
}

// poolable are the ways of the driver that need nothing of a session.
func poolable(mode pgx.QueryExecMode) error {
	if mode == pgx.QueryExecModeExec || mode == pgx.QueryExecModeCacheDescribe {
		return nil
	}
	return errors.New("the database is behind a connection pooler in transaction mode, which does not support prepared statements: " +
		"add default_query_exec_mode=exec, or switch the pooler to session mode; " +
		"for example DATABASE_URL=postgres://sitehooks:password@pooler.internal:6432/sitehooks?default_query_exec_mode=exec")
}
