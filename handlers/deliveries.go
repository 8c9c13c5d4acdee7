package handlers

import (
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// deliveriesPages are the list of deliveries, each delivery, resending and
// exports.
type deliveriesPages struct {
	*Site
	exports exports
}

func newDeliveriesPages(s *Site) *deliveriesPages {
	return &deliveriesPages{Site: s, exports: newExports()}
}

type deliveriesPage struct {
	page
	Filter  deliveryFilter
	Faults  []string // about values of the URL that mean nothing
	Webhook picker
	States  []choice
	Codes   []choice
	Errors  []choice
	Types   []string // known event types, to choose from
	Spans   []choice
	Chips   []filterChip
	Lines   []deliveryLine
	Older   string // URL of the next page; empty: this is the last
	Newest  string // URL of the first page; empty: this is it
	Scanned bool   // Older goes on searching: so far only a part was looked at
	Now     time.Time
	// Resend is the question whether to resend all of these; empty: they wait
	// anyway. CSV and JSON are the files of them.
	Resend, CSV, JSON string
	// HasWebhooks tells an installation without deliveries what to do first.
	HasWebhooks bool
}

// deliveryLine is one delivery in the list.
type deliveryLine struct {
	models.DeliveryRow
	Badge Badge
	Note  string
	Took  string // of the newest attempt
	What  string
	More  int // further event types than What names
}

// deliveries lists what was sent, newest first.
func (s *deliveriesPages) deliveries(c *gin.Context) error {
	ctx := c.Request.Context()
	now, err := s.Store.Now(ctx)
	if err != nil {
		return err
	}
	values := c.Request.URL.Query()
	if err = s.askedWebhook(ctx, values); err != nil {
		return err
	}
	query, filter, faults := parseDeliveryQuery(values, now)
	found, err := s.Store.Deliveries.Search(ctx, query)
	if err != nil {
		return err
	}
	p := &deliveriesPage{
		page:   page{Title: "Deliveries", Nav: "deliveries"},
		Filter: filter, Faults: faults, Types: allEventTypes(), Now: now,
	}
	for _, row := range found.Rows {
		p.Lines = append(p.Lines, newDeliveryLine(row, now))
	}
	if found.Next > 0 {
		p.Older, p.Scanned = olderURL("/admin/deliveries", values, found.Next), found.Scanned
	}
	if query.Before > 0 {
		p.Newest = olderURL("/admin/deliveries", values, 0)
	}
	if err = s.deliveryChoices(ctx, p); err != nil {
		return err
	}
	p.Chips = p.chips(values)
	p.CSV, p.JSON = olderURL("/admin/deliveries.csv", values, 0), olderURL("/admin/deliveries.json", values, 0)
	if finishedState(query.State) {
		p.Resend = olderURL(resendPath, values, 0)
	}
	return s.renderPart(c, http.StatusOK, "deliveries", p, "deliveries-list")
}

// finishedState tells a state whose deliveries have nothing ahead of them.
func finishedState(state string) bool {
	return state == "" || state == models.DeliveryDelivered || state == models.DeliveryFailed || state == models.DeliveryDropped
}

func newDeliveryLine(row models.DeliveryRow, now time.Time) deliveryLine {
	held := row.HeldWhy
	if row.Held && row.Webhook.State == models.WebhookBroken {
		held = "the webhook is broken" // its page says why
	}
	line := deliveryLine{
		DeliveryRow: row, Badge: deliveryBadge(row.Delivery, row.Held), Note: deliveryNote(row.Delivery, held, now), Took: "–",
	}
	if row.LastAt != nil {
		line.Took = tookAbout(row.LastMS)
	}
	if types := deliveryTypes(row.EventTypes); len(types) > 0 {
		line.What, line.More = strings.Join(types[:min(2, len(types))], ", "), max(0, len(types)-2)
	}
	return line
}

// tookAbout shows a time that was kept in whole milliseconds.
func tookAbout(ms int) string {
	if ms == 0 {
		return "< 1 ms"
	}
	return took(time.Duration(ms) * time.Millisecond)
}

// deliveriesTemplates are the templates of these pages, each with the struct that it is
// rendered with.
func deliveriesTemplates() map[string]any {
	return map[string]any{
		"deliveries":        &deliveriesPage{},
		"deliveries_resent": &resentPage{},
		"delivery":          &deliveryPage{},
	}
}
