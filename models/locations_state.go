package models

import (
	"context"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// LocationState is a location with its communities, in the order of their slugs.
type LocationState struct {
	Location    Location
	Communities []Community
	New         bool // it is not registered; its name is made of its slug
}

// States returns the locations of a set whose slugs come after one, in order.
func (l *Locations) States(ctx context.Context, within LocationSet, after string, limit int) (_ []LocationState, err error) {
	defer wrap(&err, "list locations")
	db := l.s.db.WithContext(ctx)
	var rows []Location
	if err := within.where(db, "slug").Order("slug").Limit(limit).Find(&rows, "slug > ?", after).Error; err != nil {
		return nil, err
	}
	slugs := make([]string, len(rows))
	for i, row := range rows {
		slugs[i] = row.Slug
	}
	var communities []Community
	if len(slugs) > 0 {
		if err := db.Order("location, slug").Find(&communities, "location in ?", slugs).Error; err != nil {
			return nil, err
		}
	}
	states := make([]LocationState, len(rows))
	for i, row := range rows {
		states[i].Location = row
		for _, c := range communities {
			if c.Location == row.Slug {
				states[i].Communities = append(states[i].Communities, c)
			}
		}
	}
	return states, nil
}

// State returns a location, which need not be registered.
func (l *Locations) State(ctx context.Context, slug string) (_ LocationState, err error) {
	defer wrap(&err, "get location %s", slug)
	return locationState(l.s.db.WithContext(ctx), slug)
}

func locationState(tx *gorm.DB, slug string) (LocationState, error) {
	var state LocationState
	err := found(tx.Take(&state.Location, "slug = ?", slug))
	if errors.Is(err, ErrNotFound) {
		return LocationState{Location: Location{Slug: slug, Name: NameOf(slug)}, New: true}, nil
	}
	if err != nil {
		return state, err
	}
	return state, tx.Order("slug").Find(&state.Communities, "location = ?", slug).Error
}

// Replace makes a location and its communities those of next; it registers what
// is not there yet. Error:
// *ConflictError when the location is no longer as in old.
func (l *Locations) Replace(ctx context.Context, by Actor, old, next LocationState) (err error) {
	defer wrap(&err, "replace location %s", old.Location.Slug)
	slug := old.Location.Slug
	return l.change(ctx, func(tx *gorm.DB, now time.Time) error {
		if err := lockInstallation(tx); err != nil {
			return err
		}
		is, err := locationState(tx, slug)
		if err != nil {
			return err
		}
		if !is.same(old) {
			return &ConflictError{By: "somebody else"}
		}
		if err := l.replaceLocation(tx, by, now, old, next.Location); err != nil {
			return err
		}
		for _, c := range next.Communities {
			if err := replaceCommunity(tx, by, now, old.Communities, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s LocationState) same(other LocationState) bool {
	a, b := s.Location, other.Location
	a.CreatedAt = b.CreatedAt
	return s.New == other.New && a == b && slices.EqualFunc(s.Communities, other.Communities, func(a, b Community) bool {
		a.CreatedAt = b.CreatedAt
		return a == b
	})
}

func (l *Locations) replaceLocation(tx *gorm.DB, by Actor, now time.Time, old LocationState, next Location) error {
	if !old.New {
		return changeLocation(tx, by, now, old.Location, next)
	}
	next.CreatedAt = now
	res := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&next)
	if res.Error != nil {
		return res.Error
	}
	if res.RowsAffected == 0 { // an event brought it just now
		return &ConflictError{By: "an event"}
	}
	return auditAt(tx, by, now, next.Slug, "location.created", next.Slug, next.Name)
}

func replaceCommunity(tx *gorm.DB, by Actor, now time.Time, old []Community, c Community) error {
	i := slices.IndexFunc(old, func(one Community) bool { return one.Slug == c.Slug })
	if i < 0 {
		c.CreatedAt = now
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&c).Error; err != nil {
			return err
		}
		return Place{Location: c.Location, Community: c.Slug}.note(tx, by, now, placeChange{true, "created", c.Title()})
	}
	return changeCommunity(tx, by, now, old[i], c)
}
