package web

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/models"
)

const (
	// PickMax is how many choices a select lists.
	PickMax = 100
	// Suggested is how many of more choices are suggested at once.
	Suggested = 20
)

// Picker is a field that chooses one of many: a select, or where there are
// more than PickMax a text field with suggestions.
type Picker struct {
	Field
	Any    string // label for no choice; empty: one is required
	Small  bool
	Groups []ChoiceGroup // of a select
	Text   bool
	Value  string   // of the text field
	List   []Choice // its suggestions
	Source string   // path at which a script asks for others
	With   string   // name of a field that it has to send there as well
}

// Choices are all that are offered, without their groups.
func (p *Picker) Choices() []Choice {
	list := slices.Clip(p.List)
	for _, group := range p.Groups {
		list = append(list, group.Choices...)
	}
	return list
}

// Chosen is the label of the choice, or the input.
func (p *Picker) Chosen() string {
	for _, one := range p.Choices() {
		if one.Chosen {
			return one.Label
		}
	}
	return p.Value
}

// LocationPicker offers the locations that are not hidden, and the chosen one;
// chosen is a slug, or the input.
func (d *Directory) LocationPicker(ctx context.Context, id, chosen string) (Picker, error) {
	p := Picker{Field: Field{ID: id}, Value: chosen}
	locations, few, err := d.fewLocations(ctx)
	if err != nil {
		return p, err
	}
	if few {
		p.Groups, err = d.locationGroups(ctx, locations, chosen)
		return p, err
	}
	p.Text, p.Source = true, SuggestionsPath("locations")
	if chosen == "" {
		return p, nil
	}
	locations, err = d.store.Suggest(ctx, d.within, Storable(chosen), Suggested)
	p.List = locationChoices(locations, chosen)
	return p, err
}

// locationGroups are grouped by kind, the main site first.
func (d *Directory) locationGroups(ctx context.Context, locations []models.Location, chosen string) ([]ChoiceGroup, error) {
	if chosen != "" && !slices.ContainsFunc(locations, func(l models.Location) bool { return l.Slug == chosen }) {
		one, err := d.Location(ctx, Storable(chosen)) // it is hidden
		if errors.Is(err, models.ErrNotFound) {
			one, err = models.Location{Slug: chosen, Name: chosen}, nil // not registered
		}
		if err != nil {
			return nil, err
		}
		locations = append(slices.Clone(locations), one)
	}
	first := func(l models.Location) bool { return l.Kind() == models.KindMainSite }
	teams := slices.DeleteFunc(slices.Clone(locations), first)
	site := slices.DeleteFunc(slices.Clone(locations), func(l models.Location) bool { return !first(l) })
	groups := []ChoiceGroup{{"Main site", locationChoices(site, chosen)}, {"Private Teams", locationChoices(teams, chosen)}}
	return slices.DeleteFunc(groups, func(g ChoiceGroup) bool { return len(g.Choices) == 0 }), nil
}

// Storable is the input without characters that a database cannot store.
func Storable(typed string) string {
	return strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(typed, "?"), "\x00", "?"))
}

func locationChoices(locations []models.Location, chosen string) []Choice {
	list := make([]Choice, len(locations))
	for i, l := range locations {
		list[i] = Choice{l.Slug, l.Name, l.Slug == chosen}
	}
	return list
}
