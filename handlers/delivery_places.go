package handlers

import (
	"context"

	"github.com/sitehooks/sitehooks/models"
)

// locationNames are the names of the locations by slug.
type locationNames map[string]string

// of is a location's name, also of one that is not registered.
func (n locationNames) of(slug string) string { return orNone(n[slug], models.NameOf(slug)) }

func (s *Site) locationNames(ctx context.Context) (locationNames, error) {
	locations, err := s.store.locations.List(ctx)
	names := make(locationNames, len(locations))
	for _, l := range locations {
		names[l.Slug] = l.Name
	}
	return names, err
}

// communityNames are the names of communities by location and slug.
type communityNames map[[2]string]string

// of is a community's name, also of one that is not registered.
func (n communityNames) of(location, slug string) string {
	return orNone(n[[2]string{location, slug}], models.NameOf(slug))
}

func (s *Site) communityNames(ctx context.Context, locations ...string) (communityNames, error) {
	communities, err := s.store.locations.Communities(ctx, locations...)
	names := make(communityNames, len(communities))
	for _, c := range communities {
		names[[2]string{c.Location, c.Slug}] = c.Title()
	}
	return names, err
}
