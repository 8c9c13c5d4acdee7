package models

import (
	"context"
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
