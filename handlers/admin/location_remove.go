package admin

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// removal is the question whether to remove a location, community or tag.
type removal struct {
	place    models.Place
	location models.Location
	name     string // of the thing to remove
}

func removePath(p models.Place) string {
	path := LocationPath(p.Location) + "/remove"
	switch {
	case p.Community != "":
		path += "?community=" + url.QueryEscape(p.Community)
	case p.Tag != "":
		path += "?tag=" + url.QueryEscape(p.Tag)
	}
	return path
}

// back is where one comes from, and goes on after the removal.
func (r removal) back() (path, name string) {
	if r.place == (models.Place{Location: r.place.Location}) {
		return locationsPath, "Locations"
	}
	return LocationPath(r.place.Location), r.location.Name
}

// removalFromRequest finds the location, community or tag of the address.
func (s *Pages) removalFromRequest(c *gin.Context) (r removal, err error) {
	ctx := c.Request.Context()
	if r.location, err = s.Store.Locations.Get(ctx, s.Within(c), c.Param("id")); err != nil {
		return r, err
	}
	r.place = models.Place{Location: r.location.Slug, Community: c.Query("community"), Tag: c.Query("tag")}
	switch {
	case r.place.Community != "" && r.place.Tag != "":
		return r, models.ErrNotFound
	case r.place.Community != "":
		community, err := s.Store.Locations.Community(ctx, r.location.Slug, r.place.Community)
		r.name = community.Title()
		return r, err
	case r.place.Tag != "":
		known, err := s.Store.Locations.HasTag(ctx, r.location.Slug, r.place.Tag)
		if err == nil && !known {
			err = models.ErrNotFound
		}
		r.name = r.place.Tag
		return r, err
	case r.location.Slug == models.MainLocation:
		return r, web.Unusable("The main site cannot be removed.")
	}
	r.name = r.location.Name
	return r, nil
}

// LocationRemove asks before a removal, or lists the references that prevent
// it.
func (s *Pages) LocationRemove(c *gin.Context) error {
	r, err := s.removalFromRequest(c)
	if err != nil {
		return err
	}
	uses, err := s.Store.Locations.Uses(c.Request.Context(), r.place)
	return s.showRemoval(c, r, uses, err, "")
}

// LocationRemovePost removes a location, a community or a tag. If something
// refers to it, nothing is removed and the page lists the references.
func (s *Pages) LocationRemovePost(c *gin.Context) error {
	r, err := s.removalFromRequest(c)
	if err != nil {
		return err
	}
	err = s.Store.Locations.Remove(c.Request.Context(), web.ActorOf(c), r.place)
	used, is := errors.AsType[*models.InUseError](err)
	switch {
	case is:
		return s.showRemoval(c, r, used.Uses, nil, "It was not removed.")
	case errors.Is(err, context.DeadlineExceeded):
		return s.showRemoval(c, r, models.PlaceUses{}, err, "It was not removed.")
	case err != nil:
		return err
	}
	to, _ := r.back()
	return s.Redirect(c, to, web.Flash{Kind: "success", Text: "Removed " + r.name + "."})
}

// showRemoval shows the question. Instead of it, it lists the references to the
// place, or says that finding them took too long.
func (s *Pages) showRemoval(c *gin.Context, r removal, uses models.PlaceUses, err error, fault string) error {
	path, name := r.back()
	p := &web.ConfirmPage{
		Page: web.Page{Title: "Remove " + r.name + "?", Nav: "locations"}, Crumb: name, CrumbPath: path, Back: path,
		Action: removePath(r.place), Danger: true, Fault: fault,
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		p.Lines = []string{"It cannot be removed: this location has too many events to check whether one of them names it."}
		return s.Confirm(c, p)
	case err != nil:
		return err
	case !uses.None():
		p.Lines = []string{"It can be removed once nothing refers to it:"}
		p.Rows, err = s.usesRows(c.Request.Context(), r.place, uses)
		if err != nil {
			return err
		}
		return s.Confirm(c, p)
	}
	p.Lines = []string{"No webhook and no kept event names it.", "An event that names it later registers it again."}
	switch {
	case r.place.Community != "":
		p.Button = "Remove this community"
	case r.place.Tag != "":
		p.Button = "Remove this tag"
	default:
		p.Lines[0] = "No webhook, no API token and no kept event names it. Its communities and tags are removed with it."
		p.Button = "Remove this location"
	}
	return s.Confirm(c, p)
}

// usesRows link to the references to a place.
func (s *Pages) usesRows(ctx context.Context, p models.Place, uses models.PlaceUses) ([]web.ConfirmRow, error) {
	var rows []web.ConfirmRow
	if uses.Webhooks > 0 {
		v := url.Values{"team": {p.Location}}
		if p.Tag != "" {
			v.Set("tag", p.Tag)
		}
		rows = append(rows, web.ConfirmRow{Path: web.WebhooksPath + "?" + v.Encode(), Name: web.Plural(uses.Webhooks, "webhook", "webhooks")})
	}
	if uses.Tokens > 0 {
		rows = append(rows, web.ConfirmRow{Path: tokensPath, Name: web.Plural(uses.Tokens, "API token", "API tokens")})
	}
	if uses.Sources > 0 {
		rows = append(rows, web.ConfirmRow{Path: "/admin/sources", Name: web.Plural(uses.Sources, "source", "sources")})
	}
	if uses.Events {
		settings, err := s.Store.Settings.Get(ctx)
		if err != nil {
			return nil, err
		}
		v := url.Values{"location": {p.Location}}
		if p.Tag != "" {
			v.Set("tag", p.Tag)
		}
		rows = append(rows, web.ConfirmRow{
			Path: web.TriggersPath + "?" + v.Encode(), Name: "events", Note: "kept for " + web.Plural(int64(settings.Retention/(24*time.Hour)), "day", "days"),
		})
	}
	return rows, nil
}
