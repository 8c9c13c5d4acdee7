package jobs

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// item is an event on its way into bodies.
type item struct {
	row     models.Event
	payload []byte // once it is decoded
	event   wire.Event
	err     error // it cannot be read
}

// decode reads the event's payload.
func (it *item) decode(payload []byte) {
	it.payload = payload
	it.event, it.err = wire.Decode(payload, it.row.OccurredAt)
	it.event.ID, it.event.Location, it.event.Subject = it.row.EventID, it.row.Location, it.row.Subject
}

// cohort is webhooks of one type that get the same events. Their bodies differ
// only in the parts of each webhook, so each body is composed once.
type cohort struct {
	format *wire.Format
	hooks  []*entry
	items  []*item
	events []wire.Event // of the items
	// rest is what it continues, or the place and dispatch of a new one.
	rest models.Rest
	// Built are the deliveries of the items before next, and, of the body that
	// is being sent out, those to the webhooks before hook.
	next, hook int
	body       *models.Body // of that body; nil: it could not be built
	unbuilt    error
	to         int  // the item behind that body; 0: none is being sent out
	moved      bool // something was built
}

// gathering puts webhooks into cohorts.
type gathering struct {
	items []*item
	lists map[*entry][]int // its items, as places in items
	hooks []*entry         // in the order of their first item
	pairs int
}

func (g *gathering) add(it *item, entries []*entry) {
	for _, e := range entries {
		list, known := g.lists[e]
		if !known {
			g.hooks = append(g.hooks, e)
		}
		g.lists[e] = append(list, len(g.items))
	}
	g.items, g.pairs = append(g.items, it), g.pairs+len(entries)
}

// cohorts are in the order of their first item.
func (g *gathering) cohorts(unlogged bool) []*cohort {
	var all []*cohort
	known := map[string]*cohort{}
	for _, e := range g.hooks {
		list := g.lists[e]
		key := []byte(e.format.Name)
		for _, at := range list {
			key = binary.AppendUvarint(key, uint64(at)) //nolint:gosec // no place is negative
		}
		c := known[string(key)]
		if c == nil {
			c = &cohort{format: e.format, rest: models.Rest{Location: e.webhook.Location, Logged: !unlogged}}
			for _, at := range list {
				c.items = append(c.items, g.items[at])
			}
			known[string(key)] = c
			all = append(all, c)
		}
		c.hooks = append(c.hooks, e)
	}
	return all
}

// prepare puts the items, once they are decoded, in the order in which they are
// sent: as they occurred, or, for types that send one event a body, as they
// were received. Those that cannot be read come first.
func (c *cohort) prepare() {
	slices.SortStableFunc(c.items, func(a, b *item) int {
		switch {
		case a.err != nil && b.err == nil:
			return -1
		case a.err == nil && b.err != nil:
			return 1
		case c.format.DeriveID != nil:
			return 0
		}
		return a.row.OccurredAt.Compare(b.row.OccurredAt)
	})
	c.events = make([]wire.Event, len(c.items))
	for i, it := range c.items {
		c.events[i] = it.event
	}
}

// compose writes the next body. The ingest API lets nothing pass that cannot be
// read or written; should an event be so all the same, it is alone, and becomes
// a delivery that failed.
func (c *cohort) compose() {
	c.body, c.unbuilt, c.hook = nil, nil, 0
	if c.rest.Body != nil {
		c.body, c.to = c.rest.Body, len(c.items)
		return
	}
	c.to = c.next + 1
	if c.unbuilt = c.items[c.next].err; c.unbuilt != nil {
		return
	}
	shared, used, err := c.format.Compose(c.events[c.next:c.sameVia()])
	if c.unbuilt = err; err == nil {
		c.body, c.to = &models.Body{Body: shared}, c.next+used
	}
}

// sameVia is where the items end that came through the same installations as the
// next one. Only they go into one body with it: its header names them.
func (c *cohort) sameVia() int {
	end := c.next + 1
	for end < len(c.items) && c.items[end].row.Via == c.items[c.next].row.Via {
		end++
	}
	return end
}

// advance builds deliveries while the budget lasts.
func (c *cohort) advance(left *budget) (built []models.NewDelivery) {
	if c.events == nil {
		c.prepare()
	}
	for c.next < len(c.items) && left.any() {
		c.moved = true
		if c.to == 0 {
			c.compose()
			if c.body != nil && c.body.ID == 0 {
				left.bytes -= len(c.body.Body)
			}
		}
		for c.hook < len(c.hooks) && left.any() {
			n := c.delivery(c.hooks[c.hook])
			left.spend(n)
			built = append(built, n)
			c.hook++
		}
		if c.hook == len(c.hooks) {
			c.next, c.to = c.to, 0
		}
	}
	return built
}

func (c *cohort) done() bool { return c.next == len(c.items) }

func (c *cohort) delivery(e *entry) models.NewDelivery {
	inside := c.items[c.next:c.to]
	id := c.id(e.webhook, inside)
	n := models.NewDelivery{Unlogged: !c.rest.Logged, Delivery: models.Delivery{
		PublicID: id, WebhookID: e.webhook.ID, Location: e.webhook.Location, DispatchID: c.rest.DispatchID,
		EventTypes: eventTypes(inside), Via: inside[0].row.Via, Items: len(inside), Subject: c.subject(inside[0].row),
	}}
	for _, it := range inside {
		n.Events = append(n.Events, it.row.ID)
	}
	if c.unbuilt != nil {
		n.Unbuilt = "A notification could not be built from the event: " + c.unbuilt.Error() + "."
		return n
	}
	own := c.format.OwnParts(c.body.Body, wire.Draft{ID: id, WebhookName: e.webhook.Name, Options: e.webhook.Options})
	if len(c.hooks) > 1 || c.body.ID != 0 {
		n.Shared, n.Body = c.body, own
		return n
	}
	n.Body = wire.JoinBody(c.body.Body, own)
	if len(inside) == 1 && c.rest.ID == 0 { // the event of a rest may be erased meanwhile
		short, at, length := inside[0].event.Shorten(n.Body, inside[0].payload)
		n.Body, n.Passage = short, inside[0].payload[at:at+length]
		n.PayloadAt, n.PayloadBytes = int32(at), int32(length) //nolint:gosec // an event has 256 KiB at most
	}
	return n
}

// id is that of a delivery to a webhook.
func (c *cohort) id(w models.Webhook, inside []*item) string {
	if c.format.DeriveID == nil {
		return c.format.NewID()
	}
	e := inside[0].row
	return c.format.DeriveID(e.OccurredAt, sha256.Sum256(fmt.Appendf(nil, "%d\x00%s\x00%s", w.ID, e.Location, e.EventID)))
}

// subject is a hash of what an event of a source is about, for types that send the
// events of one subject in order; 0: no order is kept.
func (c *cohort) subject(e models.Event) int64 {
	if c.format.DeriveID == nil || e.Subject == "" {
		return 0
	}
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s\x00%s\x00%s\x00%s", e.Location, e.Source, e.Kind().Family, e.Subject)
	return int64(h.Sum64()) //nolint:gosec // any number will do
}

// rests are what is not built yet, for later runs.
func (c *cohort) rests() (rests []models.Rest) {
	if c.done() || c.rest.ID != 0 && !c.moved {
		return nil
	}
	r := c.rest
	if c.to > 0 && c.hook > 0 {
		r.EventIDs, r.WebhookIDs = ids(c.items[c.next:c.to]), hookIDs(c.hooks[c.hook:])
		r.Body = c.body
		rests = append(rests, r)
		if c.to == len(c.items) {
			return rests
		}
		r.ID, r.Body, r.BodyID = 0, nil, 0
		c.next = c.to
	}
	r.EventIDs, r.WebhookIDs = ids(c.items[c.next:]), hookIDs(c.hooks)
	return append(rests, r)
}

func ids(items []*item) []int64 {
	ids := make([]int64, len(items))
	for i, it := range items {
		ids[i] = it.row.ID
	}
	return ids
}

func hookIDs(hooks []*entry) []int64 {
	ids := make([]int64, len(hooks))
	for i, e := range hooks {
		ids[i] = e.webhook.ID
	}
	return ids
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
