package handlers

import (
	"context"
	"slices"

	"github.com/sitehooks/sitehooks/models"
)

// locationNames are the names of some locations by slug.
type locationNames map[string]string

// of is a location's name, also of one that is not registered.
func (n locationNames) of(slug string) string { return orNone(n[slug], models.NameOf(slug)) }

func (s *Site) locationNames(ctx context.Context, slugs ...string) (locationNames, error) {
	locations, err := s.Store.Locations.Named(ctx, distinct(slugs)...)
	names := make(locationNames, len(locations))
	for _, l := range locations {
		names[l.Slug] = l.Name
	}
	return names, err
}

// communityNames are the names of some communities by location and slug.
type communityNames map[[2]string]string

// of is a community's name, also of one that is not registered.
func (n communityNames) of(location, slug string) string {
	return orNone(n[[2]string{location, slug}], models.NameOf(slug))
}

func (s *Site) communityNames(ctx context.Context, locations, slugs []string) (communityNames, error) {
	communities, err := s.Store.Locations.NamedCommunities(ctx, distinct(locations), distinct(slugs))
	names := make(communityNames, len(communities))
	for _, c := range communities {
		names[[2]string{c.Location, c.Slug}] = c.Title()
	}
	return names, err
}

// distinct are the words of a list, each once, without empty ones.
func distinct(words []string) []string {
	words = slices.Sorted(slices.Values(words))
	return slices.DeleteFunc(slices.Compact(words), func(word string) bool { return word == "" })
}

func (n locationNames) place(slug string) string {
	if slug == "" {
		return "All locations"
	}
	return n.of(slug)
}
