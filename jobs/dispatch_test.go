package jobs

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

func TestEventsWaitForTheDelay(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(nil)
		b.record(question("a", 1, nil))
		b.dispatch()
		b.clock.Add(9 * time.Second)
		b.dispatch()
		if n := len(b.deliveries(w)); n != 0 {
			b.t.Fatalf("%d deliveries before the delay of 10 s was over", n)
		}
		b.clock.Add(6 * time.Second)
		b.dispatch()
		b.deliver(w)
		if d := b.only(w); d.State != models.DeliveryDelivered || d.Items != 1 || d.EventTypes != ",question.created," {
			b.t.Errorf("delivery %+v", d.Delivery)
		}
		if got := b.receiver.titles(b.t); got != "a" {
			b.t.Errorf("received %q", got)
		}
	})
}

func TestNewestOfAMergeKeyIsSentHoweverYoung(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(nil)
		edit := func(id string) models.NewEvent { return question(id, 1, nil) }
		b.record(edit("first"))
		b.clock.Add(9900 * time.Millisecond) // just before the first falls due
		b.record(edit("second"))
		b.clock.Add(5 * time.Second)
		b.dispatch()
		b.deliver(w)
		if got := b.receiver.titles(b.t); got != "second" {
			b.t.Errorf("received %q", got)
		}
		first, err := b.store.Events.Get(b.t.Context(), "main", "first")
		ok(b.t, err)
		second, err := b.store.Events.Get(b.t.Context(), "main", "second")
		ok(b.t, err)
		if first.MergedInto == nil || *first.MergedInto != second.ID || first.DispatchedAt == nil || second.MergedInto != nil {
			b.t.Errorf("first %+v, second %+v", first, second)
		}
		from, err := b.store.Events.MergedFrom(b.t.Context(), second.ID)
		ok(b.t, err)
		if len(from) != 1 || from[0].EventID != "first" {
			b.t.Errorf("merged from %+v", from)
		}
	})
}

func TestMerge(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	event := func(id int64, key string, minute int) models.Event {
		return models.Event{ID: id, MergeKey: key, OccurredAt: at.Add(time.Duration(minute) * time.Minute)}
	}
	groups := merge([]models.Event{
		event(1, "a", 5), event(2, "", 0), event(3, "b", 0), event(4, "a", 3), event(5, "", 0), event(6, "a", 5), event(7, "b", 1),
	})
	var got []string
	for _, g := range groups {
		older := make([]int64, len(g.older))
		for i, e := range g.older {
			older[i] = e.ID
		}
		got = append(got, fmt.Sprint(g.newest.ID, older))
	}
	if want := "6 [4 1],2 [],7 [3],5 []"; strings.Join(got, ",") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestNothingCrossesBetweenLocations(t *testing.T) {
	onBoth(t, func(b *bench) {
		hooks := map[string]models.Webhook{}
		for _, location := range []string{"main", "team-a", "team-b"} {
			hooks[location] = b.webhook(func(in *models.WebhookInput) { in.Location = location })
		}
		b.record(question("a", 1, func(e *models.NewEvent) { e.Location = "team-a" }))
		b.later()
		for location, w := range hooks {
			want := 0
			if location == "team-a" {
				want = 1
			}
			if n := len(b.deliveries(w)); n != want {
				b.t.Errorf("%s: %d deliveries, want %d", location, n, want)
			}
		}
	})
}

func TestFiltersOfDispatch(t *testing.T) {
	onBoth(t, func(b *bench) {
		wants := map[string]int{"all": 3, "tag": 2, "community": 1, "activity": 0}
		hooks := map[string]models.Webhook{
			"all": b.webhook(nil),
			"tag": b.webhook(func(in *models.WebhookInput) {
				in.TagMode, in.Tags = models.TagsSpecific, []string{"espresso", "go"}
			}),
			"community": b.webhook(func(in *models.WebhookInput) { in.Community = "data" }),
			"activity":  b.webhook(func(in *models.WebhookInput) { in.Events = []string{wire.CommentCreated} }),
		}
		b.record(question("go", 1, nil), question("both", 2, func(e *models.NewEvent) { e.Tags = []string{"espresso", "go"} }),
			question("none", 3, func(e *models.NewEvent) { e.Tags, e.Community = nil, "data" }))
		b.clock.Add(time.Second)
		later := b.webhook(nil) // made after the events were received
		b.later()
		for name, w := range hooks {
			items := 0
			for _, d := range b.deliveries(w) {
				items += d.Items
			}
			if items != wants[name] {
				b.t.Errorf("%s: %d items, want %d", name, items, wants[name])
			}
		}
		if n := len(b.deliveries(later)); n != 0 {
			b.t.Errorf("a webhook made later got %d deliveries", n)
		}
	})
}

func TestBatchesHoldAtMost100Items(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(nil)
		var events []models.NewEvent
		for i := range 250 {
			events = append(events, question(fmt.Sprintf("q%03d", i), i, func(e *models.NewEvent) {
				// The site reports them youngest first; they go out oldest first.
				e.OccurredAt = b.clock.Now().Add(-time.Duration(i) * time.Minute)
			}))
		}
		b.record(events...)
		b.later()
		var items []int
		for _, d := range b.deliveries(w) {
			items = append(items, d.Items)
		}
		if !slices.Equal(items, []int{100, 100, 50}) {
			b.t.Errorf("items %v", items)
		}
		b.deliver(w)
		var want []string
		for i := 249; i >= 0; i-- {
			want = append(want, fmt.Sprintf("q%03d", i))
		}
		got := strings.Fields(b.receiver.titles(b.t))
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			b.t.Errorf("received %d of %d", len(got), len(want))
		}
	})
}

func TestMoreThanOneTakeIsDispatchedAtOnce(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(nil)
		for start := 0; start < 2500; start += 500 {
			var events []models.NewEvent
			for i := start; i < start+500; i++ {
				events = append(events, question(fmt.Sprintf("q%d", i), i, nil))
			}
			b.record(events...)
		}
		b.clock.Add(15 * time.Second)
		takes := 0
		for {
			r, err := b.dispatcher.once(b.t.Context())
			ok(b.t, err)
			takes++
			if !r.More {
				break
			}
		}
		items := 0
		for _, d := range b.deliveries(w) {
			items += d.Items
		}
		if items != 2500 || takes < 3 {
			b.t.Errorf("%d items in %d takes", items, takes)
		}
	})
}

func TestTwoDispatchersAtOnceDispatchOnce(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(nil)
		var events []models.NewEvent
		for i := range 400 {
			events = append(events, question(fmt.Sprintf("q%d", i), i, nil))
		}
		b.record(events...)
		b.set(models.DispatchInterval, "0")
		b.clock.Add(15 * time.Second)
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			d := *b.dispatcher
			wg.Go(func() {
				for range 3 {
					if _, err := d.once(b.t.Context()); err != nil {
						errs[i] = err
					}
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			ok(b.t, err)
		}
		items := 0
		for _, d := range b.deliveries(w) {
			items += d.Items
		}
		if items != 400 {
			b.t.Errorf("%d items, want 400", items)
		}
	})
}

func TestIntervalIsKeptAndChangesApplyAtOnce(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(nil)
		b.set(models.DispatchDelay, "0")
		b.set(models.DispatchInterval, "3600")
		b.dispatch()
		b.record(question("a", 1, nil))
		b.clock.Add(time.Minute)
		b.dispatch()
		if n := len(b.deliveries(w)); n != 0 {
			b.t.Fatalf("dispatched within the interval")
		}
		b.set(models.DispatchInterval, "5")
		b.dispatch()
		if n := len(b.deliveries(w)); n != 1 {
			b.t.Errorf("%d deliveries after the interval was shortened", n)
		}
	})
}

func TestClockSetBackDoesNotStopDispatch(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.webhook(nil) // which existed before, whatever the clock says now
		b.dispatch()
		b.clock.Add(-24 * time.Hour)
		b.set(models.DispatchDelay, "0")
		b.webhook(nil)
		b.record(question("a", 1, nil))
		b.clock.Add(time.Second)
		b.dispatch()
		rows, _, err := b.store.Deliveries.List(b.t.Context(), models.DeliveryQuery{Within: models.AllLocations(), Limit: 10})
		ok(b.t, err)
		if len(rows) != 2 {
			b.t.Errorf("%d deliveries", len(rows))
		}
	})
}

func TestTriggerHistoryCanBeOff(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(nil)
		b.set(models.EnableTriggerHistory, "False")
		b.record(question("a", 1, nil))
		b.later()
		a, err := b.store.Events.Get(b.t.Context(), "main", "a")
		ok(b.t, err)
		triggers, err := b.store.Events.Triggers(b.t.Context(), a.ID)
		ok(b.t, err)
		if a.Logged || len(triggers) != 0 || b.only(w).Items != 1 {
			b.t.Errorf("logged %v, %d triggers", a.Logged, len(triggers))
		}
		b.set(models.EnableTriggerHistory, "True")
		b.record(question("b", 2, nil))
		b.later()
		e, err := b.store.Events.Get(b.t.Context(), "main", "b")
		ok(b.t, err)
		triggers, err = b.store.Events.Triggers(b.t.Context(), e.ID)
		ok(b.t, err)
		if !e.Logged || len(triggers) != 1 || triggers[0].Webhook.ID != w.ID || triggers[0].Delivery.Items != 1 {
			b.t.Errorf("logged %v, triggers %+v", e.Logged, triggers)
		}
		b.record(question("c", 3, nil)) // waits
		for _, all := range []bool{true, false} {
			var ids []string
			page, err := b.store.Events.Search(b.t.Context(), models.EventQuery{Within: models.AllLocations(), Limit: 10, NoUnlogged: !all})
			ok(b.t, err)
			for _, e := range page.Rows {
				ids = append(ids, e.EventID)
			}
			if want := map[bool]string{true: "c b a", false: "c b"}[all]; strings.Join(ids, " ") != want {
				b.t.Errorf("found %v, want %s", ids, want)
			}
		}
	})
}

// TestWhatIsDispatchedAgainHasTheSameID: a database that was restored from a
// copy dispatches again what the copy had not dispatched. Receivers recognise
// each delivery of one event by its id.
func TestWhatIsDispatchedAgainHasTheSameID(t *testing.T) {
	onBoth(t, func(b *bench) {
		hooks := map[string][2]models.Webhook{}
		for _, kind := range []string{"stackauth", "userecho", "superoffice"} {
			another := func() models.Webhook {
				return b.webhook(func(in *models.WebhookInput) {
					in.Type, in.Events = kind, []string{"question.created", "topic.created"}
				})
			}
			hooks[kind] = [2]models.Webhook{another(), another()}
		}
		b.record(question("a", 1, nil), question("b", 2, nil))
		b.later()
		seen := map[string]string{} // id → webhook and event
		ids := func() map[string]string {
			found := map[string]string{} // webhook and event → id
			for kind, pair := range hooks {
				for i, w := range pair {
					for n, d := range b.deliveries(w) {
						name := fmt.Sprint(kind, i, " ", n)
						found[name] = d.PublicID
						if other, taken := seen[d.PublicID]; taken && other != name {
							b.t.Errorf("%s has the id of %s", name, other)
						}
						seen[d.PublicID] = name
					}
				}
			}
			return found
		}
		before := ids()
		if len(before) != 12 {
			b.t.Fatalf("deliveries %v", before)
		}
		b.undispatch()
		b.later()
		if after := ids(); !maps.Equal(before, after) {
			b.t.Errorf("before %v, after %v", before, after)
		}
	})
}

// undispatch makes the database one that was copied before it dispatched.
func (b *bench) undispatch() {
	b.t.Helper()
	for _, table := range []string{"deliveries", "triggers", "dispatches", "dispatched_events"} {
		b.exec("delete from " + table)
	}
	b.exec("insert into pending_events (location, received_at, event_id, merge_key) select location, received_at, id, merge_key from events")
}

// TestIndexAgreesWithMatch holds the index against the plain rule, over random
// webhooks and events.
func TestIndexAgreesWithMatch(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	some := func(from ...string) []string {
		var chosen []string
		for _, s := range from {
			if r.IntN(3) == 0 {
				chosen = append(chosen, s)
			}
		}
		return chosen
	}
	now := modelstest.NewClock().Now()
	options := []string{wire.QuestionCreated, wire.AnswerCreated, wire.CommentCreated}
	kinds := []models.EventKind{
		wire.KindOf(options[0]), wire.KindOf(options[1]), wire.KindOf(options[2]), {Family: "forum-comment", Type: wire.CommentCreated},
	}
	var hooks []models.Webhook
	for i := range 300 {
		hooks = append(hooks, models.Webhook{
			ID: int64(i + 1), Type: "generic", Location: pick("main", "a"), Events: some(options...),
			TagMode: pick(models.TagsAll, models.TagsSpecific), Tags: some("go", "sql", "css"), Community: pick("", "", "x"),
			CreatedAt: now.Add(time.Duration(r.IntN(3)-1) * time.Second), AfterEvent: r.Int64N(3),
		})
	}
	x := newIndex(hooks, 1)
	format, _ := wire.Lookup("generic")
	for range 500 {
		s := models.MatchSubject{
			Kind: kinds[r.IntN(len(kinds))], Location: pick("main", "a", "unknown"), Community: pick("", "x", "y"),
			Tags: some("go", "sql", "css", "html"), ReceivedAt: now, Number: r.Int64N(4),
		}
		var want, got []int64
		for _, w := range hooks {
			if models.Match(w.Filter(format.EventKinds(w.Events)), s).OK() {
				want = append(want, w.ID)
			}
		}
		for _, e := range x.matches(s) {
			got = append(got, e.webhook.ID)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%+v: got %v, want %v", s, got, want)
		}
	}
}
