package web

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/sitehooks/sitehooks/models"
)

// WebhookPicker offers the webhooks by their names; chosen is a number or the
// typed text. It tells whether there are any.
func (s *Site) WebhookPicker(ctx context.Context, id, chosen string) (p Picker, some bool, err error) {
	p = Picker{Field: Field{ID: id}, Small: true, Value: chosen}
	list, err := s.Store.Webhooks.Newest(ctx, PickMax+1)
	if err != nil {
		return p, false, err
	}
	number, isID := Positive(chosen)
	if p.Text = len(list) > PickMax; p.Text {
		p.Source = SuggestionsPath("webhooks")
		if isID {
			name, err := s.webhookName(ctx, number)
			p.Value = WebhookValue(name, number)
			return p, true, err
		}
		return p, true, nil
	}
	known := false
	for _, w := range list {
		option := Choice{Value: FormatID(w.ID), Label: w.Name, Chosen: w.ID == number}
		known = known || option.Chosen
		p.Options = append(p.Options, option)
	}
	slices.SortStableFunc(p.Options, func(a, b Choice) int {
		return strings.Compare(strings.ToLower(a.Label), strings.ToLower(b.Label))
	})
	if isID && !known {
		name, err := s.webhookName(ctx, number)
		if err != nil {
			return p, false, err
		}
		p.Options = append(p.Options, Choice{Value: chosen, Label: name, Chosen: true})
	}
	return p, len(list) > 0, nil
}

// FindWebhook returns the webhook that was typed by its number, as
// WebhookValue has it, or by a name that only one has. Error:
// models.ErrNotFound.
func (s *Site) FindWebhook(ctx context.Context, typed string) (int64, error) {
	if id, err := strconv.ParseInt(typed[strings.LastIndex(typed, "#")+1:], 10, 64); err == nil && id > 0 {
		return id, nil
	}
	found, err := s.Store.Webhooks.Suggest(ctx, strings.TrimSpace(typed), Suggested)
	if err != nil {
		return 0, err
	}
	var same []int64
	for _, w := range found {
		if strings.EqualFold(w.Name, strings.TrimSpace(typed)) {
			same = append(same, w.ID)
		}
	}
	if len(same) == 1 {
		return same[0], nil
	}
	return 0, models.ErrNotFound
}

// webhookName names a webhook that is not among the choices: deleted, or one
// too many.
func (s *Site) webhookName(ctx context.Context, id int64) (string, error) {
	w, err := s.Store.Webhooks.GetAny(ctx, id)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return "Webhook " + FormatID(id) + " (unknown)", nil
	case err == nil && w.DeletedAt != nil:
		return w.Name + " (deleted)", nil
	default:
		return w.Name, err
	}
}
