package models

import (
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
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

// mergeMax is up to how many locations their rows are merged in order. A member
// who sees more of them sees much of the history.
const mergeMax = 50

// merges tells a set of several locations whose rows are better read location by
// location, each from its index, than looked for among those of all.
func (l LocationSet) merges() bool { return len(l.slugs) > 1 && len(l.slugs) <= mergeMax }

// merged is the rows of a table, as "deliveries d", in the locations of the set;
// gorm has no union. Both databases merge them in the order of the index that each
// has by location, so that a page costs as many rows as it shows.
func (l LocationSet) merged(table, columns string) clause.Expr {
	one := "select " + columns + " from " + table + " where location = ?"
	rows := clause.Expr{SQL: one + strings.Repeat(" union all "+one, len(l.slugs)-1)}
	for _, slug := range l.slugs {
		rows.Vars = append(rows.Vars, slug)
	}
	return rows
}

// narrow is the one location that a query may see: the one that it asks for, or
// the only one of the set; empty: several.
func (l LocationSet) narrow(chosen string) string {
	if chosen == "" && len(l.slugs) == 1 {
		return l.slugs[0]
	}
	return chosen
}
