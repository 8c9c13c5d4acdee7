package jobs

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// item is an event on its way into bodies.
type item struct {
	row   models.Event
	event wire.Event
	err   error // it cannot be read
}

// decode reads the event's payload.
func (it *item) decode(payload []byte) {
	it.event, it.err = wire.Decode(payload, it.row.OccurredAt)
	it.event.ID, it.event.Location, it.event.Subject = it.row.EventID, it.row.Location, it.row.Subject
}

// cohort is the webhooks of one type that get the same events. Their bodies
// differ only in the parts of each webhook, so each body is composed once.
type cohort struct {
	format *wire.Format
	hooks  []*entry
	items  []*item
	events []wire.Event // of the items
}

// gathering puts webhooks into cohorts.
type gathering struct {
	items []*item
	lists map[*entry][]int // its items, as places in items
	hooks []*entry         // in the order of their first item
}

func (g *gathering) add(it *item, entries []*entry) {
	for _, e := range entries {
		list, known := g.lists[e]
		if !known {
			g.hooks = append(g.hooks, e)
		}
		g.lists[e] = append(list, len(g.items))
	}
	g.items = append(g.items, it)
}

// cohorts are in the order of their first item.
func (g *gathering) cohorts() []*cohort {
	var all []*cohort
	known := map[string]*cohort{}
	for _, e := range g.hooks {
		list := g.lists[e]
		key := e.format.Name + fmt.Sprint(list)
		c := known[key]
		if c == nil {
			c = &cohort{format: e.format}
			for _, at := range list {
				c.items = append(c.items, g.items[at])
			}
			known[key] = c
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
		case (a.err == nil) != (b.err == nil):
			return cmp.Compare(readable(a), readable(b))
		case c.format.DeriveID != nil:
			return 0
		default:
			return a.row.OccurredAt.Compare(b.row.OccurredAt)
		}
	})
	c.events = make([]wire.Event, len(c.items))
	for i, it := range c.items {
		c.events[i] = it.event
	}
}

func readable(it *item) int {
	if it.err != nil {
		return 0
	}
	return 1
}

// compose writes the body of the items from one on, and says before which one it
// ends. The ingest API lets nothing pass that cannot be read or written; should
// an event be so all the same, it is alone, and unbuilt says why.
func (c *cohort) compose(from int) (shared []byte, to int, unbuilt error) {
	if err := c.items[from].err; err != nil {
		return nil, from + 1, err
	}
	shared, used, err := c.format.Compose(c.events[from:])
	if err != nil {
		return nil, from + 1, err
	}
	return shared, from + used, nil
}

// id is that of a delivery to a webhook.
func (c *cohort) id(w models.Webhook, inside []*item) string {
	if c.format.DeriveID == nil {
		return c.format.NewID()
	}
	e := inside[0].row
	return c.format.DeriveID(e.OccurredAt, sha256.Sum256(fmt.Appendf(nil, "%d\x00%s\x00%s", w.ID, e.Location, e.EventID)))
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
