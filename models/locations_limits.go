package models

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"
)

// How many names events may register: in the installation, and at one location.
// docs/sizing.md has the reasons. Administrators may add locations beyond it.
// Several instances that register at the same moment may exceed a limit by the
// names that they register in tallyFor.
const (
	MaxLocations           = 10_000
	MaxCommunities         = 20_000
	MaxLocationCommunities = 1_000
	MaxTags                = 100_000
	MaxLocationTags        = 50_000
)

// LocationLimitError says that events name locations that are not registered,
// and that MaxLocations are.
type LocationLimitError struct{ Slugs map[string]bool }

func (e *LocationLimitError) Error() string {
	return fmt.Sprintf("%d locations are registered, the most that events may register, and %d more are named", MaxLocations, len(e.Slugs))
}

// tallyFor is how long a count is good for.
const tallyFor = 10 * time.Second

// tallyKey is a table, and the location whose rows are counted; empty: all.
type tallyKey struct{ table, location string }

// tally is how many names there are at most.
type tally struct {
	n     int
	exact bool // nothing was registered since it was counted
	at    time.Time
}

func (t tally) fresh() bool { return time.Since(t.at) < tallyFor }

// left is how many names may still be registered, counted anew when want of
// them might be too many.
func (l *Locations) left(tx *gorm.DB, key tallyKey, most, want int) (int, error) {
	l.mu.Lock()
	t := l.tallies[key]
	l.mu.Unlock()
	if t.fresh() && (t.exact || t.n+want <= most) {
		return most - t.n, nil
	}
	names := tx.Table(key.table)
	if key.location != "" {
		names = names.Where("location = ?", key.location)
	}
	var n int64
	if err := names.Count(&n).Error; err != nil {
		return 0, err
	}
	t.n = int(n)
	t.exact, t.at = true, time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.tallies) > MaxLocations {
		clear(l.tallies)
	}
	l.tallies[key] = t
	return most - t.n, nil
}

// counted adds new names to the tallies. When the transaction fails they are
// too high, and are counted anew before they refuse anything.
func (l *Locations) counted(table, location string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range []tallyKey{{table, ""}, {table, location}} {
		if t, is := l.tallies[key]; is {
			t.n, t.exact = t.n+n, false
			l.tallies[key] = t
		}
	}
}

// limit leaves out the communities and tags that are too many, and refuses
// locations.
func (l *Locations) limit(tx *gorm.DB, names *eventNames) error {
	if err := l.limitLocations(tx, names.locations); err != nil {
		return err
	}
	var err error
	names.communities, err = limitNames(l, tx, "communities", names.communities, MaxCommunities, MaxLocationCommunities,
		func(c Community) string { return c.Location })
	if err != nil {
		return err
	}
	names.tags, err = limitNames(l, tx, "tags", names.tags, MaxTags, MaxLocationTags, func(t Tag) string { return t.Location })
	return err
}

// limitNames returns those names, in order of their location, that may be
// registered.
func limitNames[T any](l *Locations, tx *gorm.DB, table string, names []T, most, mostHere int, at func(T) string) ([]T, error) {
	var within []T
	for len(names) > 0 {
		location, n := at(names[0]), 1
		for n < len(names) && at(names[n]) == location {
			n++
		}
		everywhere, err := l.left(tx, tallyKey{table, ""}, most, n)
		if err != nil {
			return nil, err
		}
		here, err := l.left(tx, tallyKey{table, location}, mostHere, n)
		if err != nil {
			return nil, err
		}
		if fit := max(0, min(n, everywhere, here)); fit > 0 {
			within = append(within, names[:fit]...)
			l.counted(table, location, fit)
		}
		names = names[n:]
	}
	return within, nil
}

func (l *Locations) limitLocations(tx *gorm.DB, locations []Location) error {
	slugs := make([]string, 0, len(locations))
	for _, location := range locations {
		if location.Slug != MainLocation {
			slugs = append(slugs, location.Slug)
		}
	}
	if len(slugs) == 0 {
		return nil
	}
	left, err := l.left(tx, tallyKey{"locations", ""}, MaxLocations, len(slugs))
	if err != nil {
		return err
	}
	if left < len(slugs) {
		if err := refuseMissing(tx, slugs, left); err != nil {
			return err
		}
	}
	l.counted("locations", "", len(slugs))
	return nil
}

// refuseMissing returns a *LocationLimitError if more than left of the
// locations are not registered.
func refuseMissing(db *gorm.DB, slugs []string, left int) error {
	missing := make(map[string]bool, len(slugs))
	for _, slug := range slugs {
		missing[slug] = true
	}
	for chunk := range slices.Chunk(slugs, insertChunk) {
		var some []string
		if err := db.Model(&Location{}).Where("slug in ?", chunk).Pluck("slug", &some).Error; err != nil {
			return err
		}
		for _, slug := range some {
			delete(missing, slug)
		}
	}
	if len(missing) > max(0, left) {
		return &LocationLimitError{missing}
	}
	return nil
}

// admit refuses events of unknown locations while there are as many as there
// may be, before they share a transaction with the events of other requests.
func (l *Locations) admit(ctx context.Context, events []NewEvent) error {
	l.mu.Lock()
	t := l.tallies[tallyKey{"locations", ""}]
	unknown := map[string]bool{}
	if t.fresh() && t.exact && t.n >= MaxLocations {
		for _, e := range events {
			if _, known := l.known[e.Location]; !known && e.Location != MainLocation {
				unknown[e.Location] = true
			}
		}
	}
	l.mu.Unlock()
	if len(unknown) == 0 {
		return nil
	}
	return refuseMissing(l.s.db.WithContext(ctx), slices.Collect(maps.Keys(unknown)), 0)
}
