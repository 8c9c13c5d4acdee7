package models

import (
	"errors"
	"fmt"
	"time"

	"github.com/sitehooks/sitehooks/models/db"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrNotFound says that no such row exists (any more).
	ErrNotFound = errors.New("not found")
	// ErrExists says that there is one of that name already.
	ErrExists = errors.New("already exists")
	// ErrNotActive refuses to resend to a webhook that is not active.
	ErrNotActive = errors.New("the webhook is not active")
	// ErrMoved refuses to resend a delivery of a location that the webhook was
	// moved away from.
	ErrMoved = errors.New("the webhook has moved to another location")
	// ErrLocked says that another transaction has locked the rows and does not
	// end.
	ErrLocked = db.ErrLocked
	// ErrManySources refuses one source more than MaxSources.
	ErrManySources = errors.New("there are as many sources as there may be")
	// ErrManyWaiting refuses one request more that waits for look-ups.
	ErrManyWaiting = errors.New("too many requests wait for look-ups")
	// ErrUnauthorized says that a token is unknown or revoked.
	ErrUnauthorized = errors.New("unknown or revoked token")
)

// ConflictError says that the row was saved by another author meanwhile.
type ConflictError struct{ By string }

func (e *ConflictError) Error() string { return "changed by " + e.By }

// asSeen refuses what was saved, by somebody, at another time than it was seen to
// be; of none: it may be of any.
func asSeen(seen []time.Time, updatedAt time.Time, by string) error {
	if len(seen) > 0 && !updatedAt.Equal(seen[0]) {
		return &ConflictError{By: by}
	}
	return nil
}

// wrap adds to an error, if there is one, what the method was doing, which each
// exported method says once. It is deferred.
func wrap(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf(format+": %w", append(args, *err)...)
	}
}

// Refused tells whether the database answered that it cannot store the
// values, so that storing them again would fail again.
func Refused(err error) bool { return db.Refused(err) }

// UnableError says in words why nothing can be stored.
type UnableError = db.UnableError

// Unable describes why the database could not do its work, if an error is about
// that; empty: the error is about the statement.
func Unable(err error) string { return db.Unable(err) }

// SQLiteFile is the name of the database file in the data folder.
const SQLiteFile = db.SQLiteFile

// Target is a host and port of the database server.
type Target = db.Target

// PostgresTargets returns the hosts that a DATABASE_URL names; sockets are
// left out.
func PostgresTargets(databaseURL string) []Target { return db.PostgresTargets(databaseURL) }
