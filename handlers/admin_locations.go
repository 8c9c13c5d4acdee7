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
	Create(ctx context.Context, by models.Actor, slug, name string) error
	Rename(ctx context.Context, by models.Actor, slug, name string) error
}

const locationsPath = "/admin/locations"

type locationsPage struct {
	page
	Rows       []models.LocationRow
	Slug, Name string // of the form
	Faults     faults
	Errors     []errorLine
}

type locationPage struct {
	page
	Location models.Location
	Name     string
	Faults   faults
}

// locations lists the main site and the Private Teams.
func (s *Site) locations(c *gin.Context) error {
	return s.showLocations(c, http.StatusOK, &locationsPage{})
}

func (s *Site) showLocations(c *gin.Context, status int, p *locationsPage) error {
	p.page = page{Title: "Locations", Nav: "locations"}
	p.Errors = errorLines(p.Faults, "name", "Name", "slug", "Slug")
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
	form := c.Request.PostForm
	p := &locationsPage{Slug: strings.TrimSpace(form.Get("slug")), Name: strings.TrimSpace(form.Get("name")), Faults: faults{}}
	if wrong := checkName(p.Name); wrong != "" {
		p.Faults.add("name", wrong)
	}
	if !locationSlug.MatchString(p.Slug) {
		p.Faults.add("slug", "Use 1 to 64 lower-case letters, digits and hyphens, such as python-wranglers.")
	}
	if len(p.Faults) == 0 {
		err := s.store.places.Create(c.Request.Context(), actorOf(c), p.Slug, p.Name)
		if errors.Is(err, models.ErrExists) {
			p.Faults.add("slug", "There is a location with this slug.")
		} else if err != nil {
			return err
		}
	}
	if len(p.Faults) > 0 {
		return s.showLocations(c, http.StatusUnprocessableEntity, p)
	}
	return s.redirect(c, locationsPath, Flash{"success", "Added " + p.Name + "."})
}

// location is the form that renames one.
func (s *Site) location(c *gin.Context) error {
	l, err := s.store.places.Get(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	return s.showLocation(c, http.StatusOK, &locationPage{Location: l, Name: l.Name})
}

func (s *Site) showLocation(c *gin.Context, status int, p *locationPage) error {
	p.page = page{Title: "Rename " + p.Location.Name, Nav: "locations"}
	return s.render(c, status, "admin_location", p)
}

func (s *Site) locationRename(c *gin.Context) error {
	if err := parseForm(c); err != nil {
		return err
	}
	ctx := c.Request.Context()
	l, err := s.store.places.Get(ctx, c.Param("id"))
	if err != nil {
		return err
	}
	p := &locationPage{Location: l, Name: strings.TrimSpace(c.Request.PostForm.Get("name")), Faults: faults{}}
	if wrong := checkName(p.Name); wrong != "" {
		p.Faults.add("name", wrong)
		return s.showLocation(c, http.StatusUnprocessableEntity, p)
	}
	if err = s.store.places.Rename(ctx, actorOf(c), l.Slug, p.Name); err != nil {
		return err
	}
	return s.redirect(c, locationsPath, Flash{"success", l.Name + " is now called " + p.Name + "."})
}
