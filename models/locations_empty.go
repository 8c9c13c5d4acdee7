package models

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
)

// Empty returns the slugs of the locations that match a search and to which
// nothing refers, in order. Those that an administrator changed are left out, as
// is the main site.
func (l *Locations) Empty(ctx context.Context, search string) (_ []string, err error) {
	defer wrap(&err, "list empty locations")
	return emptyLocations(l.s.db.WithContext(ctx), search)
}

func emptyLocations(db *gorm.DB, search string) ([]string, error) {
	// Each is asked for in turn: joined, PostgreSQL would read all events.
	query := db.Model(&Location{}).Where(`slug <> 'main' and description = '' and not main_site and not hidden
		and (select 1 from events e where e.location = locations.slug limit 1) is null
		and (select 1 from webhooks w where w.location = locations.slug and w.deleted_at is null limit 1) is null
		and (select 1 from tokens t where t.location = locations.slug and t.revoked_at is null limit 1) is null
		and (select 1 from sources s where s.location = locations.slug limit 1) is null
		and (select 1 from users u where u.limited and u.locations like '%"' || locations.slug || '"%' limit 1) is null`)
	var rows []Location
	err := NameQuery{Search: search}.where(query, "slug", "name").Select("slug", "name").Order("slug").Find(&rows).Error
	rows = slices.DeleteFunc(rows, func(row Location) bool { return row.Name != NameOf(row.Slug) })
	slugs := make([]string, len(rows))
	for i, row := range rows {
		slugs[i] = row.Slug
	}
	return slugs, err
}

// emptyNamed is how many of the removed locations the audit log names.
const emptyNamed = 100

// RemoveEmpty removes the locations that Empty returns, with their communities
// and tags, and says how many they were.
func (l *Locations) RemoveEmpty(ctx context.Context, by Actor, search string) (n int, err error) {
	defer wrap(&err, "remove empty locations")
	err = l.change(ctx, func(tx *gorm.DB, now time.Time) error {
		slugs, err := emptyLocations(tx, search)
		if n = len(slugs); err != nil || n == 0 {
			return err
		}
		for chunk := range slices.Chunk(slugs, insertChunk) {
			for _, of := range []any{&Community{}, &Tag{}} {
				if err := tx.Where("location in ?", chunk).Delete(of).Error; err != nil {
					return err
				}
			}
			if err := tx.Where("slug in ?", chunk).Delete(&Location{}).Error; err != nil {
				return err
			}
		}
		named := strings.Join(slugs[:min(n, emptyNamed)], ", ")
		if n > emptyNamed {
			named += fmt.Sprintf(" and %d more", n-emptyNamed)
		}
		return audit(tx, by, now, "location.removed", "empty locations", named)
	})
	if err == nil {
		l.forget()
	}
	return n, err
}
