package db

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// connectionsNeeded are the fewest that an instance works with.
	connectionsNeeded = 5
	// connectionsUsed are those of the pool unless DATABASE_URL has another
	// pool_max_conns or the role may have fewer, and connectionsBeside those
	// that an instance has beside them now and then.
	connectionsUsed   = 20
	connectionsBeside = 2

	pgTooMany = "53300" // too_many_connections
)

// poolSize is how many connections the pool may have, before the role is
// checked.
func poolSize(databaseURL string, cfg *pgxpool.Config) int32 {
	if u, err := url.Parse(databaseURL); err == nil && u.Query().Has("pool_max_conns") {
		return cfg.MaxConns
	}
	return max(cfg.MaxConns, connectionsUsed)
}

// checkRole finds out whether the role may have the connections that an
// instance needs, makes do with fewer than it likes, and whether there is a
// schema to keep the tables in.
func (p *postgresDB) checkRole(ctx context.Context, cfg *pgxpool.Config) error {
	var role string
	var most int32
	var schema bool
	err := p.patient.QueryRow(ctx, `select rolname, case when rolsuper then -1 else rolconnlimit end, current_schema() is not null
		from pg_roles where rolname = current_user`, pgx.QueryExecModeSimpleProtocol).Scan(&role, &most, &schema)
	if err != nil {
		return err
	}
	if !schema {
		return errors.New("none of the schemas in its search_path exists: create one, or remove search_path; " +
			"for example DATABASE_URL=postgres://sitehooks:password@db.internal:5432/sitehooks?search_path=public")
	}
	if most < 0 {
		return nil
	}
	if most < connectionsNeeded {
		return fmt.Errorf("the role %s is limited to %d connections, but an instance needs %d (%d are better): "+
			"alter role %s connection limit %[4]d, or use another role; for example DATABASE_URL=postgres://sitehooks:password@db.internal:5432/sitehooks",
			role, most, connectionsNeeded, connectionsUsed+connectionsBeside, pgx.Identifier{role}.Sanitize())
	}
	cfg.MaxConns = min(cfg.MaxConns, most-connectionsBeside)
	return nil
}

// tooMany adds how many connections an instance needs to an error that says
// that there are too many.
func tooMany(err error) error {
	if said, is := errors.AsType[*pgconn.PgError](err); is && said.Code == pgTooMany {
		return fmt.Errorf("%s (an instance needs %d)", said.Message, connectionsNeeded)
	}
	return lastCause(err)
}
