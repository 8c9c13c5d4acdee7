package torture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// tortureGrace is how long after an answer of the console a request may still
// begin as things were before: it was being made, or its lane looked shortly
// before the database went away.
const tortureGrace = 30 * time.Second

// tortureCheck compares the records of the site, the administrator and the
// receivers. It knows the contract and nothing of the product's code.
type tortureCheck struct {
	run      *tortureRun
	got      []tortureGot
	byNumber map[int]*tortureWebhook
	byID     map[int64]*tortureWebhook
	reached  map[pair]bool // taken by a receiver
	came     map[pair]bool // taken or not
	first    []time.Duration
	by       []time.Duration // of each event: when it was dispatched at the latest
	newer    map[string][]*tortureEvent
	// unrecorded is how many more deliveries a webhook got than the history has
	// as delivered.
	unrecorded map[int]int
}

// pair is a webhook and an event.
type pair struct{ webhook, event int }

// never is later than everything.
const never = time.Duration(1<<63 - 1)

func (r *tortureRun) check() {
	c := &tortureCheck{
		run: r, got: r.targets.arrived(), byNumber: map[int]*tortureWebhook{}, byID: map[int64]*tortureWebhook{},
		reached: map[pair]bool{}, came: map[pair]bool{}, newer: map[string][]*tortureEvent{}, unrecorded: map[int]int{},
	}
	for _, w := range r.admin.webhooks {
		c.byNumber[w.number], c.byID[w.id] = w, w
	}
	c.requests()
	c.dispatched()
	for _, e := range r.site.events {
		if e.accepted > 0 && e.key != "" {
			c.newer[e.key] = append(c.newer[e.key], e)
		}
	}
	dropped := c.history()
	for _, w := range r.admin.webhooks {
		c.webhook(w, dropped[w.number])
	}
}

// requests checks the requests alone: repeats are equal, no event is in two
// deliveries of a webhook, and each went where its webhook sent then.
func (c *tortureCheck) requests() {
	sums, inside := map[string]string{}, map[pair]string{}
	seen := map[string]bool{}
	c.first = slices.Repeat([]time.Duration{never}, len(c.run.site.events))
	c.run.count("requests received", len(c.got))
	for _, g := range c.got {
		w := c.byNumber[g.webhook]
		if w == nil {
			c.run.fault("misrouted", "a request for webhook %d, which there is not", g.webhook)
			continue
		}
		if g.taken {
			c.run.count("requests answered with success", 1)
		}
		if len(g.marks) == 0 { // a test, as a save of a broken webhook sends
			c.run.count("test notifications", 1)
			continue
		}
		if sum, known := sums[g.id]; known && sum != g.sum {
			c.run.fault("other faults", "delivery %s came with two bodies", g.id)
		}
		sums[g.id] = g.sum
		if delivery := fmt.Sprint(g.webhook, " ", g.id); seen[delivery] {
			c.run.count("repeats with the same id", 1)
		} else {
			seen[delivery] = true
		}
		c.place(w, g)
		keys := map[string]bool{}
		for _, n := range g.marks {
			p := pair{g.webhook, n}
			if id, known := inside[p]; known && id != g.id {
				c.run.fault("other faults", "event %d is in two deliveries of webhook %d: %s and %s", n, g.webhook, id, g.id)
			}
			inside[p] = g.id
			c.came[p] = true
			c.reached[p] = c.reached[p] || g.taken
			e := c.run.site.events[n]
			if e.key != "" && keys[e.key] {
				c.run.fault("other faults", "delivery %s has two events that merge, one is %d", g.id, n)
			}
			keys[e.key] = true
			c.first[n] = min(c.first[n], g.at)
		}
	}
}

// place looks whether the request went where the webhook sent at that time,
// and whether the webhook was there.
func (c *tortureCheck) place(w *tortureWebhook, g tortureGot) {
	if w.deleted != nil && g.at > w.deleted.sure+tortureGrace {
		c.run.fault("misrouted", "webhook %d sent at %s; it was deleted at %s", w.number, g.at, w.deleted.sure)
	}
	for i, v := range w.versions {
		last := i+1 == len(w.versions)
		if v.receiver == g.receiver && v.from <= g.at && (last || w.versions[i+1].sure+tortureGrace >= g.at) {
			return
		}
	}
	c.run.fault("misrouted", "webhook %d sent to receiver %d at %s", w.number, g.receiver, g.at)
}

// dispatched finds out when each event was dispatched at the latest. Events of
// a location are taken in the order in which they were received, so that was
// before any event of the location arrived anywhere that was reported after
// this one was accepted. Those that merge do not count there: they may be taken
// early. Locations take turns, so other locations say nothing.
func (c *tortureCheck) dispatched() {
	c.by = make([]time.Duration, len(c.run.site.events))
	places := map[string][]*tortureEvent{}
	for _, e := range c.run.site.events {
		places[e.location] = append(places[e.location], e)
	}
	for _, events := range places {
		c.dispatchedOf(events)
	}
}

// dispatchedOf does so for the events of one location.
func (c *tortureCheck) dispatchedOf(events []*tortureEvent) {
	later := make([]*tortureEvent, 0, len(events))
	for _, e := range events {
		if e.key == "" {
			later = append(later, e)
		}
	}
	slices.SortFunc(later, func(a, b *tortureEvent) int { return cmp.Compare(a.posted, b.posted) })
	soonest := make([]time.Duration, len(later)+1)
	soonest[len(later)] = never
	for i := len(later) - 1; i >= 0; i-- {
		soonest[i] = min(soonest[i+1], c.first[later[i].number])
	}
	for _, e := range events {
		i, _ := slices.BinarySearchFunc(later, e.accepted+1, func(x *tortureEvent, at time.Duration) int { return cmp.Compare(x.posted, at) })
		c.by[e.number] = c.first[e.number]
		if !c.moved(e, soonest[i]) {
			c.by[e.number] = min(soonest[i], c.first[e.number])
		}
	}
}

// moved tells whether the database's clock, which orders what it receives, was
// moved between an event and a moment. The server follows within two seconds.
func (c *tortureCheck) moved(e *tortureEvent, until time.Duration) bool {
	return slices.ContainsFunc(c.run.fleet.moved, func(at time.Duration) bool {
		return at+2*time.Second > e.posted && at < until
	})
}

// merged tells whether an event that came nowhere may have been merged: there
// is a newer one of its key that was reported before it was dispatched.
func (c *tortureCheck) merged(e *tortureEvent) bool {
	return e.key != "" && c.first[e.number] == never && slices.ContainsFunc(c.newer[e.key], func(other *tortureEvent) bool {
		return other.occurred.After(e.occurred) && other.posted <= c.by[e.number]
	})
}

// webhook checks that a webhook got its events, and no others.
func (c *tortureCheck) webhook(w *tortureWebhook, dropped int) {
	var missing []*tortureEvent
	maybe := 0 // missing, and rightly so whether they were dropped or not
	for _, e := range c.run.site.events {
		p := pair{w.number, e.number}
		must, may := c.wanted(w, e)
		switch {
		case !may && c.came[p]:
			c.run.fault("misrouted", "webhook %d got event %d (%s at %s), sent at %s; it was %+v", w.number, e.number, e.kind, e.location, e.posted, w.versions)
		case !may:
			continue
		case e.accepted == 0: // told already
		case must:
			c.run.count("pairs of event and webhook", 1)
			switch {
			case c.reached[p]:
			case c.merged(e):
				maybe++
				c.run.count("events merged into newer ones", 1)
			default:
				missing = append(missing, e)
			}
		default:
			c.run.count("pairs that might go either way", 1)
			if !c.reached[p] {
				maybe++
			}
		}
	}
	c.missing(w, missing, maybe, dropped)
}

// missing compares missing events with those that an administrator dropped:
// there is no other reason for one to be missing.
func (c *tortureCheck) missing(w *tortureWebhook, missing []*tortureEvent, maybe, dropped int) {
	explained := 0
	for _, e := range missing {
		if slices.ContainsFunc(w.drops, func(d tortureSpan) bool { return e.posted <= d.sure }) {
			explained++
			continue
		}
		c.run.fault("lost", "webhook %d (%s) lacks event %d (%s, sent at %s, accepted at %s, dispatched by %s%s)", w.number, w.kind, e.number, e.kind, e.posted, e.accepted, c.by[e.number], c.others(e))
	}
	c.run.count("events dropped with their deliveries", explained)
	if explained > dropped {
		c.run.fault("lost", "webhook %d (%s) lacks %d events that were accepted before its deliveries were dropped; these had %d", w.number, w.kind, explained, dropped)
		c.run.count("lost", explained-dropped-1)
	}
	if dropped > explained+maybe+c.untold(w) {
		c.run.fault("other faults", "webhook %d (%s): %d events were dropped, of which only %d were for it", w.number, w.kind, dropped, explained+maybe)
	}
}

// untold is how many events a webhook may have got in deliveries that were
// dropped before their outcome was recorded, where its type tells no id.
func (c *tortureCheck) untold(w *tortureWebhook) int {
	most := 1
	switch {
	case tortureIDs[w.kind] != "":
		return 0
	case w.kind == "slack":
		most = 100 // events in one body
	}
	return most * c.unrecorded[w.number]
}

// others are the events with which one might have merged, as far as they are
// near to it.
func (c *tortureCheck) others(e *tortureEvent) string {
	var b strings.Builder
	for _, other := range c.newer[e.key] {
		if e.key != "" && (other.posted-e.posted).Abs() < 10*time.Second {
			fmt.Fprintf(&b, "; %d of its key happened %s after it, sent at %s, first arrived at %s", other.number, other.occurred.Sub(e.occurred), other.posted, c.first[other.number])
		}
	}
	return b.String()
}

// wanted tells whether a webhook must get an event, and whether it may, by the
// filters that were, or might have been, in force when it was dispatched.
func (c *tortureCheck) wanted(w *tortureWebhook, e *tortureEvent) (must, may bool) {
	earliest, latest := e.posted, c.by[e.number]
	if e.accepted == 0 {
		latest = never
	}
	existed := w.versions[0].sure < e.posted
	if e.accepted > 0 && w.versions[0].from > e.accepted {
		return false, false // it was created after the event was received
	}
	must = existed
	for i, v := range w.versions {
		last := i+1 == len(w.versions)
		if v.from > latest || !last && w.versions[i+1].sure < earliest {
			continue
		}
		wants := tortureMatch(w.kind, v.tortureFilter, e)
		must, may = must && wants, may || wants
	}
	if w.deleted != nil {
		must, may = must && w.deleted.from > latest, may && w.deleted.sure >= earliest
	}
	return must && may, may
}

// tortureCovers are the events that a type's words stand for, where they are
// not the events' own names.
var tortureCovers = map[string]map[string][]string{
	"userecho": {
		"topic.created": {"topic.created", "question.created"}, "comment.created": {"comment.created", "answer.created"},
		"comment.accepted": {"comment.accepted", "answer.accepted"},
	},
	"superoffice": {"question.changed": {"question.edited"}, "answer.changed": {"answer.edited", "answer.accepted"}},
}

// tortureMatch says whether a filter wants an event: same location, activity
// chosen, a tag in common or all, community any or the same.
func tortureMatch(kind string, f tortureFilter, e *tortureEvent) bool {
	if f.location != e.location || f.community != "" && f.community != e.community {
		return false
	}
	if f.tags != nil && !slices.ContainsFunc(e.tags, func(tag string) bool { return slices.Contains(f.tags, tag) }) {
		return false
	}
	return slices.ContainsFunc(f.options, func(option string) bool {
		covers := tortureCovers[kind][option]
		return slices.Contains(covers, e.kind) || covers == nil && option == e.kind
	})
}

// history compares the product's own record with the requests received, and
// counts the events of each webhook that were dropped and never taken.
func (c *tortureCheck) history() (dropped map[int]int) {
	taken, size := map[string]bool{}, map[string]int{} // by webhook and id
	name := func(webhook int, id string) string { return fmt.Sprint(webhook, " ", id) }
	distinct := map[int]int{}
	for _, g := range c.got {
		if len(g.marks) == 0 {
			continue
		}
		key := name(g.webhook, g.id)
		size[key] = len(g.marks)
		if g.taken && !taken[key] {
			taken[key] = true
			distinct[g.webhook]++
		}
	}
	dropped = map[int]int{}
	delivered, droppedRows := map[int]int{}, map[int]int{}
	c.run.history("", func(d tortureDelivery) {
		c.run.count("deliveries in the history", 1)
		w := c.byID[d.WebhookID]
		if w == nil || w.kind != d.Type {
			c.run.fault("misrouted", "the history has delivery %s of webhook id %d, a %s", d.ID, d.WebhookID, d.Type)
			return
		}
		hasID := tortureIDs[w.kind] != ""
		key := name(w.number, d.ID)
		switch d.State {
		case "delivered":
			delivered[w.number]++
			if hasID && !taken[key] {
				c.run.fault("other faults", "the history says that %s of webhook %d was delivered; its receiver knows nothing of it", d.ID, w.number)
			}
		case "dropped":
			c.run.count("deliveries dropped by an administrator", 1)
			droppedRows[w.number]++
			if len(w.drops) == 0 {
				c.run.fault("lost", "delivery %s of webhook %d was dropped, which nobody asked for: %s", d.ID, w.number, d.Reason)
			}
			if hasID && taken[key] {
				c.run.count("of them arrived all the same", 1)
			} else {
				dropped[w.number] += d.Events
			}
		case "failed":
			c.run.fault("failed", "delivery %s of webhook %d (%s): %s", d.ID, w.number, w.kind, d.Reason)
		default:
			c.run.fault("stuck", "delivery %s of webhook %d (%s) is %s, due %v: %s", d.ID, w.number, w.kind, d.State, d.DueAt, d.Reason)
		}
		if hasID && size[key] != 0 && size[key] != d.Events {
			c.run.fault("other faults", "delivery %s has %d events in the history and %d at its receiver", d.ID, d.Events, size[key])
		}
		if hasID && taken[key] {
			delete(taken, key)
		}
	})
	c.unknown(taken)
	for _, w := range c.run.admin.webhooks {
		// Types that tell no id are compared by number.
		n := distinct[w.number]
		c.unrecorded[w.number] = max(0, n-delivered[w.number])
		if tortureIDs[w.kind] == "" && (n < delivered[w.number] || n > delivered[w.number]+droppedRows[w.number]) {
			c.run.fault("other faults", "webhook %d (%s): %d deliveries arrived; the history has %d delivered and %d dropped",
				w.number, w.kind, n, delivered[w.number], droppedRows[w.number])
		}
	}
	return dropped
}

// unknown tells of deliveries that arrived and that the history does not have.
func (c *tortureCheck) unknown(taken map[string]bool) {
	for key := range taken {
		var number int
		var id string
		_, _ = fmt.Sscan(key, &number, &id)
		if w := c.byNumber[number]; w != nil && tortureIDs[w.kind] != "" {
			c.run.fault("other faults", "delivery %s of webhook %d arrived; the history does not have it", id, number)
		}
	}
}
