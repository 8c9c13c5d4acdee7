package handlers

import (
	"strings"

	"github.com/gin-gonic/gin"
)

// emptyShown is how many empty locations are named before they are removed.
const emptyShown = 20

// locationsEmpty asks before all empty locations that match a search are
// removed.
func (s *adminPages) locationsEmpty(c *gin.Context) error {
	search := searchOf(c.Request.URL.Query())
	slugs, err := s.Store.Locations.Empty(c.Request.Context(), search)
	if err != nil {
		return err
	}
	p := &confirmPage{
		page: page{Title: "Remove empty locations?", Nav: "locations"}, Crumb: "Locations", CrumbPath: locationsPath,
		Action: emptyPath, Fields: []confirmField{{"q", search}}, Danger: true, Back: locationsPath,
	}
	if len(slugs) == 0 {
		p.Lines = []string{"No location is empty. Locations that were renamed or described are not removed here."}
		return s.confirm(c, p)
	}
	p.Lines = []string{
		plural(int64(len(slugs)), "location is", "locations are") + " empty. No webhook, API token or kept event refers to an empty location.",
		"Communities and tags of a removed location are removed too.",
		"Locations that were renamed or described stay. An event that names a removed one registers it again.",
	}
	if len(slugs) > emptyShown {
		p.Lines = append(p.Lines, "The first "+count(emptyShown)+" of them:")
	}
	for _, slug := range slugs[:min(len(slugs), emptyShown)] {
		p.Rows = append(p.Rows, confirmRow{Path: locationPath(slug), Name: slug})
	}
	p.Button = "Remove " + plural(int64(len(slugs)), "location", "locations")
	return s.confirm(c, p)
}

func (s *adminPages) locationsEmptyPost(c *gin.Context) error {
	if err := parseForm(c); err != nil {
		return err
	}
	search := storable(strings.TrimSpace(c.Request.PostForm.Get("q")))
	n, err := s.Store.Locations.RemoveEmpty(c.Request.Context(), actorOf(c), cut(search, 200))
	if err != nil {
		return err
	}
	return s.redirect(c, locationsPath, Flash{Kind: "success", Text: "Removed " + plural(int64(n), "location", "locations") + "."})
}
