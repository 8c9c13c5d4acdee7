package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// LocationRow is a location with how much is known of it.
type LocationRow struct {
	Location
	Communities, Tags, Webhooks int64
}

// Overview returns all locations with their counts, the main site first.
func (l *Locations) Overview(ctx context.Context) ([]LocationRow, error) {
	locations, err := l.List(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]LocationRow, len(locations))
	at := make(map[string]*LocationRow, len(locations))
	for i, location := range locations {
		rows[i].Location = location
		at[location.Slug] = &rows[i]
	}
	for _, c := range []struct {
		from string
		into func(*LocationRow) *int64
	}{
		{"communities", func(r *LocationRow) *int64 { return &r.Communities }},
		{"tags", func(r *LocationRow) *int64 { return &r.Tags }},
		{"webhooks where deleted_at is null", func(r *LocationRow) *int64 { return &r.Webhooks }},
	} {
		var counts []struct {
			Location string
			N        int64
		}
		err := l.s.db.WithContext(ctx).Raw("select location, count(*) as n from " + c.from + " group by location").Scan(&counts).Error
		if err != nil {
			return nil, err
		}
		for _, n := range counts {
			if row := at[n.Location]; row != nil {
				*c.into(row) = n.N
			}
		}
	}
	return rows, nil
}

// Get returns a location, or ErrNotFound.
func (l *Locations) Get(ctx context.Context, slug string) (Location, error) {
	var row Location
	return row, found(l.s.db.WithContext(ctx).Take(&row, "slug = ?", slug))
}

// Create adds a location before its first event. Error: ErrExists.
func (l *Locations) Create(ctx context.Context, by Actor, slug string, called Called) error {
	return l.change(ctx, func(tx *gorm.DB, now time.Time) error {
		var n int64
		err := tx.Model(&Location{}).Where("slug = ?", slug).Count(&n).Error
		if err != nil {
			return err
		}
		if n > 0 {
			return ErrExists
		}
		row := Location{Slug: slug, Name: called.Name, Description: called.Description, CreatedAt: now}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		detail := called.Name
		if called.Description != "" {
			detail += ": " + called.Description
		}
		return audit(tx, by, now, "location.created", slug, detail)
	})
}

func (l *Locations) change(ctx context.Context, change func(tx *gorm.DB, now time.Time) error) error {
	return l.s.tx(ctx, func(tx *gorm.DB) error {
		now, err := l.s.now(tx)
		if err != nil {
			return err
		}
		return change(tx, now)
	})
}
