package admin

import (
	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
)

// emptyShown is how many empty locations are named before they are removed.
const emptyShown = 20

// LocationsEmpty asks before all empty locations that match a search are
// removed.
func (s *Pages) LocationsEmpty(c *gin.Context) error {
	search := web.NewNumberedFilter(c.Request.URL.Query()).Search
	slugs, err := s.Store.Locations.Empty(c.Request.Context(), search)
	if err != nil {
		return err
	}
	p := &web.ConfirmPage{
		Page: web.Page{Title: "Remove empty locations?", Nav: "locations"}, Crumb: "Locations", CrumbPath: locationsPath,
		Action: emptyPath, Fields: []web.ConfirmField{{Name: "q", Value: search}}, Danger: true, Back: locationsPath,
	}
	if len(slugs) == 0 {
		p.Lines = []string{"No location is empty. Locations with a changed name or a description are not removed here."}
		return s.Confirm(c, p)
	}
	p.Lines = []string{
		web.Plural(int64(len(slugs)), "location is", "locations are") + " empty. No webhook, source, API token, kept event or limited member refers to an empty location.",
		"Communities and tags of a removed location are removed too.",
		"Locations with a changed name or a description stay. An event that names a removed location registers it again.",
	}
	if len(slugs) > emptyShown {
		p.Lines = append(p.Lines, "The first "+wording.Count(emptyShown)+" of them:")
	}
	for _, slug := range slugs[:min(len(slugs), emptyShown)] {
		p.Rows = append(p.Rows, web.ConfirmRow{Path: LocationPath(slug), Name: slug})
	}
	p.Button = "Remove " + web.Plural(int64(len(slugs)), "location", "locations")
	return s.Confirm(c, p)
}

// LocationsEmptyPost removes the empty locations that match the search in the
// form. An empty search matches all.
func (s *Pages) LocationsEmptyPost(c *gin.Context) error {
	var form struct {
		Search string `form:"q"`
	}
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	n, err := s.Store.Locations.RemoveEmpty(c.Request.Context(), web.ActorOf(c), wording.Cut(web.Storable(form.Search), 200))
	if err != nil {
		return err
	}
	return s.Redirect(c, locationsPath, web.Flash{Kind: "success", Text: "Removed " + web.Plural(int64(n), "location", "locations") + "."})
}
