package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

const (
	locationsPath  = "/admin/locations"
	locationsShown = 50
)

// emptyPath is beside the locations, since one may have any slug.
const emptyPath = "/admin/empty-locations"

type locationsPage struct {
	page
	Search string
	Rows   []models.LocationRow
	Pages  numbered
	All    int64
	Slug   string // of the form
	Called calledForm
	Errors []errorLine
}

// EmptyPath leads to the question before those of the list that are empty are
// removed.
func (p *locationsPage) EmptyPath() string {
	return olderURL(emptyPath, url.Values{"q": {p.Search}}, 0)
}

// locations lists the main site and the Private Teams.
func (s *adminPages) locations(c *gin.Context) error {
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

func (s *adminPages) showLocations(c *gin.Context, status int, p *locationsPage) error {
	p.page = page{Title: "Locations", Nav: "locations"}
	p.Errors = errorLines(p.Called.Faults, "name", "Name", "description", "Description", "slug", "Slug")
	ctx, values := c.Request.Context(), c.Request.URL.Query()
	p.Search = searchOf(values)
	at := numberOf(values, "page")
	rows, matched, err := s.Store.Locations.Page(ctx, nameQuery(p.Search, at, locationsShown))
	if err != nil {
		return err
	}
	if p.All = matched; p.Search != "" {
		if p.All, err = s.Store.Locations.Count(ctx); err != nil {
			return err
		}
	}
	p.Rows, p.Pages = rows, newNumbered(locationsPath, values, "page", at, locationsShown, matched)
	return s.render(c, status, "admin_locations", p)
}

// locationNew adds a location before its first event.
func (s *adminPages) locationNew(c *gin.Context) error {
	if err := parseForm(c); err != nil {
		return err
	}
	p := &locationsPage{Slug: strings.TrimSpace(c.Request.PostForm.Get("slug")), Called: readCalled(c.Request.PostForm)}
	wrong := p.Called.Faults
	if !locationSlug.MatchString(p.Slug) {
		wrong.add("slug", "Use 1 to 64 lower-case letters, digits and hyphens, such as python-wranglers.")
	}
	if len(wrong) == 0 {
		err := s.Store.Locations.Create(c.Request.Context(), actorOf(c), p.Slug, p.Called.Called)
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
