package web

import (
	"context"

	"github.com/sitehooks/sitehooks/models"
)

// CommunityPicker offers the communities of all locations in groups, or
// suggests those of the chosen one.
func (d *Directory) CommunityPicker(ctx context.Context, location, chosen string) (Picker, error) {
	p := Picker{Field: Field{ID: "community"}, Any: "No community selected", Value: chosen}
	communities, few, err := d.fewCommunities(ctx)
	if err != nil {
		return p, err
	}
	if few {
		p.Groups, err = d.communityGroups(ctx, communities, location, chosen)
		return p, err
	}
	p.Text, p.Source, p.With = true, SuggestionsPath("communities"), "location"
	p.List, err = d.communitySuggestions(ctx, location, chosen)
	return p, err
}

// communityGroups are grouped by location, since which fit is known only when
// the form comes back.
func (d *Directory) communityGroups(ctx context.Context, communities []models.Community, location, chosen string) ([]ChoiceGroup, error) {
	slugs, known := []string{location}, chosen == ""
	for _, c := range communities {
		slugs = append(slugs, c.Location)
		known = known || c.Location == location && c.Slug == chosen
	}
	names, err := d.names(ctx, slugs...)
	if err != nil {
		return nil, err
	}
	var groups []ChoiceGroup
	for i, c := range communities {
		if i == 0 || communities[i-1].Location != c.Location {
			groups = append(groups, ChoiceGroup{Label: names.Of(c.Location)})
		}
		last := &groups[len(groups)-1]
		last.Choices = append(last.Choices, Choice{c.Slug, c.Title(), c.Location == location && c.Slug == chosen})
	}
	if !known { // not registered
		groups = append(groups, ChoiceGroup{names.Of(location), []Choice{{chosen, chosen, true}}})
	}
	return groups, nil
}

func (d *Directory) communitySuggestions(ctx context.Context, location, typed string) ([]Choice, error) {
	found, _, err := d.store.CommunityPage(ctx, location, models.NameQuery{Search: Storable(typed), Limit: Suggested})
	list := make([]Choice, len(found))
	for i, c := range found {
		list[i] = Choice{Value: c.Slug, Label: c.Title()}
	}
	return list, err
}
