package models

import (
	"slices"
	"strings"

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

// Default is the location of a new thing that names none: main, or the first of a
// set without it.
func (l LocationSet) Default() string {
	if l.Has(MainLocation) || len(l.slugs) == 0 {
		return MainLocation
	}
	return l.slugs[0]
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

// mergeMax is for up to how many locations a page is put together from a page of
// each. A member who sees more of them sees much of the history.
const mergeMax = 50

// merges tells a set of several locations whose newest rows are read location by
// location, rather than looked for among those of all.
func (l LocationSet) merges() bool { return len(l.slugs) > 1 && len(l.slugs) <= mergeMax }

// merged is the rows of several queries together, as a table with a name; gorm
// has no union. Each query has its own order and limit: then both databases go by
// its index, and not through all that a location has.
func merged(db *gorm.DB, name string, queries []any) *gorm.DB {
	text := "select * from (?) part" + strings.Repeat(" union all select * from (?) part", len(queries)-1)
	return db.Table("("+text+") "+name, queries...)
}

// one tells whether a query asks for one location, of the set: then it finds
// nothing else, and is not limited to the set besides. PostgreSQL would expect few
// rows of both conditions, and read all that the location has.
func (l LocationSet) one(chosen string) bool { return chosen != "" && l.Has(chosen) }

// narrow is the one location that a query may see: the one that it asks for, or
// the only one of the set; empty: several.
func (l LocationSet) narrow(chosen string) string {
	if chosen == "" && len(l.slugs) == 1 {
		return l.slugs[0]
	}
	return chosen
}
