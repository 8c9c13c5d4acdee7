package handlers

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// webhookChoices is how many webhooks the filter offers by name; beyond it one
// comes here from the webhook's own page.
const webhookChoices = 500

// filterChip is a filter that is on, with the address of the page without it.
type filterChip struct{ Name, Value, Without string }

// deliveryChoices fills in what the filter bar offers.
func (s *Site) deliveryChoices(ctx context.Context, p *deliveriesPage) error {
	list, err := s.store.webhooks.Newest(ctx, webhookChoices)
	if err != nil {
		return err
	}
	p.HasWebhooks = len(list) > 0
	f := p.Filter
	known := false
	for _, w := range list {
		option := choice{Value: formatID(w.ID), Label: w.Name, Chosen: formatID(w.ID) == f.Webhook}
		known = known || option.Chosen
		p.Webhooks = append(p.Webhooks, option)
	}
	slices.SortStableFunc(p.Webhooks, func(a, b choice) int {
		return strings.Compare(strings.ToLower(a.Label), strings.ToLower(b.Label))
	})
	if id, ok := positive(f.Webhook); ok && !known {
		name, err := s.webhookName(ctx, id)
		if err != nil {
			return err
		}
		p.Webhooks = append(p.Webhooks, choice{Value: f.Webhook, Label: name, Chosen: true})
	}
	for _, state := range deliveryStates {
		p.States = append(p.States, choice{state, deliveryStateWords(state), state == f.State})
	}
	for _, code := range []string{"2xx", "3xx", "4xx", "5xx"} {
		p.Codes = append(p.Codes, choice{code, code, code == f.Code})
	}
	for _, class := range deliveryErrorClasses {
		p.Errors = append(p.Errors, choice{class, capitalized(deliveryFaultOf(class).Word), class == f.Error})
	}
	p.Spans = spanChoices(f.timeFilter)
	return nil
}

// webhookName names a webhook that is not among the choices: deleted, or one
// too many.
func (s *Site) webhookName(ctx context.Context, id int64) (string, error) {
	w, err := s.store.webhooks.GetAny(ctx, id)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return "Webhook " + formatID(id) + " (unknown)", nil
	case err == nil && w.DeletedAt != nil:
		return w.Name + " (deleted)", nil
	default:
		return w.Name, err
	}
}

// spanChoices are the spans of time that a filter offers beside from and to.
func spanChoices(f timeFilter) []choice {
	return []choice{
		{"1h", "Last hour", f.Span == "1h"}, {"24h", "Last 24 hours", f.Span == "24h"}, {"7d", "Last 7 days", f.Span == "7d"},
	}
}

func deliveryStateWords(state string) string {
	if state == models.StateWaiting {
		return "On their way"
	}
	return capitalized(state)
}

// chips are the filters that are on.
func (p *deliveriesPage) chips(v url.Values) []filterChip {
	var chips []filterChip
	for _, field := range []struct {
		name, label string
		choices     []choice
	}{
		{"webhook", "Webhook", p.Webhooks},
		{"state", "State", p.States},
		{"code", "Status", p.Codes},
		{"error", "Error", p.Errors},
		{"time", "Time", p.Spans},
	} {
		for _, one := range field.choices {
			if one.Chosen {
				chips = append(chips, filterChip{field.label, one.Label, without("/admin/deliveries", v, field.name)})
			}
		}
	}
	if p.Filter.Type != "" {
		chips = append(chips, filterChip{"Event type", p.Filter.Type, without("/admin/deliveries", v, "type")})
	}
	return append(chips, timeChips("/admin/deliveries", p.Filter.timeFilter, v)...)
}

func timeChips(path string, f timeFilter, v url.Values) []filterChip {
	var chips []filterChip
	if f.From != "" {
		chips = append(chips, filterChip{"From", strings.Replace(f.From, "T", " ", 1), without(path, v, "from")})
	}
	if f.To != "" {
		chips = append(chips, filterChip{"To", strings.Replace(f.To, "T", " ", 1), without(path, v, "to")})
	}
	return chips
}

// without is the page's address with one filter less, from the newest on.
func without(path string, v url.Values, name string) string {
	rest := url.Values{}
	for key, value := range v {
		if key != name {
			rest[key] = value
		}
	}
	return olderURL(path, rest, 0)
}

// allEventTypes are the event types that any format knows.
func allEventTypes() []string {
	var types []string
	for _, f := range wire.Formats() {
		for _, o := range f.Options {
			types = append(types, o.Types()...)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}
