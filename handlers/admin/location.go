package admin

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// locationPage is a location with its communities, or one of these alone, and
// the form for its name.
type locationPage struct {
	web.Page
	Location              models.Location
	Community             *models.Community // nil: the page is the location's
	Search                string            // among the communities and tags
	Communities           []models.Community
	Tags                  []string
	OfCommunities, OfTags web.Numbered
	Path                  string
	Slug                  string // of the location or community
	Was                   models.Label
	Naming                nameForm
	Errors                []web.ErrorLine
}

// CommunityPath leads to one of the communities.
func (p *locationPage) CommunityPath(slug string) string { return communityPath(p.Location.Slug, slug) }

// RemovePath leads to the question before the location or community is
// removed; empty: the main site.
func (p *locationPage) RemovePath() string {
	if p.Community != nil {
		return removePath(models.Place{Location: p.Location.Slug, Community: p.Slug})
	}
	if p.Slug == models.MainLocation {
		return ""
	}
	return removePath(models.Place{Location: p.Slug})
}

// RemoveTagPath leads to the question before a tag is removed.
func (p *locationPage) RemoveTagPath(name string) string {
	return removePath(models.Place{Location: p.Location.Slug, Tag: name})
}

// LocationPath is the address of a location's page.
func LocationPath(slug string) string { return locationsPath + "/" + slug }

func communityPath(location, slug string) string {
	return LocationPath(location) + "?community=" + url.QueryEscape(slug)
}

// locationFromRequest finds the location of the address, or with ?community one
// of its communities.
func (s *Pages) locationFromRequest(c *gin.Context) (*locationPage, error) {
	ctx := c.Request.Context()
	l, err := s.Store.Locations.Get(ctx, s.Within(c), c.Param("id"))
	if err != nil {
		return nil, err
	}
	p := &locationPage{Location: l, Path: LocationPath(l.Slug), Slug: l.Slug, Was: models.Label{Name: l.Name, Description: l.Description}}
	if slug, one := c.GetQuery("community"); one {
		found, err := s.Store.Locations.Community(ctx, l.Slug, slug)
		if err != nil {
			return nil, err
		}
		p.Community, p.Path, p.Slug = &found, communityPath(l.Slug, slug), slug
		p.Was = models.Label{Name: found.Title(), Description: found.Description}
	}
	p.Page = web.Page{Title: p.Was.Name, Nav: "locations"}
	return p, nil
}

const (
	communitiesShown = 50
	tagsShown        = 200
)

// showLocation shows the page, a location's with its communities and tags.
func (s *Pages) showLocation(c *gin.Context, status int, p *locationPage) error {
	if p.Community != nil {
		return s.Render(c, status, "admin_location", p)
	}
	ctx, values := c.Request.Context(), c.Request.URL.Query()
	filter := web.NewNumberedFilter(values)
	p.Search = filter.Search
	communities, matched, err := s.Store.Locations.CommunityPage(ctx, p.Slug, web.NameQuery(p.Search, filter.Communities, communitiesShown))
	if err != nil {
		return err
	}
	p.Communities, p.OfCommunities = communities, web.NewNumbered(p.Path, values, "communities", filter.Communities, communitiesShown, matched)
	tags, matched, err := s.Store.Locations.TagPage(ctx, p.Slug, web.NameQuery(p.Search, filter.Tags, tagsShown))
	if err != nil {
		return err
	}
	p.Tags, p.OfTags = tags, web.NewNumbered(p.Path, values, "tags", filter.Tags, tagsShown, matched)
	return s.Render(c, status, "admin_location", p)
}

// Location shows the name and description of a location or community.
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

// LocationDescribe gives it another name and description.
func (s *Pages) LocationDescribe(c *gin.Context) error {
	p, err := s.locationFromRequest(c)
	if err != nil {
		return err
	}
	if p.Naming.Faults, err = web.Bind(c, &p.Naming); err != nil {
		return err
	}
	if len(p.Naming.Faults) > 0 {
		p.Errors = web.ErrorLines(p.Naming.Faults, "name", "Name", "description", "Description")
		return s.showLocation(c, http.StatusUnprocessableEntity, p)
	}
	ctx, by, to, naming := c.Request.Context(), web.ActorOf(c), locationsPath, p.Naming.naming()
	if p.Community == nil {
		err = s.Store.Locations.Describe(ctx, by, p.Slug, naming)
	} else {
		err, to = s.Store.Locations.DescribeCommunity(ctx, by, p.Location.Slug, p.Slug, naming), LocationPath(p.Location.Slug)
	}
	if err != nil {
		return err
	}
	said := "Saved " + naming.Name + "."
	if naming.Name != p.Was.Name {
		said = p.Was.Name + " is now called " + naming.Name + "."
	}
	return s.Redirect(c, to, web.Flash{Kind: "success", Text: said})
}
