package models

import (
	"context"
	"strings"
	"time"
)

// Database describes the database of the records.
type Database struct {
	Kind    string // PostgreSQL or SQLite
	Version string
	Bytes   int64
	Schema  int64 // version of the newest migration
	Clock   time.Time
}

// Database describes the database.
func (s *Store) Database(ctx context.Context) (_ Database, err error) {
	defer wrap(&err, "describe the database")
	d := Database{Kind: s.db.Kind()}
	if d.Version, d.Bytes, err = s.db.Server(ctx); err != nil {
		return d, err
	}
	err = s.db.WithContext(ctx).Table("goose_db_version").Where("is_applied").Select("coalesce(max(version_id), 0)").Scan(&d.Schema).Error
	if err != nil {
		return d, err
	}
	d.Clock, err = s.Now(ctx)
	return d, err
}

// Worker is an instance that works on webhooks' deliveries at this moment.
type Worker struct {
	Instance string
	Lanes    int
}

// Workers returns the instances that hold leases now. An instance with nothing
// to send is not among them.
func (x *Lanes) Workers(ctx context.Context) (_ []Worker, err error) {
	defer wrap(&err, "list workers")
	now, err := x.s.Now(ctx)
	if err != nil {
		return nil, err
	}
	var holders []string
	err = x.s.db.WithContext(ctx).Model(&Lane{}).Where("leased_until > ? and leased_by <> ''", now).
		Order("leased_by").Pluck("leased_by", &holders).Error
	var workers []Worker
	for _, holder := range holders {
		name := holder
		if i := strings.LastIndexByte(holder, '-'); i > 0 {
			name = holder[:i] // a turn's own random part follows
		}
		if n := len(workers); n > 0 && workers[n-1].Instance == name {
			workers[n-1].Lanes++
			continue
		}
		workers = append(workers, Worker{name, 1})
	}
	return workers, err
}

// KeyIDs name the keys that open the stored secrets, the one that seals first.
func (s *Store) KeyIDs() []string { return s.box.IDs() }
