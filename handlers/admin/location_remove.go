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

// removalFromRequest finds what the address asks to remove.
func (s *Pages) removalFromRequest(c *gin.Context) (place, error) {
	p, err := s.placeFromRequest(c)
	if err == nil && p.IsMain() {
		err = web.Unusable("The main site cannot be removed.")
	}
	return p, err
}

// LocationRemove asks before a removal, or lists the references that prevent
// it.
func (s *Pages) LocationRemove(c *gin.Context) error {
	p, err := s.removalFromRequest(c)
	if err != nil {
		return err
	}
	uses, err := s.Store.Locations.Uses(c.Request.Context(), p.Place)
	return s.showRemoval(c, p, uses, err, "")
}

// LocationRemovePost removes a location, a community or a tag. If something
// refers to it, nothing is removed and the page lists the references.
func (s *Pages) LocationRemovePost(c *gin.Context) error {
	p, err := s.removalFromRequest(c)
	if err != nil {
		return err
	}
	err = s.Store.Locations.Remove(c.Request.Context(), web.ActorOf(c), p.Place)
	used, is := errors.AsType[*models.InUseError](err)
	switch {
	case is:
		return s.showRemoval(c, p, used.Uses, nil, "It was not removed.")
	case errors.Is(err, context.DeadlineExceeded):
		return s.showRemoval(c, p, models.PlaceUses{}, err, "It was not removed.")
	case err != nil:
		return err
	}
	return s.Redirect(c, p.Back(), web.Flash{Kind: "success", Text: "Removed " + p.Was.Name + "."})
}

// showRemoval shows the question. Instead of it, it lists the references to the
// place, or says that finding them took too long.
func (s *Pages) showRemoval(c *gin.Context, of place, uses models.PlaceUses, err error, fault string) error {
	p := &web.ConfirmPage{
		Page: web.Page{Title: "Remove " + of.Was.Name + "?", Nav: "locations"}, Crumb: of.Was.Name, CrumbPath: of.Here(), Back: of.Here(),
		Action: of.RemovePath(), Danger: true, Fault: fault,
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		p.Lines = []string{"It cannot be removed: this location has too many events to check whether one of them names it."}
		return s.Confirm(c, p)
	case err != nil:
		return err
	case !uses.None():
		p.Lines = []string{"It can be removed once nothing refers to it:"}
		p.Rows, err = s.usesRows(c.Request.Context(), of.Place, uses)
		if err != nil {
			return err
		}
		return s.Confirm(c, p)
	}
	p.Lines = []string{"No webhook and no kept event names it.", "An event that names it later registers it again."}
	switch {
	case of.Community != "":
		p.Button = "Remove this community"
	case of.Tag != "":
		p.Button = "Remove this tag"
	default:
		p.Lines[0] = "No webhook, API token, source or kept event names it, and no member is limited to it. Its communities and tags are removed with it."
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
	if uses.Members > 0 {
		rows = append(rows, web.ConfirmRow{Path: membersPath, Name: web.Plural(uses.Members, "member", "members"), Note: "limited to it"})
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
