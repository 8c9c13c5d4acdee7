// Package models keeps Sitehooks' records and answers questions about them. It
// is the only place that speaks SQL, and speaks it to PostgreSQL and SQLite
// alike. It knows nothing of HTTP, of wire formats or of schedules.
package models

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
	"github.com/sitehooks/sitehooks/models/migrations"
	"github.com/sitehooks/sitehooks/models/secret"
)

// Options say where the records are.
type Options struct {
	// DatabaseURL is a PostgreSQL URL; empty: SQLite in DataDir.
	DatabaseURL string
	// DataDir is the folder of the SQLite file; it must exist.
	DataDir string
	// NeedsFeature tells of a type whether it sends only while
	// Webhooks.EnableGenericWebhooks is on; nil: every type does.
	NeedsFeature func(webhookType string) bool
	Box          *secret.Box
	Log          *slog.Logger // nil: nothing is logged
	// MemoryShare is how much of the bytes of deliveries that are read at once
	// fits into memory, up to 1; 0: all of them.
	MemoryShare float64
	// Clock replaces the database's clock in tests; nil: the real one.
	Clock func() time.Time
	// OwnClock replaces in tests the clock of this process that is compared with
	// the database's; nil: Clock, or the real one.
	OwnClock func() time.Time
	// Trace is called with gorm's statements in tests; nil: it is not.
	Trace func(statement string, args []any)
}

// Store is an open database, one field a noun.
type Store struct {
	Users      *Users
	Sessions   *Sessions
	Tokens     *Tokens
	Locations  *Locations
	Settings   *SettingsStore
	Webhooks   *Webhooks
	Events     *Events
	Deliveries *Deliveries
	Sends      *ManualSends
	Lanes      *Lanes
	Audit      *Audit
	Instances  *Instances
	Sources    *Sources
	Mails      *Mails

	// Finished is called for dropped deliveries, by type of webhook, once that
	// is stored; nil: it is not. Set it before the store is used.
	Finished func(webhookType, state string, n int64)

	db       *db.DB
	publicID string
	ownClock func() time.Time
	box      *secret.Box
	bodies   *bodyCache
	needs    func(webhookType string) bool
}

// Open connects, brings the schema up to date and checks the sealing key.
// Errors are sentences for the operator.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	opened, err := db.Open(ctx, db.Options{
		URL: o.DatabaseURL, Dir: o.DataDir, Migrations: migrations.FS, Log: o.Log, Clock: o.Clock, Trace: o.Trace,
	})
	if err != nil {
		return nil, err
	}
	s := &Store{db: opened, ownClock: o.OwnClock, bodies: newBodyCache(), box: o.Box, needs: o.NeedsFeature}
	switch {
	case s.ownClock != nil:
	case o.Clock != nil:
		s.ownClock = o.Clock
	default:
		s.ownClock = time.Now
	}
	s.Users, s.Sessions, s.Tokens = &Users{s}, &Sessions{s}, &Tokens{s}
	s.Locations, s.Settings = newLocations(s), &SettingsStore{s}
	s.Webhooks, s.Events, s.Deliveries = &Webhooks{s: s}, newEvents(s), &Deliveries{s}
	s.Sends = &ManualSends{s}
	s.Lanes, s.Audit, s.Instances = newLanes(s, cmp.Or(o.MemoryShare, 1)), &Audit{s}, &Instances{s}
	s.Sources = newSources(s)
	s.Mails = &Mails{s}
	if err := s.checkKey(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the database.
func (s *Store) Close() { s.db.Close() }

// Postgres is the pool when the database is PostgreSQL, otherwise nil.
func (s *Store) Postgres() *pgxpool.Pool { return s.db.Postgres() }

// SQLite is the handle when the database is SQLite, otherwise nil.
func (s *Store) SQLite() *sql.DB { return s.db.SQLite() }

// SQLiteWriter is the handle for frequent writes, with one connection, when the
// database is SQLite, otherwise nil.
func (s *Store) SQLiteWriter() *sql.DB { return s.db.SQLiteWriter() }

// Connections is how many queries the database answers at once.
func (s *Store) Connections() int { return s.db.Connections() }

// Pooled tells that a pooler in transaction mode stands before PostgreSQL, so
// that connections cannot listen for notifications.
func (s *Store) Pooled() bool { return s.db.Pooled() }

// PublicID names this installation in the header Sitehooks-Via; all instances of
// a database share it.
func (s *Store) PublicID() string { return s.publicID }

// Now is the clock that decides: the database's, and with SQLite this
// process's. Its precision is a microsecond, in UTC.
func (s *Store) Now(ctx context.Context) (_ time.Time, err error) {
	defer wrap(&err, "read the clock")
	return s.db.Now(s.db.WithContext(ctx))
}

// Able returns nil while records can be stored, otherwise an *UnableError. It
// sends no query: Instances.Seen and failed writes record the state.
func (s *Store) Able() error { return s.db.Able() }

// Doubt is sent to when something failed that may keep everything from being
// stored: it is worth a Seen.
func (s *Store) Doubt() <-chan struct{} { return s.db.Doubt() }

func (s *Store) needsFeature(webhookType string) bool { return s.needs == nil || s.needs(webhookType) }

func found(tx *gorm.DB) error {
	if errors.Is(tx.Error, gorm.ErrRecordNotFound) {
		return ErrNotFound
	}
	return tx.Error
}
