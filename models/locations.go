package models

import (
	"cmp"
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

	mu      sync.Mutex          // guards what follows
	known   map[string]struct{} // committed names, so that ingest asks once
	tallies map[tallyKey]tally
}

// knownMax bounds the memory of names: all that events may register fit.
const knownMax = MaxLocations + MaxCommunities + MaxTags

// tagRow is one tag seen at a location.
type tagRow struct {
	Location string `gorm:"primaryKey"`
	Name     string `gorm:"primaryKey"`
}

func (tagRow) TableName() string { return "tags" }

func newLocations(s *Store) *Locations {
	return &Locations{s: s, known: map[string]struct{}{}, tallies: map[tallyKey]tally{}}
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

// newNames are what events name and what is not known to be registered, each
// in order, so that two instances that insert it cannot wait for each other.
type newNames struct {
	locations   []Location
	communities []Community
	tags        []tagRow
}

// register adds the locations, communities and tags of events within their
// transaction, as far as the limits let it. It returns what to remember once
// that is committed. Error: *LocationLimitError.
func (l *Locations) register(tx *gorm.DB, events []NewEvent, now time.Time) ([]string, error) {
	names := l.unknown(events, now)
	if err := l.limit(tx, &names); err != nil {
		return nil, err
	}
	for _, err := range []error{
		insertNew(tx, names.locations), insertNew(tx, names.communities), insertNew(tx, names.tags),
	} {
		if err != nil {
			return nil, err
		}
	}
	return names.keys(), nil
}

func communityKey(location, slug string) string { return "c\x00" + location + "\x00" + slug }
func tagKey(location, name string) string       { return "t\x00" + location + "\x00" + name }

func (n newNames) keys() []string {
	keys := make([]string, 0, len(n.locations)+len(n.communities)+len(n.tags))
	for _, location := range n.locations {
		keys = append(keys, location.Slug)
	}
	for _, c := range n.communities {
		keys = append(keys, communityKey(c.Location, c.Slug))
	}
	for _, t := range n.tags {
		keys = append(keys, tagKey(t.Location, t.Name))
	}
	return keys
}

// unknown collects what the events name and is not known.
func (l *Locations) unknown(events []NewEvent, now time.Time) newNames {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := map[string]struct{}{}
	isNew := func(key string) bool {
		if _, known := l.known[key]; known {
			return false
		}
		_, twice := found[key]
		found[key] = struct{}{}
		return !twice
	}
	var names newNames
	for _, e := range events {
		if isNew(e.Location) {
			names.locations = append(names.locations, Location{Slug: e.Location, Name: NameOf(e.Location), CreatedAt: now})
		}
		if e.Community != "" && isNew(communityKey(e.Location, e.Community)) {
			names.communities = append(names.communities, Community{Location: e.Location, Slug: e.Community, CreatedAt: now})
		}
		for _, tag := range e.Tags {
			if isNew(tagKey(e.Location, tag)) {
				names.tags = append(names.tags, tagRow{Location: e.Location, Name: tag})
			}
		}
	}
	slices.SortFunc(names.locations, func(a, b Location) int { return strings.Compare(a.Slug, b.Slug) })
	slices.SortFunc(names.communities, func(a, b Community) int {
		return cmp.Or(strings.Compare(a.Location, b.Location), strings.Compare(a.Slug, b.Slug))
	})
	slices.SortFunc(names.tags, func(a, b tagRow) int {
		return cmp.Or(strings.Compare(a.Location, b.Location), strings.Compare(a.Name, b.Name))
	})
	return names
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
