package models

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/sitehooks/sitehooks/models/db"
)

// MainLocation is the slug of the main site.
const MainLocation = "main"

// Locations are the main site and the Private Teams, with their communities
// and tags; all are registered when an event first names them.
type Locations struct {
	s *Store

	mu      sync.Mutex          // guards the fields below
	known   map[string]struct{} // committed names, so that ingest asks once
	tallies map[tallyKey]tally
}

// knownMax bounds the memory of names: all that events may register fit.
const knownMax = MaxLocations + MaxCommunities + MaxTags

func newLocations(s *Store) *Locations {
	return &Locations{s: s, known: map[string]struct{}{}, tallies: map[tallyKey]tally{}}
}

// Tags returns at most limit tags of a location that start with prefix, without
// the hidden ones.
func (l *Locations) Tags(ctx context.Context, location, prefix string, limit int) (_ []string, err error) {
	defer wrap(&err, "list tags of %s", location)
	var names []string
	return names, l.s.db.WithContext(ctx).Model(&Tag{}).
		Where("not hidden and location = ? and name like ? escape '!'", location, likePrefix(prefix)).
		Order("name").Limit(limit).Pluck("name", &names).Error
}

// Ensure registers a location, or renames it.
func (l *Locations) Ensure(ctx context.Context, slug, name string) (err error) {
	defer wrap(&err, "register location %s", slug)
	now, err := l.s.Now(ctx)
	if err != nil {
		return err
	}
	return l.s.db.WithContext(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "slug"}},
		DoUpdates: clause.AssignmentColumns([]string{"name"}),
	}).Create(&Location{Slug: slug, Name: name, CreatedAt: now}).Error
}

// Register makes a location known at first sight, as events do.
func (l *Locations) Register(ctx context.Context, slug string) (err error) {
	defer wrap(&err, "register location %s", slug)
	if _, err := l.Get(ctx, AllLocations(), slug); !errors.Is(err, ErrNotFound) {
		return err
	}
	return l.Ensure(ctx, slug, NameOf(slug))
}

// NameOf makes a readable name of a slug: python-wranglers → Python wranglers.
func NameOf(slug string) string {
	words := strings.ReplaceAll(slug, "-", " ")
	if words == "" {
		return slug
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// eventNames are the names in events, each list in order, so that two instances
// that insert them cannot wait for each other.
type eventNames struct {
	locations   []Location
	communities []Community
	tags        []Tag
}

// register adds the locations, communities and tags of events, as far as the
// limits let it. It returns the names to remember once the transaction has
// committed. Error: *LocationLimitError.
func (l *Locations) register(db *gorm.DB, events []NewEvent, now time.Time) ([]string, error) {
	names := l.named(events, false, now)
	if err := l.limit(db, &names); err != nil {
		return nil, err
	}
	return names.keys(), l.insert(db, names)
}

// nameWait is how long a name waits for a transaction that brings it too. It
// is not worth more: a later event registers it.
const nameWait = 100 * time.Millisecond

// registerApart is register in statements of their own, which hold no locks
// once they are done: an event with a new name must not block the storing of
// other events. Names that wait for another transaction are left to a later
// event. It is for PostgreSQL; SQLite lets one at a time write anyway.
func (l *Locations) registerApart(ctx context.Context, events []NewEvent) error {
	if len(l.named(events, false, time.Time{}).keys()) == 0 {
		return nil
	}
	now, err := l.s.Now(ctx)
	if err != nil {
		return err
	}
	names, err := l.register(l.s.db.WithContext(ctx), events, now)
	if errors.Is(db.AsLocked(err), ErrLocked) {
		return nil
	}
	if err == nil {
		l.remember(names)
	}
	return err
}

// insert adds those names that are new.
func (l *Locations) insert(tx *gorm.DB, names eventNames) error {
	add := func(into string, columns ...db.Column) error {
		return l.s.db.Insert(tx, db.Insertion{Into: into, After: " on conflict do nothing", LockWait: nameWait}, nil, columns...)
	}
	return errors.Join(
		db.Chunks(l.s.db, names.locations, func(chunk []Location) error {
			return add("insert into locations (slug, name, created_at)",
				db.ColumnOf(chunk, func(x Location) string { return x.Slug }),
				db.ColumnOf(chunk, func(x Location) string { return x.Name }),
				db.ColumnOf(chunk, func(x Location) time.Time { return x.CreatedAt }))
		}),
		db.Chunks(l.s.db, names.communities, func(chunk []Community) error {
			return add("insert into communities (location, slug, created_at)",
				db.ColumnOf(chunk, func(x Community) string { return x.Location }),
				db.ColumnOf(chunk, func(x Community) string { return x.Slug }),
				db.ColumnOf(chunk, func(x Community) time.Time { return x.CreatedAt }))
		}),
		db.Chunks(l.s.db, names.tags, func(chunk []Tag) error {
			return add("insert into tags (location, name)",
				db.ColumnOf(chunk, func(x Tag) string { return x.Location }),
				db.ColumnOf(chunk, func(x Tag) string { return x.Name }))
		}))
}

// errForgotten says that the database does not have a name that was
// registered, as after a failover that lost it.
var errForgotten = errors.New("a registered name is gone")

// check fails with errForgotten when a name of these events that is known to be
// registered is not. It also sets how long the transaction waits for locks, and
// returns the time. It is for PostgreSQL.
func (l *Locations) check(tx *gorm.DB, events []NewEvent, lockWait string) (time.Time, error) {
	names := l.named(events, true, time.Time{})
	at := func(location, name string) [2]string { return [2]string{location, name} }
	var lists [3][][2]string
	for _, x := range names.locations {
		lists[0] = append(lists[0], at(x.Slug, ""))
	}
	for _, x := range names.communities {
		lists[1] = append(lists[1], at(x.Location, x.Slug))
	}
	for _, x := range names.tags {
		lists[2] = append(lists[2], at(x.Location, x.Name))
	}
	var found struct {
		Forgotten bool
		Now       time.Time
	}
	err := tx.Raw(`select set_config('lock_timeout', ?, true),
		exists (select 1 from json_array_elements(cast(? as json)) n where not exists (select 1 from locations where slug = n->>0))
		or exists (select 1 from json_array_elements(cast(? as json)) n where not exists (select 1 from communities where location = n->>0 and slug = n->>1))
		or exists (select 1 from json_array_elements(cast(? as json)) n where not exists (select 1 from tags where location = n->>0 and name = n->>1))
		as forgotten`+l.s.db.ClockColumn(), lockWait, db.JSON(lists[0]), db.JSON(lists[1]), db.JSON(lists[2])).Scan(&found).Error
	if err == nil && found.Forgotten {
		err = errForgotten
	}
	return l.s.db.ReadClock(found.Now), err
}

// forget makes every name be registered again.
func (l *Locations) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.known)
	clear(l.tallies)
}

func communityKey(location, slug string) string { return "c\x00" + location + "\x00" + slug }
func tagKey(location, name string) string       { return "t\x00" + location + "\x00" + name }

func (n eventNames) keys() []string {
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

// named collects the names in the events: the known ones, or the unknown ones.
func (l *Locations) named(events []NewEvent, known bool, now time.Time) eventNames {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := map[string]struct{}{}
	wanted := func(key string) bool {
		if _, is := l.known[key]; is != known {
			return false
		}
		_, twice := found[key]
		found[key] = struct{}{}
		return !twice
	}
	var names eventNames
	for _, e := range events {
		if wanted(e.Location) {
			names.locations = append(names.locations, Location{Slug: e.Location, Name: NameOf(e.Location), CreatedAt: now})
		}
		if e.Community != "" && wanted(communityKey(e.Location, e.Community)) {
			names.communities = append(names.communities, Community{Location: e.Location, Slug: e.Community, CreatedAt: now})
		}
		for _, tag := range e.Tags {
			if wanted(tagKey(e.Location, tag)) {
				names.tags = append(names.tags, Tag{Location: e.Location, Name: tag})
			}
		}
	}
	slices.SortFunc(names.locations, func(a, b Location) int { return strings.Compare(a.Slug, b.Slug) })
	slices.SortFunc(names.communities, func(a, b Community) int {
		return cmp.Or(strings.Compare(a.Location, b.Location), strings.Compare(a.Slug, b.Slug))
	})
	slices.SortFunc(names.tags, func(a, b Tag) int {
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

var likeEscape = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

func likePrefix(s string) string   { return likeEscape.Replace(s) + "%" }
func likeContains(s string) string { return "%" + likeEscape.Replace(s) + "%" }
