package jobs

import (
	"github.com/sitehooks/sitehooks/models"
)

// dispatchBytes bounds the payloads that one transaction of dispatch reads, on
// an instance with enough memory; a larger event is read alone. dispatchPairs
// bounds how many times an event meets a webhook in it.
const (
	dispatchBytes = 8 << 20
	dispatchPairs = 200_000
)

// shareRows and shareBytes are a location's share: they are built, and then it
// is the next location's turn.
const (
	shareRows  = 128
	shareBytes = 512 << 10
)

// work is what one transaction of dispatch builds: cohorts of each location.
type work struct {
	found     gathering
	byID      map[int64]*item
	locations []string
	queues    map[string][]*cohort // by location
}

func newWork() *work {
	return &work{found: gathering{lists: map[*entry][]int{}}, byID: map[int64]*item{}, queues: map[string][]*cohort{}}
}

// item is the one of an event, however many cohorts have it. Read decodes it
// if bodies are built from it.
func (w *work) item(e models.Event, builds bool) *item {
	it := w.byID[e.ID]
	if it == nil {
		it = &item{row: e}
	}
	if builds {
		w.byID[e.ID] = it
	}
	return it
}

// match decides about groups of events: which webhooks get the newest one of
// each.
func (d *dispatcher) match(run *models.Dispatch, groups []group) (*work, models.Decision) {
	w := newWork()
	decided := models.Decision{MergedInto: map[int64]int64{}}
	bytes := 0
	for _, g := range groups {
		if bytes > d.mostBytes || w.found.pairs > dispatchPairs {
			break
		}
		decided.Events = append(append(decided.Events, g.newest), g.older...)
		for _, e := range g.older {
			decided.MergedInto[e.ID] = g.newest.ID
		}
		if entries := d.index.matches(g.newest.MatchSubject()); len(entries) > 0 {
			w.found.add(w.item(g.newest, !run.Careful), entries)
			bytes += g.newest.PayloadBytes
		}
	}
	for _, c := range w.found.cohorts(!run.Settings.TriggerHistory) {
		w.add(c)
	}
	return w, decided
}

// resume takes up rests, as many as the payloads of their events allow. Webhooks
// that were deleted or moved meanwhile get nothing.
func (d *dispatcher) resume(w *work, rests []models.Rest) {
	bytes := 0
	for _, r := range rests {
		if bytes > d.mostBytes {
			break
		}
		c := &cohort{rest: r}
		for _, id := range r.WebhookIDs {
			if e := d.index.byID[id]; e != nil && e.webhook.Location == r.Location {
				c.hooks, c.format = append(c.hooks, e), e.format
			}
		}
		for _, e := range r.Events {
			if len(c.hooks) > 0 {
				c.items = append(c.items, w.item(e, r.Body == nil))
				if r.Body == nil {
					bytes += e.PayloadBytes
				}
			}
		}
		w.add(c)
	}
}

func (w *work) add(c *cohort) {
	if w.queues[c.rest.Location] == nil {
		w.locations = append(w.locations, c.rest.Location)
	}
	w.queues[c.rest.Location] = append(w.queues[c.rest.Location], c)
}

// read fills in the payloads, once for each event however many webhooks get it.
func (w *work) read(payloads func([]int64) (map[int64][]byte, error)) error {
	var long []int64
	for _, it := range w.byID {
		if len(it.row.Payload) < it.row.PayloadBytes {
			long = append(long, it.row.ID)
		}
	}
	found, err := payloads(long)
	if err != nil {
		return err
	}
	for _, it := range w.byID {
		payload := it.row.Payload
		if len(payload) < it.row.PayloadBytes {
			payload = found[it.row.ID]
		}
		it.decode(payload)
	}
	return nil
}

// budget is how much may still be built.
type budget struct{ rows, bytes int }

func (b *budget) any() bool { return b.rows > 0 && b.bytes > 0 }

func (b *budget) spend(n models.NewDelivery) {
	b.rows--
	if len(n.Events) > 1 && !n.Unlogged {
		b.rows -= len(n.Events) // a trigger each
	}
	b.bytes -= len(n.Body)
}

// build builds deliveries, of one location after the other, as far as the
// transaction's budget lasts. What is left becomes rests. A careful run builds
// those of rests alone.
func (w *work) build(run *models.Dispatch) (deliveries []models.NewDelivery, rests []models.Rest, done []int64) {
	left := budget{run.MaxRows, run.MaxBytes}
	for busy := true; busy && left.any(); {
		busy = false
		for _, location := range w.locations {
			c := w.next(location, run.Careful)
			if c == nil || !left.any() {
				continue
			}
			share := budget{min(shareRows, left.rows), min(shareBytes, left.bytes)}
			rest := budget{left.rows - share.rows, left.bytes - share.bytes}
			deliveries = append(deliveries, c.advance(&share)...)
			left = budget{rest.rows + share.rows, rest.bytes + share.bytes}
			busy = true
		}
	}
	for _, location := range w.locations {
		for _, c := range w.queues[location] {
			rests = append(rests, c.rests()...)
			if c.done() && c.rest.ID != 0 {
				done = append(done, c.rest.ID)
			}
		}
	}
	return deliveries, rests, done
}

// next is the first cohort of a location that is not done; nil: all are.
func (w *work) next(location string, careful bool) *cohort {
	for _, c := range w.queues[location] {
		if !c.done() && (!careful || c.rest.ID != 0) {
			return c
		}
	}
	return nil
}
