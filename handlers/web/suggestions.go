package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// SuggestionsPath is the address of suggestions of locations, communities or
// webhooks.
func SuggestionsPath(of string) string { return "/admin/suggestions/" + of }

// Suggestions answers the script of a text field that chooses one of many.
func (s *Site) Suggestions(c *gin.Context) error {
	list, err := s.suggest(c, c.Param("of"), strings.TrimSpace(c.Query("q")), c.Query("location"))
	if err != nil {
		return err
	}
	type suggestion struct {
		Value string `json:"value"`
		Label string `json:"label"`
	}
	answer := make([]suggestion, len(list))
	for i, one := range list {
		answer[i] = suggestion{one.Value, one.Label}
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, answer)
	return nil
}

func (s *Site) suggest(c *gin.Context, of, typed, location string) ([]Choice, error) {
	ctx, within := c.Request.Context(), s.Within(c)
	switch of {
	case "locations":
		found, err := s.Store.Locations.Suggest(ctx, within, typed, Suggested)
		return locationChoices(found, ""), err
	case "communities":
		slug, err := s.Directory(c).findLocation(ctx, location)
		if errors.Is(err, models.ErrNotFound) {
			return nil, nil // it is not typed to its end
		}
		if err != nil {
			return nil, err
		}
		return s.Directory(c).communitySuggestions(ctx, slug, typed)
	case "webhooks":
		found, err := s.Store.Webhooks.Suggest(ctx, within, typed, Suggested)
		list := make([]Choice, len(found))
		for i, w := range found {
			list[i] = webhookChoice(w)
		}
		return list, err
	}
	return nil, NotFound("There is nothing to choose from at this address.")
}
