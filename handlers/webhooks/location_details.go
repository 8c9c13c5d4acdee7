package webhooks

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// suggestedTags is how many tags are suggested.
const suggestedTags = 8

// LocationDetails answers the form's script: the text about a location, its communities,
// and its tags that begin with the input.
func (s *Pages) LocationDetails(c *gin.Context) error {
	ctx := c.Request.Context()
	type named struct {
		Value string `json:"value"`
		Label string `json:"label"`
	}
	details := struct {
		About       string   `json:"about,omitempty"`
		Communities []named  `json:"communities"`
		Tags        []string `json:"tags"`
	}{"", []named{}, []string{}}
	location, unknown, err := s.FilterLocation(c, c.Query("location"))
	if err != nil {
		return err
	}
	if unknown != "" {
		location = ""
	}
	here, err := s.Store.Locations.Get(ctx, s.Within(c), location)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	details.About = here.Description
	communities, _, err := s.Store.Locations.CommunityPage(ctx, location, models.NameQuery{Limit: web.PickMax, Shown: true})
	if err != nil {
		return err
	}
	for _, one := range communities {
		details.Communities = append(details.Communities, named{one.Slug, one.Title()})
	}
	if prefix := strings.ToLower(strings.TrimSpace(c.Query("prefix"))); prefix != "" {
		tags, err := s.Store.Locations.Tags(ctx, location, prefix, suggestedTags)
		if err != nil {
			return err
		}
		details.Tags = append(details.Tags, tags...)
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, details)
	return nil
}
