package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// Create adds a location before its first event. Error: ErrExists.
func (l *Locations) Create(ctx context.Context, by Actor, slug string, label Label) (err error) {
	defer wrap(&err, "create location %s", slug)
	return l.change(ctx, func(tx *gorm.DB, now time.Time) error {
		var n int64
		err := tx.Model(&Location{}).Where("slug = ?", slug).Count(&n).Error
		if err != nil {
			return err
		}
		if n > 0 {
			return ErrExists
		}
		row := Location{Slug: slug, Name: label.Name, Description: label.Description, MainSite: label.Kind == KindMainSite, CreatedAt: now}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		detail := label.Name
		if label.Description != "" {
			detail += ": " + label.Description
		}
		return auditAt(tx, by, now, slug, "location.created", slug, detail)
	})
}

func (l *Locations) change(ctx context.Context, change func(tx *gorm.DB, now time.Time) error) error {
	return l.s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := l.s.db.Now(tx)
		if err != nil {
			return err
		}
		return change(tx, now)
	})
}
