package db

import (
	"context"
	"errors"

	"gorm.io/gorm"
)

// ErrAgain says that the same transaction may succeed when it is run again:
// PostgreSQL ended it for a deadlock.
var ErrAgain = errors.New("the transaction has to be run again")

// OpenTx is a transaction that its user ends, by Commit or by Rollback.
type OpenTx struct {
	*gorm.DB
	db  *DB
	end func(commit bool) error // nil: it has ended
}

// Begin begins a transaction. On SQLite nothing else writes until it ends.
func (d *DB) Begin(ctx context.Context) (*OpenTx, error) {
	begun, end, err := d.begin(ctx)
	if err != nil {
		return nil, d.noting(err)
	}
	return &OpenTx{DB: begun, db: d, end: end}, nil
}

// Commit stores what was written.
func (t *OpenTx) Commit() error {
	end := t.end
	t.end = nil
	return t.db.noting(AsAgain(end(true)))
}

// Rollback forgets what was written, unless the transaction has ended.
func (t *OpenTx) Rollback() {
	if t == nil || t.end == nil {
		return
	}
	_ = t.end(false)
	t.end = nil
}

// AsAgain adds ErrAgain to an error after which PostgreSQL wants the same
// transaction again.
func AsAgain(err error) error {
	if isDeadlock(err) {
		return errors.Join(ErrAgain, err)
	}
	return err
}
