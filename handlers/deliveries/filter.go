package deliveries

import (
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// deliveryChoices fills in the choices of the filter bar.
func (s *Pages) deliveryChoices(c *gin.Context, p *deliveriesPage) error {
	f := p.Filter
	var err error
	if p.Webhook, p.HasWebhooks, err = s.WebhookPicker(c, "webhook", f.Webhook); err != nil {
		return err
	}
	p.Webhook.Any = "All webhooks"
	if p.Location, err = s.LocationPicker(c, "location", f.Location); err != nil {
		return err
	}
	p.Location.Any, p.Location.Small = s.AnyLocation(c), true
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

// selection puts a filter into words.
func (s *Pages) selection(c *gin.Context, f deliveryFilter, values url.Values) (string, error) {
	list := &deliveriesPage{Filter: f}
	if err := s.deliveryChoices(c, list); err != nil {
		return "", err
	}
	var chosen []string
	for _, chip := range list.chips(values) {
		chosen = append(chosen, strings.ToLower(chip.Name)+" "+chip.Value)
	}
	return web.OrNone(strings.Join(chosen, ", "), "all deliveries"), nil
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
	if p.Filter.Location != "" {
		chips = append(chips, web.FilterChip{Name: "Location", Value: p.Location.Chosen(), Without: web.Without("/admin/deliveries", v, "location")})
	}
	if p.Filter.ID != "" {
		chips = append(chips, web.FilterChip{Name: "Delivery ID", Value: p.Filter.ID, Without: web.Without("/admin/deliveries", v, "id")})
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
	if _, words := web.EventTypesTyped(p.Filter.Type); words != "" {
		chips = append(chips, web.FilterChip{Name: "Event type", Value: words, Without: web.Without("/admin/deliveries", v, "type")})
	}
	return append(chips, web.TimeChips("/admin/deliveries", p.Filter.TimeFilter, v)...)
}
