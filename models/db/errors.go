package db

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// ErrLocked says that another transaction has locked the rows and does not
// end.
var ErrLocked = errors.New("locked by a long transaction")

// AsLocked is ErrLocked where a transaction waited for another one in vain, and
// otherwise the error itself.
func AsLocked(err error) error {
	if pg, is := errors.AsType[*pgconn.PgError](err); is && pg.Code == pgLockNotAvailable {
		return ErrLocked
	}
	return err
}

// isDeadlock tells the errors after which PostgreSQL wants the same
// transaction again.
func isDeadlock(err error) bool {
	pg, is := errors.AsType[*pgconn.PgError](err)
	return is && (pg.Code == "40P01" || pg.Code == "40001")
}

// Refused tells whether the database answered that it cannot store the
// values, so that storing them again would fail again.
func Refused(err error) bool {
	pg, is := errors.AsType[*pgconn.PgError](err)
	if !is {
		return false
	}
	for _, class := range []string{"22", "23", "54"} { // data, integrity, limits
		if strings.HasPrefix(pg.Code, class) {
			return true
		}
	}
	return false
}
