package deliveries

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// deliveryChoices fills in the choices of the filter bar.
func (s *Pages) deliveryChoices(ctx context.Context, p *deliveriesPage) error {
	f := p.Filter
	var err error
	if p.Webhook, p.HasWebhooks, err = s.webhookPicker(ctx, f.Webhook); err != nil {
		return err
	}
	for _, state := range deliveryStates {
		p.States = append(p.States, web.Choice{Value: state, Label: deliveryStateWords(state), Chosen: state == f.State})
	}
	for _, code := range []string{"2xx", "3xx", "4xx", "5xx"} {
		p.Codes = append(p.Codes, web.Choice{Value: code, Label: code, Chosen: code == f.Code})
	}
	for _, class := range deliveryErrorClasses {
		p.Errors = append(p.Errors, web.Choice{Value: class, Label: web.Capitalized(FaultOf(class).Word), Chosen: class == f.Error})
	}
	p.Spans = web.SpanChoices(f.TimeFilter)
	return nil
}

// webhookPicker offers the webhooks by their names; chosen is a number or the
// typed text.
func (s *Pages) webhookPicker(ctx context.Context, chosen string) (p web.Picker, some bool, err error) {
	p = web.Picker{Field: web.Field{ID: "webhook"}, Any: "All webhooks", Small: true, Value: chosen}
	list, err := s.Store.Webhooks.Newest(ctx, web.PickMax+1)
	if err != nil {
		return p, false, err
	}
	id, isID := web.Positive(chosen)
	if p.Text = len(list) > web.PickMax; p.Text {
		p.Source = web.SuggestionsPath("webhooks")
		if isID {
			name, err := s.webhookName(ctx, id)
			p.Value = web.WebhookValue(name, id)
			return p, true, err
		}
		return p, true, nil
	}
	known := false
	for _, w := range list {
		option := web.Choice{Value: web.FormatID(w.ID), Label: w.Name, Chosen: w.ID == id}
		known = known || option.Chosen
		p.Options = append(p.Options, option)
	}
	slices.SortStableFunc(p.Options, func(a, b web.Choice) int {
		return strings.Compare(strings.ToLower(a.Label), strings.ToLower(b.Label))
	})
	if isID && !known {
		name, err := s.webhookName(ctx, id)
		if err != nil {
			return p, false, err
		}
		p.Options = append(p.Options, web.Choice{Value: chosen, Label: name, Chosen: true})
	}
	return p, len(list) > 0, nil
}

// findWebhook returns the webhook that was typed by its number, as
// WebhookValue has it, or by a name that only one has. Error:
// models.ErrNotFound.
func (s *Pages) findWebhook(ctx context.Context, typed string) (int64, error) {
	if id, err := strconv.ParseInt(typed[strings.LastIndex(typed, "#")+1:], 10, 64); err == nil && id > 0 {
		return id, nil
	}
	found, err := s.Store.Webhooks.Suggest(ctx, strings.TrimSpace(typed), web.Suggested)
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

// webhookFromRequest puts the number of a webhook that was typed by its name into
// the URL's values, so that all links that are made of them mean it.
func (s *Pages) webhookFromRequest(ctx context.Context, v url.Values) error {
	typed := v.Get("webhook")
	if _, isID := web.Positive(typed); isID || typed == "" {
		return nil
	}
	id, err := s.findWebhook(ctx, typed)
	if errors.Is(err, models.ErrNotFound) {
		return nil // readers of the values report it
	}
	v.Set("webhook", web.FormatID(id))
	return err
}

// webhookName names a webhook that is not among the choices: deleted, or one
// too many.
func (s *Pages) webhookName(ctx context.Context, id int64) (string, error) {
	w, err := s.Store.Webhooks.GetAny(ctx, id)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return "Webhook " + web.FormatID(id) + " (unknown)", nil
	case err == nil && w.DeletedAt != nil:
		return w.Name + " (deleted)", nil
	default:
		return w.Name, err
	}
}

func deliveryStateWords(state string) string {
	switch state {
	case models.StateWaiting:
		return "On their way"
	case models.StateTried:
		return "With a failed attempt"
	default:
		return web.Capitalized(state)
	}
}

// chips are the filters that are on.
func (p *deliveriesPage) chips(v url.Values) []web.FilterChip {
	var chips []web.FilterChip
	if p.Filter.Webhook != "" {
		chips = append(chips, web.FilterChip{Name: "Webhook", Value: p.Webhook.Chosen(), Without: web.Without("/admin/deliveries", v, "webhook")})
	}
	for _, field := range []struct {
		name, label string
		choices     []web.Choice
	}{
		{"state", "State", p.States},
		{"code", "Status", p.Codes},
		{"error", "Error", p.Errors},
		{"time", "Time", p.Spans},
	} {
		for _, one := range field.choices {
			if one.Chosen {
				chips = append(chips, web.FilterChip{Name: field.label, Value: one.Label, Without: web.Without("/admin/deliveries", v, field.name)})
			}
		}
	}
	if p.Filter.Type != "" {
		chips = append(chips, web.FilterChip{Name: "Event type", Value: p.Filter.Type, Without: web.Without("/admin/deliveries", v, "type")})
	}
	return append(chips, web.TimeChips("/admin/deliveries", p.Filter.TimeFilter, v)...)
}

// AllEventTypes are the event types that any format knows.
func AllEventTypes() []string {
	var types []string
	for _, f := range wire.Formats() {
		for _, o := range f.Options {
			types = append(types, o.Types()...)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}
