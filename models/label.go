package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// Label is the part of a location or a community that administrators may edit;
// the slug, by which events name it, stays.
type Label struct {
	Name, Description string
	Kind              string // of a location; empty: it stays
}

// Community returns a community of a location, or ErrNotFound.
func (l *Locations) Community(ctx context.Context, location, slug string) (_ Community, err error) {
	defer wrap(&err, "get community %s of %s", slug, location)
	var row Community
	return row, found(l.s.db.WithContext(ctx).Take(&row, "location = ? and slug = ?", location, slug))
}

// Describe gives a location another name, description and kind. Error:
// ErrNotFound.
func (l *Locations) Describe(ctx context.Context, by Actor, slug string, label Label) (err error) {
	defer wrap(&err, "describe location %s", slug)
	return l.change(ctx, func(tx *gorm.DB, now time.Time) error {
		var old Location
		if err := found(tx.Take(&old, "slug = ?", slug)); err != nil {
			return err
		}
		next := old
		next.Name, next.Description = label.Name, label.Description
		if label.Kind != "" && label.Kind != old.Kind() {
			next.MainSite = label.Kind == KindMainSite
		}
		return changeLocation(tx, by, now, old, next)
	})
}

// DescribeCommunity gives a community another name and description. Error:
// ErrNotFound.
func (l *Locations) DescribeCommunity(ctx context.Context, by Actor, location, slug string, label Label) (err error) {
	defer wrap(&err, "describe community %s of %s", slug, location)
	return l.change(ctx, func(tx *gorm.DB, now time.Time) error {
		var old Community
		if err := found(tx.Take(&old, "location = ? and slug = ?", location, slug)); err != nil {
			return err
		}
		next := old
		next.Name, next.Description = label.Name, label.Description
		return changeCommunity(tx, by, now, old, next)
	})
}

// Hide has a place no longer offered in forms, or offered again. Nothing else
// changes: webhooks that have it keep it, and events that name it match as before.
// A place that is so already, or that is not registered, is left alone.
func (l *Locations) Hide(ctx context.Context, by Actor, p Place, hidden bool) (err error) {
	defer wrap(&err, "hide a location")
	return l.change(ctx, func(tx *gorm.DB, now time.Time) error {
		res := p.rows(tx).Where("hidden = ?", !hidden).Update("hidden", hidden)
		if res.Error != nil || res.RowsAffected == 0 {
			return res.Error
		}
		return p.note(tx, by, now, hiding(!hidden, hidden))
	})
}

// changeLocation stores another name, description, kind and whether it is hidden.
func changeLocation(tx *gorm.DB, by Actor, now time.Time, old, next Location) error {
	place := Place{Location: old.Slug}
	if err := place.rows(tx).Select("name", "description", "main_site", "hidden").Updates(next).Error; err != nil {
		return err
	}
	return place.note(tx, by, now,
		placeChange{next.Name != old.Name, "renamed", old.Name + " → " + next.Name},
		placeChange{next.Description != old.Description, "described", orNothing(old.Description) + " → " + orNothing(next.Description)},
		placeChange{next.MainSite != old.MainSite, "kind", KindName(old.Kind()) + " → " + KindName(next.Kind())},
		hiding(old.Hidden, next.Hidden))
}

// changeCommunity stores another name, description and whether it is hidden.
func changeCommunity(tx *gorm.DB, by Actor, now time.Time, old, next Community) error {
	place := Place{Location: old.Location, Community: old.Slug}
	if err := place.rows(tx).Select("name", "description", "hidden").Updates(next).Error; err != nil {
		return err
	}
	return place.note(tx, by, now,
		placeChange{next.Title() != old.Title(), "renamed", old.Title() + " → " + next.Title()},
		placeChange{next.Description != old.Description, "described", orNothing(old.Description) + " → " + orNothing(next.Description)},
		hiding(old.Hidden, next.Hidden))
}

// placeChange is a line of the audit log, if it is one.
type placeChange struct {
	is             bool
	action, detail string
}

func hiding(old, next bool) placeChange {
	return placeChange{old != next, map[bool]string{true: "hidden", false: "shown"}[next], ""}
}

// note logs those that are changes.
func (p Place) note(tx *gorm.DB, by Actor, now time.Time, changes ...placeChange) error {
	what, target := p.words()
	for _, change := range changes {
		if !change.is {
			continue
		}
		if err := auditAt(tx, by, now, p.Location, what+"."+change.action, target, change.detail); err != nil {
			return err
		}
	}
	return nil
}

func orNothing(text string) string {
	if text == "" {
		return "(nothing)"
	}
	return text
}
