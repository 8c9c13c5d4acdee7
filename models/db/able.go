package db

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	driver "modernc.org/sqlite"
)

// UnableError says in words why nothing can be stored.
type UnableError struct{ Why string }

func (e *UnableError) Error() string { return e.Why }

// Causes of an UnableError.
const (
	whyDiskFull   = "disk full"
	whyReadOnly   = "the database server is read-only"
	whyStopped    = "the database server is starting or stopping"
	whyFull       = "the database server accepts no more connections"
	whySlow       = "the database took too long because it is overloaded or locked"
	whySilent     = "the database does not answer"
	whyAway       = "the database cannot be reached"
	whyFileLost   = "database file lost: " + SQLiteFile + " was removed or replaced while it was in use"
	whyFileLocked = "the database file is read-only"
	whyDisk       = "the disk of the database has failed"
	whyDamaged    = "the database file is damaged"
	whyRefused    = "the database refuses writes"
)

// causes are the words for errors of PostgreSQL and SQLite. The first kind
// concerns all requests until something is stored again; the end of one
// connection says nothing about the others.
var (
	lastingPostgres = map[string]string{"53100": whyDiskFull, pgReadOnly: whyReadOnly}
	passingPostgres = map[string]string{"57P01": whyStopped, "57P02": whyStopped, "57P03": whyStopped, "53300": whyFull, "57014": whySlow, pgLockNotAvailable: whySlow}
	lastingSQLite   = map[int]string{13: whyDiskFull, 8: whyFileLocked, 10: whyDisk, 14: whyDisk, 11: whyDamaged, 26: whyDamaged}
)

// Unable describes why the database could not do its work, if an error is about
// that; empty: the error is about the statement.
func Unable(err error) string {
	if why := lasting(err); why != "" {
		return why
	}
	if pg, is := errors.AsType[*pgconn.PgError](err); is {
		return passingPostgres[pg.Code]
	}
	if errors.Is(err, errHung) || errors.Is(err, context.DeadlineExceeded) {
		return whySilent
	}
	connect, connecting := errors.AsType[*pgconn.ConnectError](err)
	if connecting && strings.Contains(connect.Error(), "read only connection") { // as the driver calls it
		return whyReadOnly
	}
	_, network := errors.AsType[*net.OpError](err)
	// The driver hides why it closed a connection in the middle of a statement.
	if connecting || network || errors.Is(err, errEnded) || errors.Is(err, pgconn.ErrConnClosed) {
		return whyAway
	}
	return ""
}

// lasting says why nothing at all can be stored, if an error proves that.
func lasting(err error) string {
	if unable, is := errors.AsType[*UnableError](err); is {
		return unable.Why
	}
	if pg, is := errors.AsType[*pgconn.PgError](err); is {
		return lastingPostgres[pg.Code]
	}
	if lite, is := errors.AsType[*driver.Error](err); is {
		return lastingSQLite[lite.Code()&0xff]
	}
	return ""
}

// ability is whether anything can be stored, as it was found out last.
type ability struct {
	mu    sync.Mutex
	why   string // nothing can; empty: it can
	since time.Time
}

// Able returns nil while data can be stored, otherwise an *UnableError. It
// sends no query: Probe and failed writes record the state.
func (d *DB) Able() error {
	if why := d.ability.reason(); why != "" {
		return &UnableError{why}
	}
	return nil
}

func (a *ability) reason() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.why
}

func (a *ability) lost(why string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.why, a.since = why, time.Now()
}

// works records that an operation that began at a time stored something.
func (a *ability) works(began time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.since.Before(began) {
		a.why = ""
	}
}

// probeWithin is how long Probe may take.
const probeWithin = 4 * time.Second

// Probe finds out for Able whether anything can be stored: store stores a
// little, and fill, which follows where the disk was full, something that needs
// space. Error: an *UnableError.
func (d *DB) Probe(ctx context.Context, store, fill func(ctx context.Context) error) error {
	began := time.Now()
	within, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	err := store(within)
	if err == nil && d.ability.reason() == whyDiskFull {
		err = fill(within)
	}
	switch {
	case err == nil:
		d.ability.works(began)
		return nil
	case ctx.Err() != nil: // the instance stops
		return err
	}
	why := cmp.Or(Unable(err), whyRefused)
	d.ability.lost(why)
	return fmt.Errorf("%w (%w)", &UnableError{why}, err)
}

// noting records an error's evidence about the database, and returns the error.
func (d *DB) noting(err error) error {
	if why := lasting(err); why != "" {
		d.ability.lost(why)
	} else if Unable(err) != "" {
		select {
		case d.doubt <- struct{}{}:
		default:
		}
	}
	return err
}

// Doubt is sent to when something failed that may keep everything from being
// stored: it is worth a Probe.
func (d *DB) Doubt() <-chan struct{} { return d.doubt }
