package models

import (
	"slices"

	"gorm.io/gorm"
)

// LocationSet is the locations that a request may see: all of them, or only
// those to which a member or a token is limited. The zero value holds none, so
// that a query whose set was forgotten finds nothing.
type LocationSet struct {
	all   bool
	slugs []string
}

// AllLocations is the set of every location.
func AllLocations() LocationSet { return LocationSet{all: true} }

// OnlyLocations is the set of these locations, by slug.
func OnlyLocations(slugs ...string) LocationSet {
	sorted := slices.Clone(slugs)
	slices.Sort(sorted)
	return LocationSet{slugs: slices.Compact(sorted)}
}

// All says whether the set holds every location.
func (l LocationSet) All() bool { return l.all }

// Has says whether the set holds the location.
func (l LocationSet) Has(slug string) bool {
	if l.all {
		return true
	}
	_, found := slices.BinarySearch(l.slugs, slug)
	return found
}

// Slugs returns the locations of a limited set, in order; nil for all.
func (l LocationSet) Slugs() []string { return l.slugs }

// where limits a query to rows whose column names a location of the set.
func (l LocationSet) where(db *gorm.DB, column string) *gorm.DB {
	if l.all {
		return db
	}
	return db.Where(column+" in ?", l.slugs)
}

// sql is the condition, with its arguments, that a column names a location of
// the set, for statements that gorm does not put together.
func (l LocationSet) sql(column string) (text string, args []any) {
	if l.all {
		return "true", nil
	}
	return column + " in ?", []any{l.slugs}
}

// webhooks is the condition that a column has the id of a webhook of the set;
// its arguments are those of sql.
func (l LocationSet) webhooks(column string) string {
	if l.all {
		return "true"
	}
	return column + " in (select id from webhooks where location in ?)"
}

// narrow is the one location that a query may see: the one that it asks for, or
// the only one of the set; empty: several.
func (l LocationSet) narrow(chosen string) string {
	if chosen == "" && len(l.slugs) == 1 {
		return l.slugs[0]
	}
	return chosen
}
