// Package deliveries shows the deliveries: the list with its filters, each
// delivery with its attempts, resending, and exports.
package deliveries

import (
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// Pages are the list of deliveries, each delivery, resending and
// exports.
type Pages struct {
	*web.Site
	exports exports
}

// New builds the pages, with limits of their own for exports.
func New(s *web.Site) *Pages {
	return &Pages{Site: s, exports: newExports()}
}

type deliveriesPage struct {
	web.Page
	Filter   deliveryFilter
	Faults   []string // about values of the URL that mean nothing
	Webhook  web.Picker
	Location web.Picker
	Total    models.Total // that match
	States   []web.Choice
	Codes    []web.Choice
	Errors   []web.Choice
	Types    []string // known event types, to choose from
	Spans    []web.Choice
	Chips    []web.FilterChip
	Lines    []Line
	Older    string // URL of the next page; empty: this is the last
	Newest   string // URL of the first page; empty: this is it
	Scanned  bool   // Older goes on searching: so far only a part was looked at
	Now      time.Time
	// Resend is the question whether to resend all of these; empty: they wait
	// anyway. Export is the page that offers files of them.
	Resend, Export string
	// HasWebhooks selects the advice for an installation without deliveries.
	HasWebhooks bool
}

// Line is one delivery in the list.
type Line struct {
	models.DeliveryRow
	Badge web.Badge
	Note  string
	Took  string // of the newest attempt
	What  string
	More  int // further event types than What names
}

// List lists the deliveries, newest first.
func (s *Pages) List(c *gin.Context) error {
	ctx := c.Request.Context()
	now, err := s.Store.Now(ctx)
	if err != nil {
		return err
	}
	values := c.Request.URL.Query()
	if err = s.WebhookFromRequest(c, values); err != nil {
		return err
	}
	location, unknown, err := s.FilterLocation(c, values.Get("location"))
	if err != nil {
		return err
	}
	if values.Get("location") != "" {
		values.Set("location", location)
	}
	query, filter, faults := parseDeliveryQuery(values, now)
	if unknown != "" {
		faults = append(faults, unknown)
	}
	query.Within, query.Count = s.Within(c), true
	found, err := s.Store.Deliveries.Search(ctx, query)
	if err != nil {
		return err
	}
	p := &deliveriesPage{
		Page:   web.Page{Title: "Deliveries", Nav: "deliveries"},
		Filter: filter, Faults: faults, Types: web.EventTypeChoices(), Now: now, Total: found.Total,
	}
	for _, row := range found.Rows {
		p.Lines = append(p.Lines, NewLine(row, now))
	}
	if found.Next > 0 {
		p.Older, p.Scanned = web.OlderURL("/admin/deliveries", values, found.Next), found.Scanned
	}
	if query.Before > 0 {
		p.Newest = web.OlderURL("/admin/deliveries", values, 0)
	}
	if err = s.deliveryChoices(c, p); err != nil {
		return err
	}
	p.Chips = p.chips(values)
	p.Export = web.OlderURL(exportPath, values, 0)
	if finishedState(query.State) {
		p.Resend = web.OlderURL(ResendPath, values, 0)
	}
	return s.RenderFragment(c, http.StatusOK, "deliveries", p, "deliveries-list")
}

// finishedState tells a state whose deliveries have nothing ahead of them.
func finishedState(state string) bool {
	return state == "" || state == models.DeliveryDelivered || state == models.DeliveryFailed || state == models.DeliveryDropped
}

// NewLine puts a delivery into words. Its note counts from now.
func NewLine(row models.DeliveryRow, now time.Time) Line {
	held := row.HeldWhy
	if row.Held && row.Webhook.State == models.WebhookBroken {
		held = "the webhook is broken" // its page says why
	}
	line := Line{
		DeliveryRow: row, Badge: Badge(row.Delivery, row.Held), Note: Note(row.Delivery, held, now), Took: "–",
	}
	if row.LastAt != nil {
		line.Took = TookAbout(row.LastMS)
	}
	if types := deliveryTypes(row.EventTypes); len(types) > 0 {
		line.What, line.More = strings.Join(types[:min(2, len(types))], ", "), max(0, len(types)-2)
	}
	return line
}

// TookAbout shows a time that was kept in whole milliseconds.
func TookAbout(ms int) string {
	if ms == 0 {
		return "< 1 ms"
	}
	return web.Took(time.Duration(ms) * time.Millisecond)
}

// Templates are the templates of these pages, each with the struct that it is
// rendered with.
func Templates() map[string]any {
	return map[string]any{
		"deliveries":        &deliveriesPage{},
		"deliveries_export": &exportPage{},
		"deliveries_resent": &resentPage{},
		"delivery":          &deliveryPage{},
	}
}
