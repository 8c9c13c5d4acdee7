package models

import (
	"context"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// NameQuery selects part of a list of names.
type NameQuery struct {
	Search        string // part of a name or slug, in any case; empty: all
	Offset, Limit int
	Shown         bool // without what is hidden
}

// where adds the search; columns are those of names and slugs.
func (q NameQuery) where(db *gorm.DB, columns ...string) *gorm.DB {
	if q.Shown {
		db = db.Where("not hidden")
	}
	if q.Search == "" {
		return db
	}
	words := strings.ToLower(q.Search)
	var conditions []string
	var args []any
	for _, column := range columns {
		conditions = append(conditions, "lower("+column+") like ? escape '!'")
		args = append(args, likeContains(words))
	}
	// A community without a name is shown by its slug with spaces.
	conditions = append(conditions, columns[0]+" like ? escape '!'")
	args = append(args, likeContains(strings.ReplaceAll(words, " ", "-")))
	return db.Where("("+strings.Join(conditions, " or ")+")", args...)
}

// counted returns how many rows a query has, and those of the part.
func (q NameQuery) counted(db *gorm.DB, order string, rows any) (n int64, err error) {
	db = db.Session(&gorm.Session{})
	if err := db.Count(&n).Error; err != nil {
		return 0, err
	}
	return n, db.Order(order).Offset(q.Offset).Limit(q.Limit).Find(rows).Error
}

// LocationRow is a location with how much is known of it.
type LocationRow struct {
	Location
	Communities, Tags, Webhooks int64
}

// locationOrder has the location main first, then the others of the main site,
// then the Private Teams.
const locationOrder = "case slug when 'main' then 0 else 1 end, main_site desc, name, slug"

// Page returns locations of the set with their counts, the main site first,
// hidden ones too, and how many match the search.
func (l *Locations) Page(ctx context.Context, within LocationSet, q NameQuery) (rows []LocationRow, matched int64, err error) {
	defer wrap(&err, "list locations")
	db := l.s.db.WithContext(ctx)
	var locations []Location
	matched, err = q.counted(q.where(within.where(db, "slug").Model(&Location{}), "slug", "name"), locationOrder, &locations)
	if err != nil {
		return nil, 0, err
	}
	rows = make([]LocationRow, len(locations))
	at := make(map[string]*LocationRow, len(locations))
	slugs := make([]string, len(locations))
	for i, location := range locations {
		rows[i].Location, slugs[i] = location, location.Slug
		at[location.Slug] = &rows[i]
	}
	for _, c := range []struct {
		of   *gorm.DB
		into func(*LocationRow) *int64
	}{
		{db.Model(&Community{}), func(r *LocationRow) *int64 { return &r.Communities }},
		{db.Model(&Tag{}), func(r *LocationRow) *int64 { return &r.Tags }},
		{db.Model(&Webhook{}).Where("deleted_at is null"), func(r *LocationRow) *int64 { return &r.Webhooks }},
	} {
		var counts []struct {
			Location string
			N        int64
		}
		err := c.of.Select("location, count(*) as n").Where("location in ?", slugs).Group("location").Scan(&counts).Error
		if err != nil {
			return nil, 0, err
		}
		for _, n := range counts {
			*c.into(at[n.Location]) = n.N
		}
	}
	return rows, matched, nil
}

// Count returns how many locations of the set there are.
func (l *Locations) Count(ctx context.Context, within LocationSet) (n int64, err error) {
	defer wrap(&err, "count locations")
	return n, within.where(l.s.db.WithContext(ctx), "slug").Model(&Location{}).Count(&n).Error
}

// CommunityPage returns communities of a location in the order of their slugs,
// and how many match the search.
func (l *Locations) CommunityPage(ctx context.Context, location string, q NameQuery) (rows []Community, matched int64, err error) {
	defer wrap(&err, "list communities of %s", location)
	db := l.s.db.WithContext(ctx).Model(&Community{}).Where("location = ?", location)
	matched, err = q.counted(q.where(db, "slug", "name"), "slug", &rows)
	return rows, matched, err
}

// TagPage returns tags of a location in order, and how many match the search.
func (l *Locations) TagPage(ctx context.Context, location string, q NameQuery) (rows []Tag, matched int64, err error) {
	defer wrap(&err, "list tags of %s", location)
	db := l.s.db.WithContext(ctx).Model(&Tag{}).Where("location = ?", location)
	matched, err = q.counted(q.where(db, "name"), "name", &rows)
	return rows, matched, err
}

// Tag returns a tag of a location, or ErrNotFound.
func (l *Locations) Tag(ctx context.Context, location, name string) (_ Tag, err error) {
	defer wrap(&err, "get tag of %s", location)
	var row Tag
	return row, found(l.s.db.WithContext(ctx).Take(&row, "location = ? and name = ?", location, name))
}

// Few returns all locations of the set that are not hidden, the main site first,
// or none and false if there are more than most.
func (l *Locations) Few(ctx context.Context, within LocationSet, most int) (rows []Location, few bool, err error) {
	defer wrap(&err, "list locations")
	err = firstFew(l.s.db.WithContext(ctx), within.where(l.s.db.WithContext(ctx), "slug").Model(&Location{}).Where("not hidden"), most+1).Order(locationOrder).Scan(&rows).Error
	return atMost(rows, most, err)
}

// FewCommunities returns the communities of the locations in the order of
// their slugs, or none and false if there are more than most. Hidden ones and
// those of hidden locations are left out.
func (l *Locations) FewCommunities(ctx context.Context, within LocationSet, most int) (rows []Community, few bool, err error) {
	defer wrap(&err, "list communities")
	shown := within.where(l.s.db.WithContext(ctx), "location").Model(&Community{}).
		Where("not hidden and location not in (select slug from locations where hidden)")
	err = firstFew(l.s.db.WithContext(ctx), shown, most+1).Order("location, slug").Scan(&rows).Error
	return atMost(rows, most, err)
}

// atMost returns the rows, or none and false if there are more than most.
// firstFew selects so many rows of a query before they are sorted.
func firstFew(db, of *gorm.DB, n int) *gorm.DB { return db.Table("(?) as few", of.Limit(n)) }

func atMost[T any](rows []T, most int, err error) ([]T, bool, error) {
	if err != nil || len(rows) > most {
		return nil, false, err
	}
	return rows, true, nil
}

// NamedCommunities returns the communities of the locations that have one of
// the slugs.
func (l *Locations) NamedCommunities(ctx context.Context, locations, slugs []string) (_ []Community, err error) {
	defer wrap(&err, "get communities")
	var rows []Community
	if len(locations) == 0 || len(slugs) == 0 {
		return nil, nil
	}
	return rows, l.s.db.WithContext(ctx).Where("location in ? and slug in ?", locations, slugs).Find(&rows).Error
}

// Suggest returns locations of the set that are not hidden and whose name or slug
// contains the input, exact matches first.
func (l *Locations) Suggest(ctx context.Context, within LocationSet, typed string, limit int) (_ []Location, err error) {
	defer wrap(&err, "suggest locations")
	typed = strings.ToLower(typed)
	var rows []Location
	exact := clause.Expr{SQL: "case when slug = ? or lower(name) = ? then 0 else 1 end, " + locationOrder, Vars: []any{typed, typed}}
	return rows, NameQuery{Search: typed, Shown: true}.where(within.where(l.s.db.WithContext(ctx), "slug"), "slug", "name").
		Clauses(clause.OrderBy{Expression: exact}).Limit(limit).Find(&rows).Error
}

// Named returns the locations that have one of the slugs.
func (l *Locations) Named(ctx context.Context, slugs ...string) (_ []Location, err error) {
	defer wrap(&err, "get locations")
	var rows []Location
	if len(slugs) == 0 {
		return nil, nil
	}
	return rows, l.s.db.WithContext(ctx).Where("slug in ?", slugs).Find(&rows).Error
}

// Get returns a location of the set, or ErrNotFound.
func (l *Locations) Get(ctx context.Context, within LocationSet, slug string) (_ Location, err error) {
	defer wrap(&err, "get location %s", slug)
	var row Location
	return row, found(within.where(l.s.db.WithContext(ctx), "slug").Take(&row, "slug = ?", slug))
}
