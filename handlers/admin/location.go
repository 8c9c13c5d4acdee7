package admin

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// locationPage is a location with its communities and tags, or one of these alone,
// and the form for its name.
type locationPage struct {
	web.Page
	place
	Search                string // among the communities and tags
	Communities           []models.Community
	Tags                  []models.Tag
	OfCommunities, OfTags web.Numbered
	Naming                nameForm
	Errors                []web.ErrorLine
}

const (
	communitiesShown = 50
	tagsShown        = 200
)

func (s *Pages) locationFromRequest(c *gin.Context) (*locationPage, error) {
	found, err := s.placeFromRequest(c)
	if err != nil {
		return nil, err
	}
	p := &locationPage{Page: web.Page{Title: found.Was.Name, Nav: "locations"}, place: found}
	p.Naming.Kind = found.Was.Kind
	return p, nil
}

// showLocation shows the page, a location's with its communities and tags.
func (s *Pages) showLocation(c *gin.Context, status int, p *locationPage) error {
	if !p.IsLocation() {
		return s.Render(c, status, "admin_location", p)
	}
	ctx, values := c.Request.Context(), c.Request.URL.Query()
	filter := web.NewNumberedFilter(values)
	p.Search = filter.Search
	communities, matched, err := s.Store.Locations.CommunityPage(ctx, p.Location, web.NameQuery(p.Search, filter.Communities, communitiesShown))
	if err != nil {
		return err
	}
	p.Communities, p.OfCommunities = communities, web.NewNumbered(p.Here(), values, "communities", filter.Communities, communitiesShown, matched)
	tags, matched, err := s.Store.Locations.TagPage(ctx, p.Location, web.NameQuery(p.Search, filter.Tags, tagsShown))
	if err != nil {
		return err
	}
	p.Tags, p.OfTags = tags, web.NewNumbered(p.Here(), values, "tags", filter.Tags, tagsShown, matched)
	return s.Render(c, status, "admin_location", p)
}

// Location shows a location, a community or a tag. The first two have a form for
// their name and description.
func (s *Pages) Location(c *gin.Context) error {
	p, err := s.locationFromRequest(c)
	if err != nil {
		return err
	}
	p.Naming.Name, p.Naming.Description = web.Line(p.Was.Name), web.Text(p.Was.Description)
	if _, err := s.Refill(c, &p.Naming); err != nil {
		return err
	}
	return s.showLocation(c, http.StatusOK, p)
}

// LocationDescribe gives a location or a community another name and description,
// and a location another kind.
func (s *Pages) LocationDescribe(c *gin.Context) error {
	p, err := s.locationFromRequest(c)
	if err != nil {
		return err
	}
	if p.Tag != "" {
		return models.ErrNotFound
	}
	if p.Naming.Faults, err = web.Bind(c, &p.Naming); err != nil {
		return err
	}
	if field, fault := rules.MainSiteStays(p.Location, p.Naming.Kind, false); fault != "" && p.IsLocation() {
		p.Naming.Faults.Add(field, fault)
	}
	if len(p.Naming.Faults) > 0 {
		p.Errors = web.ErrorLines(p.Naming.Faults, "name", "Name", "description", "Description", "kind", "Kind")
		return s.showLocation(c, http.StatusUnprocessableEntity, p)
	}
	ctx, by, naming := c.Request.Context(), web.ActorOf(c), p.Naming.naming()
	if p.IsLocation() {
		err = s.Store.Locations.Describe(ctx, by, p.Location, naming)
	} else {
		err = s.Store.Locations.DescribeCommunity(ctx, by, p.Location, p.Community, naming)
	}
	if err != nil {
		return err
	}
	said := "Saved " + naming.Name + "."
	if naming.Name != p.Was.Name {
		said = p.Was.Name + " is now called " + naming.Name + "."
	}
	return s.Redirect(c, p.Back(), web.Flash{Kind: "success", Text: said})
}
