package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
)

// CursorInput is what a follower reports.
type CursorInput struct {
	Holder string // names the follower that works; another one stands by
	// Place is as the follower has it; nil: it only takes, keeps or gives back the
	// lease.
	Place *string
	// Location is where a source belongs that this registers. One that is
	// registered must belong there, unless Location is empty.
	Location      string
	BehindSeconds int64
	Skipped       int64         // events skipped since the last report
	LastSkipped   string        // the newest of them and why
	Error         string        // why the other system cannot be read; empty: it can
	Lease         time.Duration // from now on; 0: given up
}

// LeasedError says that another follower works for the source.
type LeasedError struct {
	Holder string
	Until  time.Time
}

func (e *LeasedError) Error() string {
	return e.Holder + " works until " + e.Until.UTC().Format(time.RFC3339)
}

// ErrOtherKind says that the source of that name is no follower.
var ErrOtherKind = errors.New("the source is not a follower")

// Cursor returns the place of a follower with its source, or ErrNotFound when it
// has not reported yet.
func (x *Sources) Cursor(ctx context.Context, name string) (_ SourceCursor, _ Source, err error) {
	defer wrap(&err, "get the place of %s", name)
	db := x.s.db.WithContext(ctx)
	var c SourceCursor
	var src Source
	if err := found(db.Take(&src, "name = ?", name)); err != nil {
		return c, src, err
	}
	return c, src, found(db.Take(&c, "source = ?", name))
}

// PutCursor stores what a follower reports and leases the source to it. The
// first report registers the source. Errors: *LeasedError, ErrOtherKind,
// ErrNotFound when the source belongs to another location or the location is
// unknown, ErrManySources.
func (x *Sources) PutCursor(ctx context.Context, by Actor, name string, in CursorInput) (_ SourceCursor, err error) {
	defer wrap(&err, "store the place of %s", name)
	var c SourceCursor
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		src, err := sourceLocked(tx, name)
		if errors.Is(err, ErrNotFound) {
			src, err = x.register(tx, by, name, in.Location, now)
		}
		switch {
		case err != nil:
			return err
		case in.Location != "" && src.Location != in.Location:
			return ErrNotFound
		case !src.Follows():
			return ErrOtherKind
		}
		c = SourceCursor{Source: name}
		if err := tx.Limit(1).Find(&c, "source = ?", name).Error; err != nil {
			return err
		}
		// A place is stored only while the lease is the follower's: after it lapsed,
		// another follower may have moved on.
		if c.LeasedUntil != nil && c.LeasedBy != in.Holder && (c.LeasedUntil.After(now) || in.Place != nil) {
			return &LeasedError{Holder: c.LeasedBy, Until: *c.LeasedUntil}
		}
		c.lease(in, now)
		if in.Place != nil || c.ReportedAt.IsZero() {
			c.report(in, now)
		}
		if err := tx.Save(&c).Error; err != nil || in.Place == nil {
			return err
		}
		return fareOfFollower(tx, name, in.Error, now)
	})
	return c, err
}

// fareOfFollower records whether a follower can read its system.
func fareOfFollower(tx *gorm.DB, name, fault string, now time.Time) error {
	var is SourceState
	if err := tx.Limit(1).Find(&is, "source = ?", name).Error; err != nil || is.Error == fault {
		return err
	}
	if is.Source = name; is.ErrorAt == nil {
		is.ErrorAt = &now
	}
	if is.Error = fault; fault == "" {
		is.ErrorAt = nil
	}
	return tx.Save(&is).Error
}

func (c *SourceCursor) lease(in CursorInput, now time.Time) {
	until := now.Add(in.Lease)
	c.LeasedBy, c.LeasedUntil = in.Holder, &until
	if in.Lease <= 0 {
		c.LeasedBy, c.LeasedUntil = "", nil
	}
}

func (c *SourceCursor) report(in CursorInput, now time.Time) {
	if in.Place != nil {
		c.Place = *in.Place
	}
	if in.LastSkipped != "" {
		c.LastSkipped = in.LastSkipped
	}
	c.Skipped += in.Skipped
	c.BehindSeconds, c.ReportedAt = in.BehindSeconds, now
	c.CaughtUpAt = now.Add(-time.Duration(in.BehindSeconds) * time.Second)
}

// register makes the source of a follower that reports for the first time.
func (x *Sources) register(tx *gorm.DB, by Actor, name, location string, now time.Time) (Source, error) {
	if location == "" {
		location = MainLocation
	}
	if err := found(tx.Take(&Location{}, "slug = ?", location)); err != nil {
		return Source{}, err
	}
	if err := x.admit(tx, name); err != nil {
		if errors.Is(err, ErrExists) {
			return sourceLocked(tx, name) // another request was quicker
		}
		return Source{}, err
	}
	src := Source{Name: name, Kind: KindFollower, CreatedAt: now}
	x.apply(&src, by, now, SourceInput{Location: location})
	if err := tx.Create(&src).Error; err != nil {
		return src, err
	}
	return src, auditAt(tx, by, now, src.Location, "source.created", sourceLabel(src), "for "+src.Location)
}
