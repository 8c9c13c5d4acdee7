package handlers

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

type placeStore interface {
	Overview(ctx context.Context) ([]models.LocationRow, error)
	Get(ctx context.Context, slug string) (models.Location, error)
	Create(ctx context.Context, by models.Actor, slug string, called models.Called) error
	Describe(ctx context.Context, by models.Actor, slug string, called models.Called) error
	Community(ctx context.Context, location, slug string) (models.Community, error)
	DescribeCommunity(ctx context.Context, by models.Actor, location, slug string, called models.Called) error
}

const locationsPath = "/admin/locations"

type locationsPage struct {
	page
	Rows   []models.LocationRow
	Slug   string // of the form
	Called calledForm
	Errors []errorLine
}

// locations lists the main site and the Private Teams.
func (s *Site) locations(c *gin.Context) error {
	p := &locationsPage{}
	typed, err := s.typedBefore(c)
	if err != nil {
		return err
	}
	if typed != nil {
		p.Slug, p.Called.Called = strings.TrimSpace(typed.Get("slug")), readCalled(typed).Called
	}
	return s.showLocations(c, http.StatusOK, p)
}

func (s *Site) showLocations(c *gin.Context, status int, p *locationsPage) error {
	p.page = page{Title: "Locations", Nav: "locations"}
	p.Errors = errorLines(p.Called.Faults, "name", "Name", "description", "Description", "slug", "Slug")
	var err error
	if p.Rows, err = s.store.places.Overview(c.Request.Context()); err != nil {
		return err
	}
	return s.render(c, status, "admin_locations", p)
}

// locationNew adds a location before its first event.
func (s *Site) locationNew(c *gin.Context) error {
	if err := parseForm(c); err != nil {
		return err
	}
	p := &locationsPage{Slug: strings.TrimSpace(c.Request.PostForm.Get("slug")), Called: readCalled(c.Request.PostForm)}
	wrong := p.Called.Faults
	if !locationSlug.MatchString(p.Slug) {
		wrong.add("slug", "Use 1 to 64 lower-case letters, digits and hyphens, such as python-wranglers.")
	}
	if len(wrong) == 0 {
		err := s.store.places.Create(c.Request.Context(), actorOf(c), p.Slug, p.Called.Called)
		if errors.Is(err, models.ErrExists) {
			wrong.add("slug", "There is a location with this slug.")
		} else if err != nil {
			return err
		}
	}
	if len(wrong) > 0 {
		return s.showLocations(c, http.StatusUnprocessableEntity, p)
	}
	return s.redirect(c, locationsPath, Flash{Kind: "success", Text: "Added " + p.Called.Name + "."})
}
