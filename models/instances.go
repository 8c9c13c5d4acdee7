package models

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

const (
	instanceAlive     = 30 * time.Second // since it last said so
	instanceRetention = time.Hour        // the row of one that was killed
)

// Instance is a running Sitehooks.
type Instance struct {
	ID        string `gorm:"primaryKey"`
	Name      string // of its machine
	Role      string
	Version   string
	Addresses string // where it listens: host:port, with commas between
	StartedAt time.Time
	SeenAt    time.Time
	// ClockAheadMS is how far its clock was ahead of the one that decides at
	// SeenAt, in milliseconds; negative: behind. With SQLite both are the same.
	ClockAheadMS int64 `gorm:"column:clock_ahead_ms"`
}

// Web tells whether the instance answers pages and APIs; one of the role jobs only
// dispatches and delivers.
func (in Instance) Web() bool { return in.Role != "jobs" }

// ClockOffMax is how far the clock of an instance may be off unnoticed.
const ClockOffMax = 5 * time.Second

// ClockAhead is how far its clock was ahead of the one that decides; negative:
// behind.
func (in Instance) ClockAhead() time.Duration {
	return time.Duration(in.ClockAheadMS) * time.Millisecond
}

// ClockOff tells whether the instance's clock is off by more than ClockOffMax.
func (in Instance) ClockOff() bool { return in.ClockAhead().Abs() > ClockOffMax }

// Instances are those that work with this database.
type Instances struct{ s *Store }

// Seen says that an instance is alive, where it listens, and how far the clock of
// this process is ahead; its times are the deciding clock's. It is also how an instance finds out, every few seconds,
// whether anything can be stored, for Able. Error: an *UnableError.
func (x *Instances) Seen(ctx context.Context, in Instance) (err error) {
	defer wrap(&err, "record instance %s", in.ID)
	return x.s.db.Probe(ctx,
		func(ctx context.Context) error { return x.seen(ctx, in) },
		func(ctx context.Context) error { return x.storeFiller(ctx, in) })
}

func (x *Instances) seen(ctx context.Context, in Instance) error {
	return x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		before := x.s.ownClock()
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		took := x.s.ownClock().Sub(before) // the answer is of some moment in between
		in.StartedAt, in.SeenAt, in.ClockAheadMS = now, now, before.Add(took/2).Sub(now).Milliseconds()
		return tx.Clauses(clause.OnConflict{
			Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"addresses", "seen_at", "clock_ahead_ms"}),
		}).Create(&in).Error
	})
}

// fillerBytes is how much storeFiller stores.
const fillerBytes = 256 << 10

// storeFiller proves that the disk has space again by storing data that needs
// some, for a moment. It may find one that could not be removed.
func (x *Instances) storeFiller(ctx context.Context, in Instance) error {
	filler := make([]byte, fillerBytes/2)
	_, _ = rand.Read(filler) // never fails; it cannot be compressed
	in.ID, in.Name = in.ID+"-filler", hex.EncodeToString(filler)
	return errors.Join(
		x.s.db.Tx(ctx, func(tx *gorm.DB) error { return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&in).Error }),
		x.Gone(ctx, in.ID))
}

// Gone says that an instance has stopped.
func (x *Instances) Gone(ctx context.Context, id string) (err error) {
	defer wrap(&err, "remove instance %s", id)
	return x.s.db.WithContext(ctx).Where("id = ?", id).Delete(&Instance{}).Error
}

// Alive returns the instances that said so lately, the longest running first.
func (x *Instances) Alive(ctx context.Context) (_ []Instance, err error) {
	defer wrap(&err, "list instances")
	now, err := x.s.Now(ctx)
	if err != nil {
		return nil, err
	}
	var rows []Instance
	return rows, x.s.db.WithContext(ctx).Order("started_at, id").Find(&rows, "seen_at > ?", now.Add(-instanceAlive)).Error
}

// ClocksOff returns those alive whose clocks are off by more than ClockOffMax.
func (x *Instances) ClocksOff(ctx context.Context) (_ []Instance, err error) {
	defer wrap(&err, "compare clocks")
	alive, err := x.Alive(ctx)
	return slices.DeleteFunc(alive, func(in Instance) bool { return !in.ClockOff() }), err
}

// pruneInstances forgets those that were killed.
func (s *Store) pruneInstances(tx *gorm.DB, now time.Time) error {
	return tx.Where("seen_at < ?", now.Add(-instanceRetention)).Delete(&Instance{}).Error
}

// JobCount is how many jobs of the queue are in a state; DepthMax or more count
// as DepthMax.
type JobCount struct {
	State string
	N     int64
}

// Jobs counts the queue's jobs by state, in the order in which a job goes
// through them. The queue's index on the state answers.
func (s *Store) Jobs(ctx context.Context) (_ []JobCount, err error) {
	defer wrap(&err, "count jobs")
	db := s.db.WithContext(ctx)
	var counts []JobCount
	for _, state := range []string{"scheduled", "available", "running", "retryable", "completed", "cancelled", "discarded"} {
		c := JobCount{State: state}
		// The state is named in the text: PostgreSQL's is a type of its own.
		err := db.Table("(?) as jobs", db.Table("river_job").Select("1").Where("state = '"+c.State+"'").Limit(DepthMax)).Count(&c.N).Error
		if err != nil {
			return nil, err
		}
		counts = append(counts, c)
	}
	return counts, nil
}
