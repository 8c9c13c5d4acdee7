package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// Label is the part of a location or a community that administrators may edit;
// the slug, by which events name it, stays.
type Label struct{ Name, Description string }

// Community returns a community of a location, or ErrNotFound.
func (l *Locations) Community(ctx context.Context, location, slug string) (_ Community, err error) {
	defer wrap(&err, "get community %s of %s", slug, location)
	var row Community
	return row, found(l.s.db.WithContext(ctx).Take(&row, "location = ? and slug = ?", location, slug))
}

// Describe gives a location another name and description. Error: ErrNotFound.
func (l *Locations) Describe(ctx context.Context, by Actor, slug string, label Label) (err error) {
	defer wrap(&err, "describe location %s", slug)
	return l.change(ctx, func(tx *gorm.DB, now time.Time) error {
		var row Location
		if err := found(tx.Take(&row, "slug = ?", slug)); err != nil {
			return err
		}
		err := tx.Model(&Location{}).Where("slug = ?", slug).Updates(label.columns()).Error
		if err != nil {
			return err
		}
		return label.audit(tx, by, now, slug, "location", slug, Label{row.Name, row.Description})
	})
}

// DescribeCommunity gives a community another name and description. Error:
// ErrNotFound.
func (l *Locations) DescribeCommunity(ctx context.Context, by Actor, location, slug string, label Label) (err error) {
	defer wrap(&err, "describe community %s of %s", slug, location)
	return l.change(ctx, func(tx *gorm.DB, now time.Time) error {
		var row Community
		if err := found(tx.Take(&row, "location = ? and slug = ?", location, slug)); err != nil {
			return err
		}
		err := tx.Model(&Community{}).Where("location = ? and slug = ?", location, slug).Updates(label.columns()).Error
		if err != nil {
			return err
		}
		return label.audit(tx, by, now, location, "community", location+"/"+slug, Label{row.Title(), row.Description})
	})
}

func (c Label) columns() map[string]any {
	return map[string]any{"name": c.Name, "description": c.Description}
}

// audit notes each of the two that changed.
func (c Label) audit(tx *gorm.DB, by Actor, now time.Time, location, what, target string, old Label) error {
	if c.Name != old.Name {
		if err := auditAt(tx, by, now, location, what+".renamed", target, old.Name+" → "+c.Name); err != nil {
			return err
		}
	}
	if c.Description == old.Description {
		return nil
	}
	return auditAt(tx, by, now, location, what+".described", target, orNothing(old.Description)+" → "+orNothing(c.Description))
}

func orNothing(text string) string {
	if text == "" {
		return "(nothing)"
	}
	return text
}
