package jobs

import (
	"cmp"
	"slices"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// index finds the webhooks that may match an event without looking at all of
// them. It holds every webhook that is not deleted, in any state.
type index struct {
	version int64
	places  map[place]*bucket
	byID    map[int64]*entry
}

// place is where an event of a kind can find its webhooks: those that want its
// community, and those that want any, which are at an empty one.
type place struct {
	location  string
	kind      models.EventKind
	community string
}

// bucket holds the webhooks of a place: those that want all tags, and under
// each tag those that want it.
type bucket struct {
	all   []*entry
	byTag map[string][]*entry
}

type entry struct {
	webhook models.Webhook
	filter  models.Filter
	format  *wire.Format
}

// reindex keeps the index as the run sees the webhooks.
func (d *dispatcher) reindex(run *models.Dispatch) error {
	if d.index != nil && d.index.version == run.Version {
		return nil
	}
	webhooks, version, err := run.Webhooks()
	if err == nil {
		d.index = newIndex(webhooks, version)
	}
	return err
}

func newIndex(webhooks []models.Webhook, version int64) *index {
	x := &index{version: version, places: map[place]*bucket{}, byID: map[int64]*entry{}}
	for _, w := range webhooks {
		format, ok := wire.Lookup(w.Type)
		if !ok {
			continue // made by a newer release; it will match there
		}
		e := &entry{webhook: w, filter: w.Filter(format.EventKinds(w.Events)), format: format}
		x.byID[w.ID] = e
		for _, kind := range e.filter.Kinds {
			x.bucket(place{w.Location, kind, w.Community}).add(e)
		}
	}
	return x
}

func (x *index) bucket(p place) *bucket {
	b := x.places[p]
	if b == nil {
		b = &bucket{byTag: map[string][]*entry{}}
		x.places[p] = b
	}
	return b
}

func (b *bucket) add(e *entry) {
	if e.filter.TagMode != models.TagsSpecific {
		b.all = append(b.all, e)
		return
	}
	for _, tag := range e.filter.Tags {
		b.byTag[tag] = append(b.byTag[tag], e)
	}
}

// matches returns the webhooks that match, each once, in order of their ids.
func (x *index) matches(s models.MatchSubject) []*entry {
	var found []*entry
	collect := func(entries []*entry) {
		for _, e := range entries {
			if models.Match(e.filter, s).OK() {
				found = append(found, e)
			}
		}
	}
	for _, community := range slices.Compact([]string{"", s.Community}) {
		b := x.places[place{s.Location, s.Kind, community}]
		if b == nil {
			continue
		}
		collect(b.all)
		for _, tag := range s.Tags {
			collect(b.byTag[tag])
		}
	}
	slices.SortFunc(found, func(a, b *entry) int { return cmp.Compare(a.webhook.ID, b.webhook.ID) })
	return slices.Compact(found)
}
