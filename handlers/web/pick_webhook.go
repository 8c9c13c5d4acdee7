package web

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// WebhookPicker is a text field that chooses a webhook, with the names as
// suggestions; chosen is a number, or what was typed. false: there is no webhook.
func (s *Site) WebhookPicker(c *gin.Context, id, chosen string) (p Picker, some bool, err error) {
	ctx, within := c.Request.Context(), s.Within(c)
	p = Picker{Field: Field{ID: id}, Small: true, Value: chosen, Text: true, Source: SuggestionsPath("webhooks")}
	list, err := s.Store.Webhooks.Newest(ctx, within, PickMax+1)
	if err != nil {
		return p, false, err
	}
	if len(list) <= PickMax { // more are suggested while somebody types
		for _, w := range list {
			p.List = append(p.List, webhookChoice(w))
		}
		slices.SortStableFunc(p.List, func(a, b Choice) int {
			return strings.Compare(strings.ToLower(a.Value), strings.ToLower(b.Value))
		})
	}
	if number, isID := Positive(chosen); isID {
		name, err := s.webhookName(ctx, within, number)
		if err != nil {
			return p, false, err
		}
		p.Value = WebhookValue(name, number)
	}
	return p, len(list) > 0, nil
}

// webhookChoice offers a webhook, and says when it is paused or broken.
func webhookChoice(w models.Webhook) Choice {
	label := map[string]string{models.WebhookStopped: "Paused", models.WebhookBroken: "Broken"}[w.State]
	return Choice{Value: WebhookValue(w.Name, w.ID), Label: label}
}

// WebhookFromRequest puts the number of a webhook that was typed by its name into
// the URL's values, so that all links that are made of them mean it.
func (s *Site) WebhookFromRequest(c *gin.Context, v url.Values) error {
	typed := v.Get("webhook")
	if _, isID := Positive(typed); isID || typed == "" {
		return nil
	}
	id, err := s.FindWebhook(c, typed)
	if errors.Is(err, models.ErrNotFound) {
		return nil // readers of the values report it
	}
	v.Set("webhook", FormatID(id))
	return err
}

// FindWebhook returns the webhook that was typed by its number, as
// WebhookValue has it, by a name that only one has, or by a part of it. Error:
// models.ErrNotFound.
func (s *Site) FindWebhook(c *gin.Context, typed string) (int64, error) {
	typed = Storable(typed)
	if id, isID := Positive(typed[strings.LastIndex(typed, "#")+1:]); isID {
		return id, nil
	}
	found, err := s.Store.Webhooks.Suggest(c.Request.Context(), s.Within(c), typed, Suggested)
	if err != nil {
		return 0, err
	}
	var same []int64
	for _, w := range found {
		if strings.EqualFold(w.Name, typed) {
			same = append(same, w.ID)
		}
	}
	switch {
	case len(same) == 1:
		return same[0], nil
	case len(same) == 0 && len(found) == 1:
		return found[0].ID, nil
	default:
		return 0, models.ErrNotFound
	}
}

// webhookName names a webhook, also one that was deleted.
func (s *Site) webhookName(ctx context.Context, within models.LocationSet, id int64) (string, error) {
	w, err := s.Store.Webhooks.GetAny(ctx, within, id)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return "Webhook " + FormatID(id) + " (unknown)", nil
	case err == nil && w.DeletedAt != nil:
		return w.Name + " (deleted)", nil
	default:
		return w.Name, err
	}
}
