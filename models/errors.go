package models

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
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
	ErrLocked = errors.New("locked by a long transaction")
	// ErrUnauthorized says that a token is unknown or revoked.
	ErrUnauthorized = errors.New("unknown or revoked token")
)

// ConflictError says that the row was saved by another author meanwhile.
type ConflictError struct{ By string }

func (e *ConflictError) Error() string { return "changed by " + e.By }

// Refused tells whether the database answered that it cannot store the
// values, so that storing them again would fail again.
func Refused(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	for _, class := range []string{"22", "23", "54"} { // data, integrity, limits
		if strings.HasPrefix(pg.Code, class) {
			return true
		}
	}
	return false
}
