package web

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

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
	is := func(c models.Community) bool { return c.Location == location && c.Slug == chosen }
	if chosen != "" && !slices.ContainsFunc(communities, is) {
		one, err := d.store.Community(ctx, location, Storable(chosen)) // it is hidden
		if errors.Is(err, models.ErrNotFound) {
			one, err = models.Community{Location: location, Slug: chosen, Name: chosen}, nil // not registered
		}
		if err != nil {
			return nil, err
		}
		communities = append(slices.Clone(communities), one)
	}
	slugs := make([]string, len(communities))
	for i, c := range communities {
		slugs[i] = c.Location
	}
	names, err := d.names(ctx, slugs...)
	if err != nil {
		return nil, err
	}
	locations, _, err := d.fewLocations(ctx)
	if err != nil {
		return nil, err
	}
	place := func(c models.Community) int { // in the order of the locations; those that are not listed first
		return slices.IndexFunc(locations, func(l models.Location) bool { return l.Slug == c.Location })
	}
	slices.SortStableFunc(communities, func(a, b models.Community) int {
		return cmp.Or(place(a)-place(b), strings.Compare(a.Location, b.Location))
	})
	var groups []ChoiceGroup
	for i, c := range communities {
		if i == 0 || communities[i-1].Location != c.Location {
			groups = append(groups, ChoiceGroup{Label: names.Of(c.Location)})
		}
		last := &groups[len(groups)-1]
		last.Choices = append(last.Choices, Choice{c.Slug, c.Title(), is(c)})
	}
	return groups, nil
}

func (d *Directory) communitySuggestions(ctx context.Context, location, typed string) ([]Choice, error) {
	found, _, err := d.store.CommunityPage(ctx, location, models.NameQuery{Search: Storable(typed), Limit: Suggested, Shown: true})
	list := make([]Choice, len(found))
	for i, c := range found {
		list[i] = Choice{Value: c.Slug, Label: c.Title()}
	}
	return list, err
}
