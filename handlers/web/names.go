package web

import (
	"context"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// LocationNames are the names of some locations by slug.
type LocationNames map[string]string

// Of is a location's name, also of one that is not registered.
func (n LocationNames) Of(slug string) string { return OrNone(n[slug], models.NameOf(slug)) }

// LocationNames reads the names of locations for a request. Those that it may
// not see are called “another location”; slugs that are empty or not registered
// are left out.
func (s *Site) LocationNames(c *gin.Context, slugs ...string) (LocationNames, error) {
	return s.NamesWithin(c.Request.Context(), s.Within(c), slugs...)
}

// NamesWithin is LocationNames for a set of locations.
func (s *Site) NamesWithin(ctx context.Context, within models.LocationSet, slugs ...string) (LocationNames, error) {
	locations, err := s.Store.Locations.Named(ctx, distinct(slugs)...)
	names := namesOf(locations)
	for _, slug := range slugs {
		if slug != "" && !within.Has(slug) {
			names[slug] = "another location"
		}
	}
	return names, err
}

func namesOf(locations []models.Location) LocationNames {
	names := make(LocationNames, len(locations))
	for _, l := range locations {
		names[l.Slug] = l.Name
	}
	return names
}

// CommunityNames are the names of some communities by location and slug.
type CommunityNames map[[2]string]string

// Of is a community's name, also of one that is not registered.
func (n CommunityNames) Of(location, slug string) string {
	return OrNone(n[[2]string{location, slug}], models.NameOf(slug))
}

// CommunityNames reads the titles of the registered communities with one of the
// slugs at one of the locations.
func (s *Site) CommunityNames(ctx context.Context, locations, slugs []string) (CommunityNames, error) {
	communities, err := s.Store.Locations.NamedCommunities(ctx, distinct(locations), distinct(slugs))
	names := make(CommunityNames, len(communities))
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

// Place is a location's name; an empty slug stands for all locations.
func (n LocationNames) Place(slug string) string {
	if slug == "" {
		return "All locations"
	}
	return n.Of(slug)
}
