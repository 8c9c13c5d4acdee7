package jobs

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

func (b *bench) manual() *manualSender {
	return &manualSender{store: b.store, log: slog.New(slog.DiscardHandler), stored: func() {}}
}

// sendByHand asks for all events of the main site to be sent to a webhook, and
// carries it out.
func (b *bench) sendByHand(w models.Webhook, key string) models.ManualSend {
	b.t.Helper()
	m := b.startByHand(w, key)
	for {
		more, err := b.manual().once(b.t.Context())
		ok(b.t, err)
		if !more {
			break
		}
	}
	m, err := b.store.Sends.Get(b.t.Context(), m.ID)
	ok(b.t, err)
	return m
}

func (b *bench) startByHand(w models.Webhook, key string) models.ManualSend {
	b.t.Helper()
	_, err := b.store.Users.CreateFirst(b.t.Context(), models.User{Email: "mary@example.com", Name: admin.Name, PasswordHash: "x", Role: models.RoleAdministrator})
	ok(b.t, err)
	return b.startByHandAs(admin, w, key)
}

func (b *bench) startByHandAs(by models.Actor, w models.Webhook, key string) models.ManualSend {
	b.t.Helper()
	q := models.EventQuery{Within: models.AllLocations(), Location: w.Location}
	can, err := b.store.Sends.Count(b.t.Context(), q, 0)
	ok(b.t, err)
	total := int64(0)
	for _, n := range can.Kinds {
		total += n
	}
	m, err := b.store.Sends.Start(b.t.Context(), by, models.ManualSend{Key: key, WebhookID: w.ID, Query: q, Total: total}, can, "all")
	ok(b.t, err)
	return m
}

func deaf(in *models.WebhookInput) { in.TagMode, in.Tags = models.TagsSpecific, []string{"other"} }

// TestEventsSentByHand: each event of a filter becomes one delivery, however
// often the work is interrupted, repeated by another instance or asked for by
// the same form, and no event looks as if it had matched.
func TestEventsSentByHand(t *testing.T) {
	for _, kind := range []string{"generic", "superoffice"} {
		t.Run(kind, func(t *testing.T) {
			onBoth(t, func(b *bench) { testEventsSentByHand(b, kind) })
		})
	}
}

func testEventsSentByHand(b *bench, kind string) {
	w := b.webhook(func(in *models.WebhookInput) { deaf(in); in.Type = kind })
	heard := b.webhook(nil)
	var events []models.NewEvent
	for n := range 250 {
		events = append(events, question(fmt.Sprint("q", n), n, nil))
	}
	b.record(events...)
	b.later()
	before, err := b.store.Events.Get(b.t.Context(), "main", "q7")
	ok(b.t, err)

	b.clock.Add(time.Minute)
	ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, heard.ID)) // another version of the webhooks
	m := b.startByHand(w, "form")
	if again := b.startByHand(w, "form"); again.ID != m.ID || m.Total != 250 {
		b.t.Fatalf("asked for %+v, and again for %+v", m, again)
	}
	// Two instances make the same portion; the second one's is not stored.
	one, err := b.store.Sends.Next(b.t.Context())
	ok(b.t, err)
	other, err := b.store.Sends.Next(b.t.Context())
	ok(b.t, err)
	format, _ := wire.Lookup(w.Type)
	ok(b.t, b.store.Sends.Store(b.t.Context(), one, manualDeliveries(format, one)))
	if err := b.store.Sends.Store(b.t.Context(), other, manualDeliveries(format, other)); !errors.Is(err, models.ErrChanged) {
		b.t.Fatalf("a portion was stored twice: %v", err)
	}
	if m = b.sendByHand(w, "form"); m.Created != 250 || m.EndedAt == nil {
		b.t.Fatalf("carried out: %+v", m)
	}
	if p, err := b.store.Sends.Progress(b.t.Context(), m); p != (models.ManualProgress{Left: 250}) || err != nil {
		b.t.Errorf("%+v, error %v", p, err)
	}
	b.sentOnce(w, 250)

	after, err := b.store.Events.Get(b.t.Context(), "main", "q7")
	ok(b.t, err)
	if before.MatchVersion == nil || after.MatchVersion == nil || *after.MatchVersion != *before.MatchVersion || !after.DispatchedAt.Equal(*before.DispatchedAt) {
		b.t.Errorf("the event was dispatched %+v, and now %+v", before, after)
	}
	matched, err := b.store.Events.Matched(b.t.Context(), models.AllLocations(), []int64{after.ID}, 0)
	ok(b.t, err)
	if matched[after.ID].N != 1 {
		b.t.Errorf("%d webhooks matched, one heard of it: %s", matched[after.ID].N, heard.Name)
	}
	rows, err := b.store.Events.Triggers(b.t.Context(), after.ID)
	ok(b.t, err)
	if len(rows) != 2 || rows[0].Delivery.SentBy != admin.Name || rows[1].Delivery.SentBy != "" {
		b.t.Errorf("deliveries of the event: %+v", rows)
	}
}

// sentOnce checks that a webhook has one delivery of each event, marked with
// the name of the member, and with an id of its own.
func (b *bench) sentOnce(w models.Webhook, n int) {
	b.t.Helper()
	events, ids := map[int64]bool{}, map[string]bool{}
	for before := int64(0); ; {
		page, err := b.store.Deliveries.Search(b.t.Context(), models.DeliveryQuery{Within: models.AllLocations(), WebhookID: w.ID, Limit: 100, Before: before})
		ok(b.t, err)
		for _, d := range page.Rows {
			if d.EventID == nil || d.SentBy != admin.Name || d.State != models.DeliveryPending || !d.Paced {
				b.t.Fatalf("delivery %+v", d.Delivery)
			}
			events[*d.EventID], ids[d.PublicID] = true, true
		}
		if before = page.Next; before == 0 {
			break
		}
	}
	if len(events) != n || len(ids) != n {
		b.t.Errorf("%d events in %d deliveries", len(events), len(ids))
	}
}

// TestSentByHandAndTriggered: an event that was triggered and sent by hand, twice,
// has three deliveries with ids of their own, which all arrive.
func TestSentByHandAndTriggered(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		b.record(question("q", 1, nil))
		b.later()
		b.sendByHand(w, "first")
		b.sendByHand(w, "second")
		b.deliver(w)
		b.deliver(w)
		var by []string
		ids := map[string]bool{}
		for _, d := range b.deliveries(w) {
			by, ids[d.PublicID] = append(by, d.SentBy), true
			if d.State != models.DeliveryDelivered {
				t.Errorf("delivery %+v", d.Delivery)
			}
		}
		if slices.Sort(by); !slices.Equal(by, []string{"", admin.Name, admin.Name}) || len(ids) != 3 {
			t.Errorf("sent by %q, ids %v", by, ids)
		}
	})
}

// TestWhatCannotBeSentByHand: erased, merged and waiting events are left out,
// and so are those that the type cannot carry; a paused webhook holds what is
// sent to it; one that is deleted or moved ends it.
func TestWhatCannotBeSentByHand(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(deaf)
		b.record(question("edit", 1, nil))
		b.record(question("erased", 2, nil), question("edit again", 1, nil), question("kept", 3, nil), question("user", 4, func(e *models.NewEvent) {
			e.Type, e.Payload, e.MergeKey = "user.created", []byte(`{"id":"user","type":"user.created","data":{}}`), ""
		}))
		b.later()
		erased, err := b.store.Events.Get(b.t.Context(), "main", "erased")
		ok(b.t, err)
		_, err = b.store.Events.Erase(b.t.Context(), admin, erased.ID)
		ok(b.t, err)
		b.record(question("waits", 5, nil))
		can, err := b.store.Sends.Count(b.t.Context(), models.EventQuery{Within: models.AllLocations(), Location: "main"}, 0)
		ok(b.t, err)
		if n := can.Kinds[models.EventKind{Family: "question", Type: wire.QuestionCreated}]; n != 2 || can.Kinds[models.EventKind{Family: "user", Type: "user.created"}] != 1 {
			b.t.Errorf("counted %v", can.Kinds)
		}
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, w.ID))
		m := b.sendByHand(w, "paused")
		if p, err := b.store.Sends.Progress(b.t.Context(), m); m.Created != 2 || p != (models.ManualProgress{Left: 2, Held: true}) || err != nil {
			b.t.Errorf("%+v: %+v, error %v", m, p, err)
		}
		_, err = b.store.Webhooks.Resume(b.t.Context(), admin, w.ID, true)
		ok(b.t, err)
		if p, err := b.store.Sends.Progress(b.t.Context(), m); p != (models.ManualProgress{Dropped: 2}) || err != nil {
			b.t.Errorf("dropped: %+v, error %v", p, err)
		}
		_, _, err = b.store.Sends.One(b.t.Context(), admin, "one", models.NewDelivery{Events: []int64{erased.ID}, Delivery: models.Delivery{
			PublicID: "x", WebhookID: w.ID, Location: "main", Body: []byte("{}"), Items: 1, EventTypes: ",question.created,",
		}}, "event")
		if !errors.Is(err, models.ErrErased) {
			b.t.Errorf("an erased event was sent: %v", err)
		}
		open := b.startByHand(w, "deleted")
		_, err = b.store.Webhooks.Delete(b.t.Context(), admin, w.ID)
		ok(b.t, err)
		_, err = b.manual().once(b.t.Context())
		ok(b.t, err)
		if open, err = b.store.Sends.Get(b.t.Context(), open.ID); open.Reason != "The webhook was deleted." || open.EndedAt == nil || err != nil {
			b.t.Errorf("after the webhook was deleted: %+v, %v", open, err)
		}
	})
}

// TestSendingByHandEndsWithItsMembersRights: what a member started goes on only
// while that member may still send events of its location.
func TestSendingByHandEndsWithItsMembersRights(t *testing.T) {
	onBoth(t, func(b *bench) {
		ctx, users := b.t.Context(), b.store.Users
		w := b.webhook(deaf)
		var events []models.NewEvent
		for n := range 101 {
			events = append(events, question(fmt.Sprint("q", n), n, nil))
		}
		b.record(events...)
		b.later()
		_, err := users.Create(ctx, models.User{Email: "mary@example.com", PasswordHash: "x", Role: models.RoleAdministrator})
		ok(b.t, err)
		for _, c := range []struct {
			name, reason string
			change       func(id int64) (models.User, error)
		}{
			{"viewer", "The member who started it is no longer an administrator.", func(id int64) (models.User, error) {
				return users.SetRole(ctx, admin, id, models.RoleViewer)
			}},
			{"elsewhere", "The member who started it may no longer see this location.", func(id int64) (models.User, error) {
				return users.Limit(ctx, admin, id, models.OnlyLocations("devcentral"))
			}},
			{"disabled", "The member who started it was disabled.", func(id int64) (models.User, error) { return users.Disable(ctx, admin, id) }},
			{"removed", "The member who started it was removed.", func(id int64) (models.User, error) { return users.Remove(ctx, admin, id) }},
			{"unchanged", "", func(id int64) (models.User, error) { return users.Limit(ctx, admin, id, models.OnlyLocations("main")) }},
		} {
			by, err := users.Create(ctx, models.User{Email: c.name + "@example.com", Name: c.name, PasswordHash: "x", Role: models.RoleAdministrator})
			ok(b.t, err)
			m := b.startByHandAs(by.Actor(), w, c.name)
			_, err = b.manual().once(ctx)
			ok(b.t, err)
			_, err = c.change(by.ID)
			ok(b.t, err)
			_, err = b.manual().once(ctx)
			ok(b.t, err)
			m, err = b.store.Sends.Get(ctx, m.ID)
			ok(b.t, err)
			created := map[bool]int64{true: 101, false: 100}[c.reason == ""]
			if m.Reason != c.reason || m.Created != created || m.EndedAt == nil {
				b.t.Errorf("%s: %+v", c.name, m)
			}
		}
	})
}
