package jobs

import (
	"context"
	"log/slog"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// takeBytes bounds the bytes that one take may write, and so its memory, on an
// instance with enough memory. Further events wait for the next take, which
// follows at once.
const takeBytes = 32 << 20

// decide merges the events of a take, matches them and builds the bodies.
func (d *dispatcher) decide(ctx context.Context, t models.Take) (models.Decision, error) {
	if d.index == nil || d.index.version != t.Version {
		webhooks, version, err := t.Webhooks()
		if err != nil {
			return models.Decision{}, err
		}
		d.index = newIndex(webhooks, version)
	}
	decision := models.Decision{MergedInto: map[int64]int64{}, Version: d.index.version}
	var found gathering
	found.lists = map[*entry][]int{}
	bytes := 0
	for _, g := range merge(t.Events) {
		if bytes > d.mostBytes {
			break
		}
		decision.Events = append(append(decision.Events, g.newest.ID), g.older...)
		for _, id := range g.older {
			decision.MergedInto[id] = g.newest.ID
		}
		if entries := d.index.matches(g.newest.MatchSubject()); len(entries) > 0 {
			found.add(&item{row: g.newest}, entries)
			bytes += g.newest.PayloadBytes * len(entries)
		}
	}
	if err := found.read(t.Payloads); err != nil {
		return models.Decision{}, err
	}
	for _, c := range found.cohorts() {
		decision.Deliveries = append(decision.Deliveries, c.deliveries()...)
	}
	for _, n := range decision.Deliveries {
		if n.Unbuilt != "" {
			d.log.ErrorContext(ctx, "cannot build the body", slog.Int64("webhook", n.WebhookID), slog.String("reason", n.Unbuilt))
		}
	}
	return decision, nil
}

// read fills in the payloads, once for each event however many webhooks get it.
func (g *gathering) read(payloads func([]int64) (map[int64][]byte, error)) error {
	var long []int64
	for _, it := range g.items {
		if len(it.row.Payload) < it.row.PayloadBytes {
			long = append(long, it.row.ID)
		}
	}
	found, err := payloads(long)
	if err != nil {
		return err
	}
	for _, it := range g.items {
		payload := it.row.Payload
		if len(payload) < it.row.PayloadBytes {
			payload = found[it.row.ID]
		}
		it.decode(payload)
	}
	return nil
}

// deliveries are those of all webhooks of the cohort. Each body is composed
// once.
func (c *cohort) deliveries() []models.NewDelivery {
	var all []models.NewDelivery
	c.prepare()
	for from := 0; from < len(c.items); {
		shared, to, unbuilt := c.compose(from)
		for _, e := range c.hooks {
			all = append(all, c.delivery(e, shared, c.items[from:to], unbuilt))
		}
		from = to
	}
	return all
}

func (c *cohort) delivery(e *entry, shared []byte, inside []*item, unbuilt error) models.NewDelivery {
	id := c.id(e.webhook, inside)
	n := models.NewDelivery{Delivery: models.Delivery{
		PublicID: id, WebhookID: e.webhook.ID, Location: e.webhook.Location, EventTypes: eventTypes(inside), Items: len(inside),
	}}
	for _, it := range inside {
		n.Events = append(n.Events, it.row.ID)
	}
	if unbuilt != nil {
		n.Unbuilt = "A notification could not be built from the event: " + unbuilt.Error() + "."
		return n
	}
	n.Body = wire.JoinBody(shared, c.format.OwnParts(shared, wire.Draft{ID: id, WebhookName: e.webhook.Name, Options: e.webhook.Options}))
	return n
}
