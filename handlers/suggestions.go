package handlers

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

func suggestionsPath(of string) string { return "/admin/suggestions/" + of }

// suggestions answers the script of a text field that chooses one of many.
func (s *Site) suggestions(c *gin.Context) error {
	list, err := s.suggest(c.Request.Context(), c.Param("of"), strings.TrimSpace(c.Query("q")), c.Query("location"))
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

func (s *Site) suggest(ctx context.Context, of, typed, location string) ([]choice, error) {
	switch of {
	case "locations":
		found, err := s.Store.Locations.Suggest(ctx, typed, suggested)
		return locationChoices(found, ""), err
	case "communities":
		slug, err := s.findLocation(ctx, location)
		if errors.Is(err, models.ErrNotFound) {
			return nil, nil // it is not typed to its end
		}
		if err != nil {
			return nil, err
		}
		return s.communitySuggestions(ctx, slug, typed)
	case "webhooks":
		found, err := s.Store.Webhooks.Suggest(ctx, typed, suggested)
		list := make([]choice, len(found))
		for i, w := range found {
			list[i] = choice{Value: webhookValue(w.Name, w.ID)}
		}
		return list, err
	}
	return nil, notFound("There is nothing to choose from at this address.")
}
