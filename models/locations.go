package models

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// MainLocation is the slug of the main site.
const MainLocation = "main"

// Locations are the main site and the Private Teams, with their communities
// and tags; all are registered when an event first names them.
type Locations struct {
	s *Store

	mu    sync.Mutex
	known map[string]struct{} // committed names, so that ingest asks once
}

// knownMax bounds the memory of names; beyond it they are asked anew.
const knownMax = 100_000

// tagRow is one tag seen at a location.
type tagRow struct {
	Location string `gorm:"primaryKey"`
	Name     string `gorm:"primaryKey"`
}

func (tagRow) TableName() string { return "tags" }

func newLocations(s *Store) *Locations {
	return &Locations{s: s, known: map[string]struct{}{}}
}

// List returns all locations, the main site first.
func (l *Locations) List(ctx context.Context) ([]Location, error) {
	var rows []Location
	return rows, l.listed(ctx).Find(&rows).Error
}

// Names is List with nothing but slug and name.
func (l *Locations) Names(ctx context.Context) ([]Location, error) {
	var rows []Location
	return rows, l.listed(ctx).Select("slug", "name").Find(&rows).Error
}

func (l *Locations) listed(ctx context.Context) *gorm.DB {
	return l.s.db.WithContext(ctx).Order("case slug when 'main' then 0 else 1 end, name, slug")
}

// Tags returns at most limit tags of a location that start with prefix.
func (l *Locations) Tags(ctx context.Context, location, prefix string, limit int) ([]string, error) {
	var names []string
	return names, l.s.db.WithContext(ctx).Model(&tagRow{}).
		Where("location = ? and name like ? escape '!'", location, likePrefix(prefix)).
		Order("name").Limit(limit).Pluck("name", &names).Error
}

// Ensure registers a location, or renames it.
func (l *Locations) Ensure(ctx context.Context, slug, name string) error {
	now, err := l.s.Now(ctx)
	if err != nil {
		return err
	}
	return l.s.db.WithContext(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "slug"}},
		DoUpdates: clause.AssignmentColumns([]string{"name"}),
	}).Create(&Location{Slug: slug, Name: name, CreatedAt: now}).Error
}

// NameOf makes a readable name of a slug: python-wranglers → Python wranglers.
func NameOf(slug string) string {
	words := strings.ReplaceAll(slug, "-", " ")
	if words == "" {
		return slug
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// register adds the locations, communities and tags of events within their
// transaction. It returns what to remember once that is committed.
func (l *Locations) register(tx *gorm.DB, events []NewEvent, now time.Time) ([]string, error) {
	fresh := map[string]struct{}{}
	var locations []Location
	var communities []Community
	var tags []tagRow
	l.mu.Lock()
	isNew := func(parts ...string) bool {
		key := strings.Join(parts, "\x00")
		if _, ok := l.known[key]; ok {
			return false
		}
		if _, ok := fresh[key]; ok {
			return false
		}
		fresh[key] = struct{}{}
		return true
	}
	for _, e := range events {
		if isNew(e.Location) {
			locations = append(locations, Location{Slug: e.Location, Name: NameOf(e.Location), CreatedAt: now})
		}
		if e.Community != "" && isNew("c", e.Location, e.Community) {
			communities = append(communities, Community{Location: e.Location, Slug: e.Community, CreatedAt: now})
		}
		for _, tag := range e.Tags {
			if isNew("t", e.Location, tag) {
				tags = append(tags, tagRow{Location: e.Location, Name: tag})
			}
		}
	}
	l.mu.Unlock()
	// Everybody inserts in the same order, so that two at once cannot wait
	// for each other.
	slices.SortFunc(locations, func(a, b Location) int { return strings.Compare(a.Slug, b.Slug) })
	slices.SortFunc(communities, func(a, b Community) int {
		return strings.Compare(a.Location+"\x00"+a.Slug, b.Location+"\x00"+b.Slug)
	})
	slices.SortFunc(tags, func(a, b tagRow) int {
		return strings.Compare(a.Location+"\x00"+a.Name, b.Location+"\x00"+b.Name)
	})
	for _, err := range []error{
		insertNew(tx, locations), insertNew(tx, communities), insertNew(tx, tags),
	} {
		if err != nil {
			return nil, err
		}
	}
	names := make([]string, 0, len(fresh))
	for name := range fresh {
		names = append(names, name)
	}
	return names, nil
}

func (l *Locations) remember(names []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known)+len(names) > knownMax {
		clear(l.known)
	}
	for _, name := range names {
		l.known[name] = struct{}{}
	}
}

// insertChunk keeps a statement below SQLite's limit of parameters.
const insertChunk = 500

func insertNew[T any](tx *gorm.DB, rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	return tx.Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(rows, insertChunk).Error
}

var likeEscape = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

func likePrefix(s string) string   { return likeEscape.Replace(s) + "%" }
func likeContains(s string) string { return "%" + likeEscape.Replace(s) + "%" }
