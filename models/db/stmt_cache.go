package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"maps"
)

// stmtCache is a connector to SQLite whose connections keep prepared
// statements: reading a long insert takes SQLite longer than carrying it out.
// PostgreSQL's driver does the same by itself.
type stmtCache struct{ driver.Connector }

// stmtsCached is how many statements a connection keeps.
const stmtsCached = 200

// Connect opens a connection that keeps its statements.
func (s stmtCache) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c, ok := opened.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("the driver of SQLite lacks what we need of it"), opened.Close())
	}
	return &cachingConn{c, map[string]*cachedStmt{}}, nil
}

// sqliteConn are the methods of the driver's connections.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// sqliteStmt are the methods of the driver's statements.
type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// sqliteRows are the methods of the driver's rows.
type sqliteRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

type cachingConn struct {
	sqliteConn
	cached map[string]*cachedStmt
}

type cachedStmt struct {
	sqliteStmt
	reading bool // its rows are not closed yet
}

// statement returns a statement that is not in use, or nil.
func (c *cachingConn) statement(ctx context.Context, query string) (*cachedStmt, error) {
	if k := c.cached[query]; k != nil {
		if k.reading {
			return nil, nil //nolint:nilnil // there is another way for these few
		}
		return k, nil
	}
	prepared, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s, ok := prepared.(sqliteStmt)
	if !ok {
		return nil, prepared.Close()
	}
	if len(c.cached) >= stmtsCached {
		if err := c.forget(); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	k := &cachedStmt{sqliteStmt: s}
	c.cached[query] = k
	return k, nil
}

// forget closes all statements that are not in use.
func (c *cachingConn) forget() (err error) {
	maps.DeleteFunc(c.cached, func(_ string, k *cachedStmt) bool {
		if !k.reading {
			err = errors.Join(err, k.Close())
		}
		return !k.reading
	})
	return err
}

// ExecContext implements driver.ExecerContext.
func (c *cachingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	k, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	return k.ExecContext(ctx, args)
}

// QueryContext implements driver.QueryerContext.
func (c *cachingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	k, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := k.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	full, ok := rows.(sqliteRows)
	if !ok {
		return nil, errors.Join(errors.New("the driver of SQLite lacks what we need of its rows"), rows.Close())
	}
	k.reading = true
	return &cachedRows{full, k}, nil
}

// Close closes the statements too.
func (c *cachingConn) Close() error {
	for _, k := range c.cached {
		k.reading = false
	}
	return errors.Join(c.forget(), c.sqliteConn.Close())
}

type cachedRows struct {
	sqliteRows
	of *cachedStmt
}

// Close lets the statement be used again.
func (r *cachedRows) Close() error {
	err := r.sqliteRows.Close()
	r.of.reading = false
	return err
}
