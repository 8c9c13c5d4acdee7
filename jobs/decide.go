package jobs

import (
	"context"
	"log/slog"
	"slices"
	"strings"

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
	plan := plan{at: map[int64]int{}}
	for _, g := range merge(t.Events) {
		if plan.bytes > d.mostBytes {
			break
		}
		decision.Events = append(append(decision.Events, g.newest.ID), g.older...)
		for _, id := range g.older {
			decision.MergedInto[id] = g.newest.ID
		}
		if entries := d.index.matches(g.newest.MatchSubject()); len(entries) > 0 {
			plan.add(entries, &item{row: g.newest})
		}
	}
	if err := plan.read(t.Payloads); err != nil {
		return models.Decision{}, err
	}
	decision.Deliveries = plan.deliveries()
	for _, n := range decision.Deliveries {
		if n.Unbuilt != "" {
			d.log.ErrorContext(ctx, "cannot build the body", slog.Int64("webhook", n.WebhookID), slog.String("reason", n.Unbuilt))
		}
	}
	return decision, nil
}

// item is an event on its way into bodies.
type item struct {
	row   models.Event
	event wire.Event
	err   error // it cannot be read
}

// plan gathers for each webhook the events that it gets.
type plan struct {
	hooks []planned
	items []*item
	at    map[int64]int // webhook → its place in hooks
	bytes int
}

type planned struct {
	entry *entry
	items []*item
}

func (p *plan) add(entries []*entry, it *item) {
	p.items = append(p.items, it)
	for _, e := range entries {
		i, ok := p.at[e.webhook.ID]
		if !ok {
			i = len(p.hooks)
			p.at[e.webhook.ID] = i
			p.hooks = append(p.hooks, planned{entry: e})
		}
		p.hooks[i].items = append(p.hooks[i].items, it)
		p.bytes += it.row.PayloadBytes
	}
}

// read fills in the payloads, once for each event however many webhooks get it.
func (p *plan) read(payloads func([]int64) (map[int64][]byte, error)) error {
	var long []int64
	for _, it := range p.items {
		if len(it.row.Payload) < it.row.PayloadBytes {
			long = append(long, it.row.ID)
		}
	}
	found, err := payloads(long)
	if err != nil {
		return err
	}
	for _, it := range p.items {
		payload := it.row.Payload
		if len(payload) < it.row.PayloadBytes {
			payload = found[it.row.ID]
		}
		it.event, it.err = wire.Decode(payload, it.row.OccurredAt)
		it.event.ID, it.event.Location, it.event.Subject = it.row.EventID, it.row.Location, it.row.Subject
	}
	return nil
}

func (p *plan) deliveries() []models.NewDelivery {
	var all []models.NewDelivery
	for _, h := range p.hooks {
		slices.SortStableFunc(h.items, func(a, b *item) int { return a.row.OccurredAt.Compare(b.row.OccurredAt) })
		all = append(all, h.build()...)
	}
	return all
}

// build cuts a webhook's events into as many bodies as its type wants. The
// ingest API lets nothing pass that cannot be read or written; should an event
// be so all the same, it becomes a failed delivery and stops no other.
func (h planned) build() []models.NewDelivery {
	var built []models.NewDelivery
	readable := make([]*item, 0, len(h.items))
	events := make([]wire.Event, 0, len(h.items))
	for _, it := range h.items {
		if it.err != nil {
			built = append(built, h.unbuilt(it, it.err))
			continue
		}
		readable, events = append(readable, it), append(events, it.event)
	}
	for start := 0; start < len(events); {
		id := h.entry.format.NewID()
		body, used, err := h.entry.format.Build(events[start:], wire.Draft{
			ID: id, WebhookName: h.entry.webhook.Name, Options: h.entry.webhook.Options,
		})
		if err != nil {
			built = append(built, h.unbuilt(readable[start], err))
			start++
			continue
		}
		built = append(built, h.delivery(id, body, readable[start:start+used]))
		start += used
	}
	return built
}

func (h planned) delivery(id string, body []byte, inside []*item) models.NewDelivery {
	n := models.NewDelivery{Delivery: models.Delivery{
		PublicID: id, WebhookID: h.entry.webhook.ID, Location: h.entry.webhook.Location,
		EventTypes: eventTypes(inside), Items: len(inside), Body: body,
	}}
	for _, it := range inside {
		n.Events = append(n.Events, it.row.ID)
	}
	return n
}

func (h planned) unbuilt(it *item, err error) models.NewDelivery {
	n := h.delivery(h.entry.format.NewID(), nil, []*item{it})
	n.Unbuilt = "A notification could not be built from the event: " + err.Error() + "."
	return n
}

// eventTypes lists the distinct types as ",a.b,c.d,".
func eventTypes(items []*item) string {
	types := make([]string, len(items))
	for i, it := range items {
		types[i] = it.row.Type
	}
	slices.Sort(types)
	return "," + strings.Join(slices.Compact(types), ",") + ","
}
