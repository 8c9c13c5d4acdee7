package web

import (
	"context"
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
	Any     string // label for no choice; empty: one is required
	Small   bool
	Options []Choice      // of a select
	Groups  []ChoiceGroup // of a select, instead of Options
	Text    bool
	Value   string   // of the text field
	List    []Choice // its suggestions
	Source  string   // path at which a script asks for others
	With    string   // name of a field that it has to send there as well
}

// Chosen is the label of the choice, or the input.
func (p *Picker) Chosen() string {
	for _, one := range p.Options {
		if one.Chosen {
			return one.Label
		}
	}
	for _, one := range p.List {
		if one.Chosen {
			return one.Label
		}
	}
	return p.Value
}

// LocationPicker offers the locations; chosen is a slug, or the input.
func (d *Directory) LocationPicker(ctx context.Context, id, chosen string) (Picker, error) {
	p := Picker{Field: Field{ID: id}, Value: chosen}
	locations, few, err := d.fewLocations(ctx)
	if err != nil {
		return p, err
	}
	if few {
		p.Options = locationChoices(locations, chosen)
		if chosen != "" && !slices.ContainsFunc(p.Options, func(one Choice) bool { return one.Chosen }) {
			p.Options = append(p.Options, Choice{chosen, chosen, true}) // not registered
		}
		return p, nil
	}
	p.Text, p.Source = true, SuggestionsPath("locations")
	if chosen == "" {
		return p, nil
	}
	locations, err = d.store.Suggest(ctx, d.within, Storable(chosen), Suggested)
	p.List = locationChoices(locations, chosen)
	return p, err
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
