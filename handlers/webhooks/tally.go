package webhooks

import (
	"cmp"
	"slices"

	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// previewActivity is one line of the preview's table.
type previewActivity struct {
	Label          string
	Chosen         bool
	Matched, Total int64
	Others         string
}

// previewTag counts the matches that have a tag.
type previewTag struct {
	Name    string
	Matched int64
}

// previewTags is how many tags a preview counts.
const previewTags = 10

// tally counts a location's events by the result of a filter.
type tally struct {
	filter          models.Filter
	events, matches int64
	total, matched  map[models.EventKind]int64
	reasons         map[models.EventKind]map[string]int64 // by code
	tags            map[string]int64                      // matches, by tag
	newest          []int64                               // ids of matches, newest first, one for each merge key
	merged          map[string]bool
}

func newTally(f models.Filter) *tally {
	return &tally{
		filter: f, total: map[models.EventKind]int64{}, matched: map[models.EventKind]int64{},
		reasons: map[models.EventKind]map[string]int64{}, tags: map[string]int64{}, merged: map[string]bool{},
	}
}

// add counts an event; events come newest first.
func (t *tally) add(e models.Event) bool {
	kind := e.Kind()
	t.events++
	t.total[kind]++
	reason := models.Match(t.filter, e.MatchSubject())
	if !reason.OK() {
		if t.reasons[kind] == nil {
			t.reasons[kind] = map[string]int64{}
		}
		t.reasons[kind][reason.Code]++
		return true
	}
	t.matches++
	t.matched[kind]++
	for _, tag := range e.Tags {
		t.tags[tag]++
	}
	if len(t.newest) < previewNames && (e.MergeKey == "" || !t.merged[e.MergeKey]) {
		t.merged[e.MergeKey] = true
		t.newest = append(t.newest, e.ID)
	}
	return true
}

// activities are the lines for the options of the type, and for the chosen
// ones that its list does not have.
func (t *tally) activities(f *wire.Format, chosen []string) []previewActivity {
	options := slices.Clone(f.Options)
	for _, value := range chosen {
		if o, err := f.Option(value); err == nil && !slices.ContainsFunc(options, func(o wire.Option) bool { return o.Value == value }) {
			options = append(options, o)
		}
	}
	var list []previewActivity
	for _, o := range options {
		a := previewActivity{Label: o.Label, Chosen: slices.Contains(chosen, o.Value)}
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
			a.Others = notes(amount(tags, "other tags"), amount(community, "another community"))
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

// tagLines are the tags that were asked for, then the ones that matches have
// most, at most previewTags.
func (t *tally) tagLines() []previewTag {
	requested := []string{}
	if t.filter.TagMode == models.TagsSpecific {
		requested = t.filter.Tags
	}
	var list []previewTag
	for _, name := range requested {
		list = append(list, previewTag{name, t.tags[name]})
	}
	if len(requested) == 0 {
		for name, n := range t.tags {
			list = append(list, previewTag{name, n})
		}
	}
	slices.SortFunc(list, func(a, b previewTag) int {
		return cmp.Or(cmp.Compare(b.Matched, a.Matched), cmp.Compare(a.Name, b.Name))
	})
	return list[:min(len(list), previewTags)]
}

func amount(n int64, what string) string {
	if n == 0 {
		return ""
	}
	return wording.Count(n) + " with " + what
}
