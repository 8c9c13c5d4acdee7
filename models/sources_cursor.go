package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
)

// CursorInput is what a follower reports.
type CursorInput struct {
	Holder string  // names the follower that works; another one stands by
	Place  *string // nil: it has not moved
	// Location is where a source belongs that this registers. One that is
	// registered must belong there, unless Location is empty.
	Location      string
	BehindSeconds int64
	Skipped       int64         // events skipped since the last report
	LastSkipped   string        // the newest of them and why
	Lease         time.Duration // from now on; 0: given up
}

// LeasedError says that another follower works for the source.
type LeasedError struct{ Until time.Time }

func (e *LeasedError) Error() string {
	return "another follower works until " + e.Until.UTC().Format(time.RFC3339)
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
		if c.LeasedUntil != nil && c.LeasedUntil.After(now) && c.LeasedBy != in.Holder {
			return &LeasedError{Until: *c.LeasedUntil}
		}
		c.report(in, now)
		return tx.Save(&c).Error
	})
	return c, err
}

func (c *SourceCursor) report(in CursorInput, now time.Time) {
	if in.Place != nil {
		c.Place = *in.Place
	}
	until := now.Add(in.Lease)
	c.LeasedBy, c.LeasedUntil = in.Holder, &until
	if in.Lease <= 0 {
		c.LeasedBy, c.LeasedUntil = "", nil
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
	return src, audit(tx, by, now, "source.created", sourceLabel(src), "for "+src.Location)
}
