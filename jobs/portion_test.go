package jobs

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// perRun is how many deliveries one transaction of dispatch stores at most.
func (b *bench) perRun() int {
	b.t.Helper()
	if b.store.Postgres() == nil {
		return 600
	}
	return 2000
}

// clones makes n webhooks more that are like one, without lanes.
func (b *bench) clones(w models.Webhook, n int) {
	b.t.Helper()
	const same = `type, name, location, events, tag_mode, tags, community, url, url_shown, secret_1, secret_1_set_at, secret_1_used_at,
		secret_2, secret_2_set_at, secret_2_used_at, headers, options, state, state_reason, state_at, state_by, owner_id, owner_name,
		created_at, updated_at, updated_by, deleted_at`
	first := w.ID + 1
	b.exec(fmt.Sprintf(`insert into webhooks (id, %[1]s) with recursive g(i) as (select 0 union all select i + 1 from g where i < %[2]d)
		select %[3]d + i, %[1]s from webhooks cross join g where id = %[4]d`, same, n-1, first, w.ID))
	if b.store.Postgres() != nil {
		b.exec("select setval(pg_get_serial_sequence('webhooks', 'id'), (select max(id) from webhooks))")
	}
	b.exec("update match_versions set version = version + 1")
}

func (b *bench) count(query string) (n int) {
	b.t.Helper()
	ok(b.t, b.db().QueryRowContext(b.t.Context(), query).Scan(&n))
	return n
}

// once is one transaction of dispatch.
func (b *bench) once() models.DispatchResult {
	b.t.Helper()
	r, err := b.dispatcher.once(b.t.Context())
	ok(b.t, err)
	return r
}

// killed replaces the dispatcher, as a start after a kill does.
func (b *bench) killed() {
	old := b.dispatcher
	b.dispatcher = &dispatcher{store: old.store, runner: old.runner, log: old.log, mostBytes: old.mostBytes, careful: true}
}

// TestAnEventForManyWebhooksIsDispatchedInPortions: what one event makes is
// stored in several transactions. A kill between two of them loses nothing, and
// a webhook gets the event if it matched at the first.
func TestAnEventForManyWebhooksIsDispatchedInPortions(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.set(models.DispatchInterval, "0")
		all := b.perRun() + 100
		w := b.webhook(nil)
		b.clones(w, all-1)
		b.record(question("large", 1, func(e *models.NewEvent) {
			e.Payload = []byte(strings.Replace(string(e.Payload), "Title of", strings.Repeat("Long ", 5000), 1))
		}))
		b.clock.Add(15 * time.Second)
		r := b.once()
		first := b.count("select count(*) from deliveries")
		if first == 0 || first > b.perRun() || !r.More {
			b.t.Fatalf("%d deliveries of %d in the first transaction: %+v", first, all, r)
		}
		e, err := b.store.Events.Get(b.t.Context(), "main", "large")
		ok(b.t, err)
		if e.DispatchedAt == nil || !e.Unfinished {
			b.t.Errorf("after the first transaction: %+v", e)
		}
		// Neither a filter that changes now nor a webhook that is made now counts.
		last := b.reload(models.Webhook{ID: w.ID + int64(all) - 1})
		b.exec(fmt.Sprintf("update webhooks set events = '[\"comment.created\"]' where id = %d", last.ID))
		b.exec("update match_versions set version = version + 1")
		late := b.webhook(nil)
		b.killed()
		b.dispatch()
		if n, hooks := b.count("select count(*) from deliveries"), b.count("select count(distinct webhook_id) from deliveries"); n != all || hooks != all {
			b.t.Errorf("%d deliveries to %d webhooks, want %d", n, hooks, all)
		}
		if n := len(b.deliveries(late)); n != 0 {
			b.t.Errorf("a webhook made meanwhile got %d deliveries", n)
		}
		if bodies, own, by := b.count("select count(*) from bodies"), b.count("select sum(length(body)) from deliveries"), b.count("select count(distinct dispatch_id) from deliveries"); bodies != 1 || own != 0 || by != 1 {
			b.t.Errorf("%d bodies, %d bytes of deliveries' own, %d dispatches", bodies, own, by)
		}
		after, err := b.store.Events.Get(b.t.Context(), "main", "large")
		ok(b.t, err)
		if after.Unfinished || *after.MatchVersion != *e.MatchVersion {
			b.t.Errorf("in the end: %+v", after)
		}
		b.deliver(w)
		row, err := b.store.Deliveries.Get(b.t.Context(), models.AllLocations(), b.only(last).PublicID)
		ok(b.t, err)
		if got := b.receiver.requests(); len(got) != 1 || string(got[0].body) != string(wire.JoinBody(row.SharedBytes(), row.Body)) || len(got[0].body) < 20_000 {
			b.t.Errorf("the first and the last webhook have other bodies: %d requests", len(got))
		}
	})
}

// TestABurstOfOneLocationDoesNotStopAnother: locations take turns, also between
// the portions of what one of them makes.
func TestABurstOfOneLocationDoesNotStopAnother(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.set(models.DispatchInterval, "0")
		w := b.webhook(func(in *models.WebhookInput) { in.Type, in.Events = "stackauth", []string{"question.created"} })
		other := b.webhook(func(in *models.WebhookInput) { in.Location = "team-b" })
		hooks := b.perRun() / 10
		b.exec(fmt.Sprintf("update webhooks set id = id + 1000000 where id = %d", other.ID))
		b.exec(fmt.Sprintf("update lanes set webhook_id = webhook_id + 1000000 where webhook_id = %d", other.ID))
		other.ID += 1000000
		b.clones(w, hooks-1)
		var burst []models.NewEvent
		for i := range 40 {
			burst = append(burst, question(fmt.Sprintf("burst %02d", i), i, nil))
		}
		b.record(burst...)
		elsewhere := func(id string) {
			b.record(question(id, 1, func(e *models.NewEvent) { e.Location, e.MergeKey = "team-b", "" }))
			b.clock.Add(15 * time.Second)
			b.once()
		}
		elsewhere("a") // received after the burst
		for i, id := range []string{"a", "b", "c"} {
			if n, rest := len(b.deliveries(other)), b.count("select count(*) from dispatch_rest"); n != i+1 || rest == 0 {
				b.t.Fatalf("%s: %d deliveries elsewhere, %d rests of the burst", id, n, rest)
			}
			elsewhere(id + "2")
		}
		b.dispatch()
		if n := b.count(fmt.Sprintf("select count(*) from deliveries where webhook_id <> %d", other.ID)); n != hooks*40 {
			b.t.Errorf("%d deliveries of the burst, want %d", n, hooks*40)
		}
		// Each webhook gets the events in the order of receipt.
		if n := b.count("select count(*) from deliveries d join deliveries e on e.webhook_id = d.webhook_id and e.id > d.id and e.event_id < d.event_id"); n != 0 {
			b.t.Errorf("%d pairs in another order than they were received", n)
		}
	})
}

// refuse makes the database refuse deliveries of an event type.
func (b *bench) refuse(eventType string) (allow func()) {
	b.t.Helper()
	if b.store.Postgres() == nil {
		b.exec("create trigger refuse before insert on deliveries when new.event_types like '%" + eventType + "%' begin select raise(abort, 'refused by the test'); end")
		return func() { b.exec("drop trigger refuse") }
	}
	b.exec(`create function refuse() returns trigger language plpgsql as $$ begin
		if new.event_types like '%` + eventType + `%' then raise exception 'refused by the test'; end if; return new; end $$`)
	b.exec("create trigger refuse before insert on deliveries for each row execute function refuse()")
	return func() { b.exec("drop trigger refuse on deliveries") }
}

// TestWhatCannotBeDispatchedIsSetAside: after three tries an event is set aside
// with the reason, and the others go on, also those of its webhook.
func TestWhatCannotBeDispatchedIsSetAside(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.set(models.DispatchInterval, "0")
		w := b.webhook(nil)
		elsewhere := b.webhook(func(in *models.WebhookInput) { in.Location = "team-b" })
		allow := b.refuse(wire.QuestionEdited)
		b.record(question("good", 1, nil), question("bad", 2, func(e *models.NewEvent) { e.Type, e.MergeKey = wire.QuestionEdited, "" }),
			question("fine", 3, nil), question("other", 4, func(e *models.NewEvent) { e.Location, e.MergeKey = "team-b", "" }))
		b.clock.Add(15 * time.Second)
		failed := 0
		for more := true; more; {
			r, err := b.dispatcher.once(b.t.Context())
			if err != nil {
				if failed++; failed > 10 {
					b.t.Fatal(err)
				}
			}
			more = err != nil || r.More
		}
		items := 0
		for _, d := range b.deliveries(w) {
			items += d.Items
		}
		if items != 2 || len(b.deliveries(elsewhere)) != 1 {
			b.t.Errorf("%d items, %d elsewhere", items, len(b.deliveries(elsewhere)))
		}
		aside, err := b.store.Events.SetAside(b.t.Context(), 10)
		ok(b.t, err)
		bad, err := b.store.Events.Get(b.t.Context(), "main", "bad")
		ok(b.t, err)
		if len(aside) != 1 || len(aside[0].EventIDs) != 1 || aside[0].EventIDs[0] != bad.ID || aside[0].Tries != 3 ||
			!strings.Contains(aside[0].Reason, "refused by the test") || aside[0].SetAsideAt == nil || !bad.Unfinished {
			b.t.Fatalf("set aside: %+v", aside)
		}
		b.record(question("later", 5, nil))
		b.later()
		if n := len(b.deliveries(w)); n < 2 {
			b.t.Errorf("nothing goes on behind what was set aside")
		}
		allow()
		n, err := b.store.Events.TryAgain(b.t.Context(), admin)
		ok(b.t, err)
		b.later()
		if got := b.count("select count(*) from deliveries where event_types = ',question.edited,'"); n != 1 || got != 1 {
			b.t.Errorf("tried %d again, %d deliveries", n, got)
		}
	})
}

// TestWhatEndsTheProcessIsSetAside: a try counts before anything is done.
func TestWhatEndsTheProcessIsSetAside(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.set(models.DispatchInterval, "0")
		w := b.webhook(nil)
		b.record(question("a", 1, nil))
		b.clock.Add(15 * time.Second)
		b.killed()
		b.once() // leaves a rest
		for range 3 {
			run, _, err := b.store.Events.Dispatch(b.t.Context(), models.DispatchOptions{Careful: true})
			ok(b.t, err)
			run.Rollback() // as the end of the process does
		}
		b.killed()
		b.dispatch()
		aside, err := b.store.Events.SetAside(b.t.Context(), 10)
		ok(b.t, err)
		if len(aside) != 1 || aside[0].Reason != "Sitehooks stopped while it dispatched the events." || len(b.deliveries(w)) != 0 {
			b.t.Errorf("set aside %+v, %d deliveries", aside, len(b.deliveries(w)))
		}
	})
}

// TestOneRunReadsABoundedAmount: an instance with little memory dispatches a few
// events at a time.
func TestOneRunReadsABoundedAmount(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(nil)
		var events []models.NewEvent
		for i := range 6 {
			events = append(events, question(strconv.Itoa(i), i, nil))
		}
		b.dispatcher.mostBytes = len(events[0].Payload) * 3 / 2
		b.record(events...)
		b.clock.Add(15 * time.Second)
		for range 3 {
			if r := b.once(); r.Events != 2 {
				b.t.Fatalf("%d events in one run, want 2", r.Events)
			}
		}
		b.deliver(w)
		if got := len(strings.Fields(b.receiver.titles(b.t))); got != 6 {
			b.t.Errorf("received %d events", got)
		}
	})
}

// TestItemsGoOldestFirst: as they occurred, whatever the order in which the site
// reported them.
func TestItemsGoOldestFirst(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(nil)
		var events []models.NewEvent
		for i, age := range []int{2, 3, 1} {
			events = append(events, question(fmt.Sprint("age", age), i, func(e *models.NewEvent) {
				e.OccurredAt = b.clock.Now().Add(-time.Duration(age) * time.Minute)
			}))
		}
		b.record(events...)
		b.later()
		b.deliver(w)
		if got := b.receiver.titles(b.t); got != "age3 age2 age1" {
			b.t.Errorf("received %q", got)
		}
	})
}

// TestSubjectsOfDeliveries: the deliveries of one subject have one hash, by
// which lanes keep their order; those of batches have none.
func TestSubjectsOfDeliveries(t *testing.T) {
	onBoth(t, func(b *bench) {
		single := b.webhook(func(in *models.WebhookInput) {
			in.Type, in.Events = "stackauth", []string{"team.created", "team.deleted", "user.created", "question.created"}
		})
		batch := b.webhook(nil)
		about := func(kind, subject string) models.NewEvent {
			return models.NewEvent{EventID: kind + subject, Type: kind, Location: "main", Subject: subject, Payload: []byte(`{"type":"` + kind + `","data":{}}`)}
		}
		b.record(about("team.created", "1"), about("team.deleted", "1"), about("team.created", "2"), about("user.created", "1"),
			about("user.created", ""), question("q", 1, nil))
		b.later()
		subjects := map[string]int64{}
		rows, err := b.db().QueryContext(b.t.Context(), `select e.event_id, d.webhook_id, q.subject from delivery_queue q
			join deliveries d on d.id = q.delivery_id join events e on e.id = d.event_id`)
		ok(b.t, err)
		defer rows.Close()
		for rows.Next() {
			var event string
			var webhook, subject int64
			ok(b.t, rows.Scan(&event, &webhook, &subject))
			if webhook == batch.ID && subject != 0 {
				b.t.Errorf("%s in a batch has a subject", event)
			} else if webhook == single.ID {
				subjects[event] = subject
			}
		}
		ok(b.t, rows.Err())
		one := subjects["team.created1"]
		if len(subjects) != 6 || one == 0 || subjects["team.deleted1"] != one || subjects["team.created2"] == one || subjects["user.created1"] == one ||
			subjects["user.created"] != 0 || subjects["q"] == 0 {
			b.t.Errorf("subjects %v", subjects)
		}
	})
}
