// Package tally counts which of a location's events a filter would have let
// through, for the preview of a webhook. It asks nothing of a database.
package tally

import (
	"cmp"
	"slices"

	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// Activity is one line of the preview's table.
type Activity struct {
	Label          string
	Chosen         bool
	Matched, Total int64
	Others         string
}

// Tag counts the matches that have a tag.
type Tag struct {
	Name    string
	Matched int64
}

const (
	tagsMax   = 10 // tags that are counted
	newestMax = 5  // matches that are named
)

// Tally counts a location's events by the result of a filter.
type Tally struct {
	filter          models.Filter
	Events, Matches int64
	total, matched  map[models.EventKind]int64
	reasons         map[models.EventKind]map[string]int64 // by code
	tags            map[string]int64                      // matches, by tag
	Newest          []int64                               // ids of matches, newest first, one for each merge key
	merged          map[string]bool
}

// New counts by a filter.
func New(f models.Filter) *Tally {
	return &Tally{
		filter: f, total: map[models.EventKind]int64{}, matched: map[models.EventKind]int64{},
		reasons: map[models.EventKind]map[string]int64{}, tags: map[string]int64{}, merged: map[string]bool{},
	}
}

// Add counts an event; events come newest first.
func (t *Tally) Add(e models.Event) bool {
	kind := e.Kind()
	t.Events++
	t.total[kind]++
	reason := models.Match(t.filter, e.MatchSubject())
	if !reason.OK() {
		if t.reasons[kind] == nil {
			t.reasons[kind] = map[string]int64{}
		}
		t.reasons[kind][reason.Code]++
		return true
	}
	t.Matches++
	t.matched[kind]++
	for _, tag := range e.Tags {
		t.tags[tag]++
	}
	if len(t.Newest) < newestMax && (e.MergeKey == "" || !t.merged[e.MergeKey]) {
		t.merged[e.MergeKey] = true
		t.Newest = append(t.Newest, e.ID)
	}
	return true
}

// Activities are the lines for the options of the type, and for the chosen
// ones that its list does not have.
func (t *Tally) Activities(f *wire.Format, chosen []string) []Activity {
	options := slices.Clone(f.Options)
	for _, value := range chosen {
		if o, err := f.Option(value); err == nil && !slices.ContainsFunc(options, func(o wire.Option) bool { return o.Value == value }) {
			options = append(options, o)
		}
	}
	var list []Activity
	for _, o := range options {
		a := Activity{Label: o.Label, Chosen: slices.Contains(chosen, o.Value)}
		var tags, community int64
		for _, kind := range o.Events {
			a.Total += t.total[kind]
			if a.Chosen {
				a.Matched += t.matched[kind]
				tags += t.reasons[kind][models.ReasonTags]
				community += t.reasons[kind][models.ReasonCommunity]
			}
		}
		switch {
		case !a.Chosen:
			a.Others = "not chosen"
		default:
			a.Others = wording.Notes(amount(tags, "other tags"), amount(community, "another community"))
		}
		if len(f.Options) <= previewAll || a.Chosen || a.Total > 0 {
			list = append(list, a)
		}
	}
	return list
}

// previewAll is up to how many options a preview lists also those of which
// nothing happened and that were not chosen.
const previewAll = 10

// TagLines are the tags that were asked for, then the ones that matches have
// most, at most tagsMax.
func (t *Tally) TagLines() []Tag {
	requested := []string{}
	if t.filter.TagMode == models.TagsSpecific {
		requested = t.filter.Tags
	}
	var list []Tag
	for _, name := range requested {
		list = append(list, Tag{name, t.tags[name]})
	}
	if len(requested) == 0 {
		for name, n := range t.tags {
			list = append(list, Tag{name, n})
		}
	}
	slices.SortFunc(list, func(a, b Tag) int {
		return cmp.Or(cmp.Compare(b.Matched, a.Matched), cmp.Compare(a.Name, b.Name))
	})
	return list[:min(len(list), tagsMax)]
}

func amount(n int64, what string) string {
	if n == 0 {
		return ""
	}
	return wording.Count(n) + " with " + what
}
