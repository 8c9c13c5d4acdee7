package web

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// Directory finds the locations and communities that one request may see. If at
// most PickMax of them are not hidden, these are read once, and look-ups begin with
// that list. Hidden ones are found by their slug alone.
type Directory struct {
	store       *models.Locations
	within      models.LocationSet
	locations   list[models.Location]
	communities list[models.Community]
	hidden      map[string]models.Location // those looked up by their slug; without a slug: there is none
}

// Directory is a new one, for a request.
func (s *Site) Directory(c *gin.Context) *Directory {
	return NewDirectory(s.Store.Locations, s.Within(c))
}

// NewDirectory is a directory of the locations of a set.
func NewDirectory(store *models.Locations, within models.LocationSet) *Directory {
	return &Directory{store: store, within: within, hidden: map[string]models.Location{}}
}

// FilterLocation is that of a directory, for requests that ask for one location.
func (s *Site) FilterLocation(c *gin.Context, typed string) (slug, fault string, err error) {
	return s.Directory(c).FilterLocation(c.Request.Context(), typed)
}

// LocationPicker is that of a directory, for requests that have one.
func (s *Site) LocationPicker(c *gin.Context, id, chosen string) (Picker, error) {
	return s.Directory(c).LocationPicker(c.Request.Context(), id, chosen)
}

// list is all that there is, if that is few.
type list[T any] struct {
	read, few bool
	rows      []T
}

// get reads the list when it was not read yet.
func (l *list[T]) get(
	ctx context.Context, within models.LocationSet, read func(ctx context.Context, within models.LocationSet, most int) ([]T, bool, error),
) (rows []T, few bool, err error) {
	if !l.read {
		l.rows, l.few, err = read(ctx, within, PickMax)
		l.read = err == nil
	}
	return l.rows, l.few, err
}

// fewLocations are all locations that are not hidden, the main site first; false:
// they are too many.
func (d *Directory) fewLocations(ctx context.Context) ([]models.Location, bool, error) {
	return d.locations.get(ctx, d.within, d.store.Few)
}

// fewCommunities are those of all locations that are not hidden; false: they are too
// many.
func (d *Directory) fewCommunities(ctx context.Context) ([]models.Community, bool, error) {
	return d.communities.get(ctx, d.within, d.store.FewCommunities)
}

// Location returns the location of a slug. Error: models.ErrNotFound.
func (d *Directory) Location(ctx context.Context, slug string) (models.Location, error) {
	all, _, err := d.fewLocations(ctx)
	if err != nil {
		return models.Location{}, err
	}
	for _, l := range all {
		if l.Slug == slug {
			return l, nil
		}
	}
	l, known := d.hidden[slug]
	if !known {
		if l, err = d.store.Get(ctx, d.within, slug); err != nil && !errors.Is(err, models.ErrNotFound) {
			return l, err
		}
		d.hidden[slug] = l
	}
	if l.Slug == "" {
		return l, models.ErrNotFound
	}
	return l, nil
}

// findLocation returns the slug of the location that was typed by its slug, or
// by a name that only one has. Error: models.ErrNotFound.
func (d *Directory) findLocation(ctx context.Context, typed string) (string, error) {
	typed = Storable(typed)
	if l, err := d.Location(ctx, typed); !errors.Is(err, models.ErrNotFound) {
		return l.Slug, err
	}
	found, few, err := d.fewLocations(ctx)
	if err == nil && !few {
		found, err = d.store.Suggest(ctx, d.within, typed, 2) // those called exactly so come first
	}
	if err != nil {
		return "", err
	}
	var slugs []string
	for _, l := range found {
		if strings.EqualFold(l.Name, typed) {
			slugs = append(slugs, l.Slug)
		}
	}
	if len(slugs) != 1 {
		return "", models.ErrNotFound
	}
	return slugs[0], nil
}

// FilterLocation returns the slug of the location that a filter names. If there
// is none, it returns the input, and a sentence about it.
func (d *Directory) FilterLocation(ctx context.Context, typed string) (slug, fault string, err error) {
	if typed == "" {
		return "", "", nil
	}
	slug, err = d.findLocation(ctx, typed)
	if !errors.Is(err, models.ErrNotFound) {
		return slug, "", err
	}
	fault, err = d.unknownLocation(ctx, typed)
	return typed, fault, err
}

// unknownLocation says that nothing was found, and lists similar locations.
func (d *Directory) unknownLocation(ctx context.Context, typed string) (string, error) {
	typed = Storable(typed)
	found, err := d.similar(ctx, typed, 3)
	said := "There is no location with the slug or name “" + wording.Cut(typed, 64) + "”."
	if len(found) > 0 {
		slugs := make([]string, len(found))
		for i, l := range found {
			slugs[i] = l.Slug
		}
		said += " Similar: " + wording.List(slugs) + "."
	}
	return said, err
}

// similar are at most so many locations whose name or slug contains the input.
func (d *Directory) similar(ctx context.Context, typed string, most int) ([]models.Location, error) {
	all, few, err := d.fewLocations(ctx)
	if err == nil && !few {
		return d.store.Suggest(ctx, d.within, typed, most)
	}
	var found []models.Location
	typed = strings.ToLower(typed)
	for _, l := range all {
		if strings.Contains(strings.ToLower(l.Name+"\n"+l.Slug), typed) && len(found) < most {
			found = append(found, l)
		}
	}
	return found, err
}

// FindCommunity returns the slug of a location's community that was typed by
// its slug or name. Error: models.ErrNotFound.
func (d *Directory) FindCommunity(ctx context.Context, location, typed string) (string, error) {
	typed = Storable(typed)
	found, few, err := d.fewCommunities(ctx)
	if err == nil && !few {
		var one models.Community
		if one, err = d.store.Community(ctx, location, typed); !errors.Is(err, models.ErrNotFound) {
			return one.Slug, err
		}
		found, _, err = d.store.CommunityPage(ctx, location, models.NameQuery{Search: typed, Limit: PickMax})
	}
	if err != nil {
		return "", err
	}
	for _, is := range []func(c models.Community) bool{
		func(c models.Community) bool { return c.Slug == typed },
		func(c models.Community) bool { return strings.EqualFold(c.Title(), typed) },
	} {
		for _, c := range found {
			if c.Location == location && is(c) {
				return c.Slug, nil
			}
		}
	}
	hidden, err := d.store.Community(ctx, location, typed)
	return hidden.Slug, err
}

// names are the names of some locations.
func (d *Directory) names(ctx context.Context, slugs ...string) (LocationNames, error) {
	found, _, err := d.fewLocations(ctx)
	if err != nil {
		return nil, err
	}
	names := namesOf(found)
	missing := slices.DeleteFunc(distinct(slugs), func(slug string) bool { return names[slug] != "" || !d.within.Has(slug) })
	found, err = d.store.Named(ctx, missing...)
	maps.Copy(names, namesOf(found))
	return names, err
}
