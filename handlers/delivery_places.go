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
