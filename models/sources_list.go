package models

import (
	"context"
	"slices"
	"time"
)

// SourceRow is a source with how it fares.
type SourceRow struct {
	Source
	State  SourceState
	Cursor *SourceCursor // of a follower that has reported; nil: none
}

// BehindMax is how far a follower may be behind unnoticed.
const BehindMax = 5 * time.Minute

// List returns the sources of a set of locations, by name.
func (x *Sources) List(ctx context.Context, within LocationSet) (_ []SourceRow, err error) {
	defer wrap(&err, "list sources")
	if err := x.Flush(ctx); err != nil {
		return nil, err
	}
	db := x.s.db.WithContext(ctx)
	var sources []Source
	if err := within.where(db, "location").Order("name").Find(&sources).Error; err != nil || len(sources) == 0 {
		return nil, err
	}
	rows := make([]SourceRow, len(sources))
	names, at := make([]string, len(sources)), make(map[string]*SourceRow, len(sources))
	for i, src := range sources {
		rows[i].Source = src
		names[i], at[src.Name] = src.Name, &rows[i]
	}
	var states []SourceState
	if err := db.Find(&states, "source in ?", names).Error; err != nil {
		return nil, err
	}
	for _, state := range states {
		at[state.Source].State = state
	}
	var cursors []SourceCursor
	if err := db.Find(&cursors, "source in ?", names).Error; err != nil {
		return nil, err
	}
	for _, c := range cursors {
		at[c.Source].Cursor = &c
	}
	return rows, nil
}

// Row returns a source with how it fares, or ErrNotFound.
func (x *Sources) Row(ctx context.Context, name string) (_ SourceRow, err error) {
	defer wrap(&err, "get source %s", name)
	var row SourceRow
	if err := x.Flush(ctx); err != nil {
		return row, err
	}
	db := x.s.db.WithContext(ctx)
	if err := found(db.Take(&row.Source, "name = ?", name)); err != nil {
		return row, err
	}
	if err := db.Limit(1).Find(&row.State, "source = ?", name).Error; err != nil {
		return row, err
	}
	var cursors []SourceCursor
	err = db.Limit(1).Find(&cursors, "source = ?", name).Error
	if len(cursors) > 0 {
		row.Cursor = &cursors[0]
	}
	return row, err
}

// States returns how tokens fare, by TokenSource.
func (x *Sources) States(ctx context.Context, names []string) (_ map[string]SourceState, err error) {
	defer wrap(&err, "read states of sources")
	var rows []SourceState
	if err := x.s.db.WithContext(ctx).Find(&rows, "source in ?", names).Error; err != nil {
		return nil, err
	}
	states := make(map[string]SourceState, len(rows))
	for _, row := range rows {
		states[row.Source] = row
	}
	return states, nil
}

// Hours returns the hours since a time of sources and tokens, oldest first, by
// name.
func (x *Sources) Hours(ctx context.Context, names []string, since time.Time) (_ map[string][]SourceHour, err error) {
	defer wrap(&err, "read hours of sources")
	var rows []SourceHour
	err = x.s.db.WithContext(ctx).Order("source, hour").
		Find(&rows, "source in ? and hour >= ?", names, since.UTC().Truncate(time.Hour)).Error
	if err != nil {
		return nil, err
	}
	hours := map[string][]SourceHour{}
	for _, row := range rows {
		hours[row.Source] = append(hours[row.Source], row)
	}
	return hours, nil
}

// Trouble says what is wrong with a source; the zero Trouble: nothing is.
type Trouble struct {
	Failing string        // why its newest request was refused, in words; empty: it was not
	Silent  bool          // it has reported nothing for longer than expected
	Behind  time.Duration // of a follower; 0: it is not far behind
	Since   time.Time     // when it began
}

// Trouble is what is wrong with the source now.
func (r SourceRow) Trouble(now time.Time) Trouble {
	switch {
	case r.State.Error != "":
		t := Trouble{Failing: r.State.Error, Since: now}
		if r.State.ErrorAt != nil {
			t.Since = *r.State.ErrorAt
		}
		return t
	case r.State.SilentSince != nil:
		return Trouble{Silent: true, Since: *r.State.SilentSince}
	case r.Cursor != nil && r.Cursor.Behind(now) >= BehindMax:
		return Trouble{Behind: r.Cursor.Behind(now), Since: r.Cursor.CaughtUpAt}
	}
	return Trouble{}
}

// Troubled returns the sources of a set of locations of which something is
// wrong, by name. Mostly none is, and the snapshot says so.
func (x *Sources) Troubled(ctx context.Context, at Snapshot, within LocationSet) (_ []SourceRow, err error) {
	defer wrap(&err, "list sources in trouble")
	if !at.sources {
		return nil, nil
	}
	rows, err := x.List(ctx, within)
	return slices.DeleteFunc(rows, func(r SourceRow) bool { return r.Trouble(at.Now) == (Trouble{}) }), err
}
