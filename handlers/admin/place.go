package admin

import (
	"context"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// place is a location, or one of its communities or tags, with what pages show of
// it.
type place struct {
	models.Place
	Home   models.Location
	Was    models.Label // as it is saved
	Hidden bool
}

// LocationPath is the address of a location's page.
func LocationPath(slug string) string { return locationsPath + "/" + slug }

// placePath is the address of a place's page, or with "/remove" or "/hide" that of
// what is done to it.
func placePath(p models.Place, action string) string {
	path := LocationPath(p.Location) + action
	switch {
	case p.Community != "":
		path += "?community=" + url.QueryEscape(p.Community)
	case p.Tag != "":
		path += "?tag=" + url.QueryEscape(p.Tag)
	}
	return path
}

// placeFromRequest finds the location of the address, or with ?community or ?tag
// one of its communities or tags.
func (s *Pages) placeFromRequest(c *gin.Context) (p place, err error) {
	ctx := c.Request.Context()
	if p.Home, err = s.Store.Locations.Get(ctx, s.Within(c), c.Param("id")); err != nil {
		return p, err
	}
	p.Location = p.Home.Slug
	community, isCommunity := c.GetQuery("community")
	tag, isTag := c.GetQuery("tag")
	switch {
	case isCommunity && isTag:
		return p, models.ErrNotFound
	case isCommunity:
		return p, s.readCommunity(ctx, &p, community)
	case isTag:
		found, err := s.Store.Locations.Tag(ctx, p.Location, tag)
		p.Tag, p.Was.Name, p.Hidden = found.Name, found.Name, found.Hidden
		return p, err
	}
	p.Was = models.Label{Name: p.Home.Name, Description: p.Home.Description, Kind: p.Home.Kind()}
	p.Hidden = p.Home.Hidden
	return p, nil
}

func (s *Pages) readCommunity(ctx context.Context, p *place, slug string) error {
	found, err := s.Store.Locations.Community(ctx, p.Location, slug)
	p.Community, p.Hidden = found.Slug, found.Hidden
	p.Was = models.Label{Name: found.Title(), Description: found.Description}
	return err
}

// IsLocation tells that it is a location as a whole.
func (p *place) IsLocation() bool { return p.Place == models.Place{Location: p.Location} }

// IsMain tells that it is the location main, which is neither hidden nor removed.
func (p *place) IsMain() bool { return p.Place == models.Place{Location: models.MainLocation} }

// Here is the address of its page.
func (p *place) Here() string { return placePath(p.Place, "") }

// HidePath is what the buttons that hide it and show it again post to.
func (p *place) HidePath() string { return placePath(p.Place, "/hide") }

// RemovePath leads to the question before it is removed.
func (p *place) RemovePath() string { return placePath(p.Place, "/remove") }

// CommunityPath leads to one of the location's communities.
func (p *place) CommunityPath(slug string) string {
	return placePath(models.Place{Location: p.Location, Community: slug}, "")
}

// TagPath leads to one of the location's tags.
func (p *place) TagPath(name string) string {
	return placePath(models.Place{Location: p.Location, Tag: name}, "")
}

// What is its kind in words.
func (p *place) What() string {
	switch {
	case p.Community != "":
		return "Community"
	case p.Tag != "":
		return "Tag"
	default:
		return models.KindName(p.Was.Kind)
	}
}

// Back is the page that it is listed on.
func (p *place) Back() string {
	if p.IsLocation() {
		return locationsPath
	}
	return LocationPath(p.Location)
}

// LocationHide has a location, a community or a tag no longer offered in forms, or
// offered again.
func (s *Pages) LocationHide(c *gin.Context) error {
	var form struct {
		Hidden string `form:"hidden" binding:"oneof=yes no"`
	}
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	p, err := s.placeFromRequest(c)
	if err != nil {
		return err
	}
	hidden := form.Hidden == "yes"
	if p.IsLocation() {
		if _, fault := rules.MainSiteStays(p.Location, "", hidden); fault != "" {
			return web.Unusable(fault)
		}
	}
	if err := s.Store.Locations.Hide(c.Request.Context(), web.ActorOf(c), p.Place, hidden); err != nil {
		return err
	}
	said := p.Was.Name + " is shown again."
	if hidden {
		said = p.Was.Name + " is hidden."
	}
	return s.Redirect(c, p.Here(), web.Flash{Kind: "success", Text: said})
}
