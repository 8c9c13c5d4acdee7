package admin

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

const (
	locationsPath  = "/admin/locations"
	locationsShown = 50
)

// emptyPath is beside the locations, since one may have any slug.
const emptyPath = "/admin/empty-locations"

type locationsPage struct {
	web.Page
	Search string
	Rows   []models.LocationRow
	Pages  web.Numbered
	All    int64
	Naming locationForm
	Errors []web.ErrorLine
}

// locationForm is a new location.
type locationForm struct {
	nameForm
	Slug web.Line `form:"slug" binding:"slug"`
}

// EmptyPath leads to the question before those of the list that are empty are
// removed.
func (p *locationsPage) EmptyPath() string {
	return web.OlderURL(emptyPath, url.Values{"q": {p.Search}}, 0)
}

// Locations lists the main site and the Private Teams.
func (s *Pages) Locations(c *gin.Context) error {
	p := &locationsPage{}
	p.Naming.Kind = models.KindPrivateTeam
	if _, err := s.Refill(c, &p.Naming); err != nil {
		return err
	}
	return s.showLocations(c, http.StatusOK, p)
}

func (s *Pages) showLocations(c *gin.Context, status int, p *locationsPage) error {
	p.Page = web.Page{Title: "Locations", Nav: "locations"}
	p.Errors = web.ErrorLines(p.Naming.Faults, "name", "Name", "description", "Description", "kind", "Kind", "slug", "Slug")
	ctx, values := c.Request.Context(), c.Request.URL.Query()
	filter := web.NewNumberedFilter(values)
	p.Search = filter.Search
	rows, matched, err := s.Store.Locations.Page(ctx, s.Within(c), web.NameQuery(p.Search, filter.Page, locationsShown))
	if err != nil {
		return err
	}
	if p.All = matched; p.Search != "" {
		if p.All, err = s.Store.Locations.Count(ctx, s.Within(c)); err != nil {
			return err
		}
	}
	p.Rows, p.Pages = rows, web.NewNumbered(locationsPath, values, "page", filter.Page, locationsShown, matched)
	return s.Render(c, status, "admin_locations", p)
}

// LocationNew adds a location before its first event.
func (s *Pages) LocationNew(c *gin.Context) error {
	p := &locationsPage{}
	form := &p.Naming
	var err error
	if form.Faults, err = web.Bind(c, form); err != nil {
		return err
	}
	if field, fault := rules.MainSiteStays(string(form.Slug), form.Kind, false); fault != "" {
		form.Faults.Add(field, fault)
	}
	if len(form.Faults) == 0 {
		err = s.Store.Locations.Create(c.Request.Context(), web.ActorOf(c), string(form.Slug), form.naming())
		if errors.Is(err, models.ErrExists) {
			form.Faults.Add("slug", "There is a location with this slug.")
		} else if err != nil {
			return err
		}
	}
	if len(form.Faults) > 0 {
		return s.showLocations(c, http.StatusUnprocessableEntity, p)
	}
	return s.Redirect(c, locationsPath, web.Flash{Kind: "success", Text: "Added " + form.naming().Name + "."})
}
