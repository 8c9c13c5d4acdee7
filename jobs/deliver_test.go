package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/sitehooks/sitehooks/models"
)

// one webhook with one pending delivery.
func pending(b *bench, change func(*models.WebhookInput)) models.Webhook {
	b.t.Helper()
	w := b.webhook(change)
	b.record(question("a", 1, nil))
	b.later()
	return w
}

func TestBothSecretsSignAndTheAttemptIsRecorded(t *testing.T) {
	onBoth(t, func(b *bench) {
		secrets := []string{strings.Repeat("0123456789abcdef", 4), strings.Repeat("f", 64)}
		w := pending(b, func(in *models.WebhookInput) {
			in.Secrets[0].Set, in.Secrets[1].Set = secrets[0], secrets[1]
			in.Headers = []models.Header{{Name: "X-Api-Key", Value: "a very private value"}}
		})
		now := time.Now()
		b.clock.Add(now.Sub(b.clock.Now())) // verifiers look at their own clock
		b.deliver(w)
		got := b.receiver.requests()
		if len(got) != 1 || got[0].header.Get("X-Api-Key") != "a very private value" {
			b.t.Fatalf("received %+v", got)
		}
		for _, s := range secrets {
			hook, err := standardwebhooks.NewWebhookRaw([]byte(s))
			ok(b.t, err)
			ok(b.t, hook.Verify(got[0].body, got[0].header))
		}
		d := b.only(w)
		attempts, err := b.store.Deliveries.Attempts(b.t.Context(), d.ID)
		ok(b.t, err)
		if len(attempts) != 1 || attempts[0].Code != 200 || attempts[0].Number != 1 || d.Tries != 1 || d.LastCode != 200 || d.FinishedAt == nil {
			b.t.Fatalf("delivery %+v, attempts %+v", d.Delivery, attempts)
		}
		var headers [][2]string
		ok(b.t, json.Unmarshal(attempts[0].RequestHeaders, &headers))
		if strings.Contains(string(attempts[0].RequestHeaders), "very private") || len(headers) < 5 {
			b.t.Errorf("recorded headers %s", attempts[0].RequestHeaders)
		}
		if w := b.reload(w); w.Secret1UsedAt == nil || w.Secret2UsedAt == nil {
			b.t.Error("the secrets' last use is not noted")
		}
	})
}

func TestRetriesFollowTheSchedule(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		b.receiver.answers(http.StatusServiceUnavailable)
		pauses := []time.Duration{
			5 * time.Second, 5 * time.Minute, 30 * time.Minute,
			2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
		}
		for i, pause := range pauses {
			at := b.clock.Now()
			b.deliver(w)
			d := b.only(w)
			if d.Tries != i+1 || d.State != models.DeliveryRetrying || d.LastCode != 503 {
				b.t.Fatalf("after attempt %d: %+v", i+1, d.Delivery)
			}
			wait := d.DueAt.Sub(at)
			if wait < pause || wait > pause+time.Second {
				b.t.Errorf("pause %d is %s, want %s", i+1, wait, pause)
			}
			b.deliver(w) // too early: nothing happens
			b.clock.Add(wait)
		}
		b.deliver(w)
		d := b.only(w)
		got := b.receiver.requests()
		if d.State != models.DeliveryFailed || d.DueAt != nil || d.FinishedAt == nil || len(got) != 8 || d.Reason == "" {
			b.t.Fatalf("after %d attempts: %+v", len(got), d.Delivery)
		}
		for _, r := range got {
			if r.id != d.PublicID || string(r.body) != string(got[0].body) {
				b.t.Errorf("a repeat differs in id or body")
			}
		}
		// Only failures for over 24 h and 8 in a row: broken too.
		if w := b.reload(w); w.State != models.WebhookBroken || !strings.Contains(w.StateReason, "failed") {
			b.t.Errorf("state %s: %s", w.State, w.StateReason)
		}
	})
}

func TestGoneBreaksAndResumeSendsWhatWasHeld(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		b.receiver.answers(http.StatusGone)
		b.deliver(w)
		if w := b.reload(w); w.State != models.WebhookBroken || !strings.Contains(w.StateReason, "410") {
			b.t.Fatalf("state %s: %s", w.State, w.StateReason)
		}
		b.record(question("b", 2, nil))
		b.later()
		b.receiver.answers(http.StatusOK)
		b.clock.Add(time.Hour)
		b.deliver(w)
		rows := b.deliveries(w)
		if len(rows) != 2 || !rows[0].Held || !rows[1].Held || len(b.receiver.requests()) != 1 {
			b.t.Fatalf("not held: %+v", rows)
		}
		n, err := b.store.Webhooks.Resume(b.t.Context(), admin, w.ID, false)
		ok(b.t, err)
		swept := b.due()
		b.deliver(w)
		for _, d := range b.deliveries(w) {
			if d.State != models.DeliveryDelivered {
				b.t.Errorf("%s is %s", d.PublicID, d.State)
			}
		}
		if n != 2 || len(swept) != 1 || len(b.receiver.requests()) != 3 {
			b.t.Errorf("released %d, swept %v", n, swept)
		}
	})
}

func TestPausedAndSwitchedOffHold(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(nil)
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, w.ID))
		b.set(models.EnableGenericWebhooks, "False")
		b.record(question("a", 1, nil))
		b.later()
		b.deliver(w)
		if d := b.only(w); !d.Held || !strings.Contains(d.HeldWhy, "paused by Mary Wilkins") {
			b.t.Fatalf("held %v: %s", d.Held, d.HeldWhy)
		}
		_, err := b.store.Webhooks.Resume(b.t.Context(), admin, w.ID, false)
		ok(b.t, err)
		b.deliver(w)
		if d := b.only(w); !d.Held || !strings.Contains(d.HeldWhy, models.EnableGenericWebhooks) || len(b.receiver.requests()) > 0 {
			b.t.Fatalf("held %v: %s", d.Held, d.HeldWhy)
		}
		b.set(models.EnableGenericWebhooks, "True")
		swept := b.due()
		b.deliver(w)
		if d := b.only(w); d.State != models.DeliveryDelivered || len(swept) != 1 {
			b.t.Errorf("%s, swept %v", d.State, swept)
		}
	})
}

func TestDroppedOnlyByHand(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, w.ID))
		n, err := b.store.Webhooks.Resume(b.t.Context(), admin, w.ID, true)
		ok(b.t, err)
		b.deliver(w)
		if d := b.only(w); n != 1 || d.State != models.DeliveryDropped || d.Reason != "dropped by Mary Wilkins" || len(b.receiver.requests()) > 0 {
			b.t.Errorf("dropped %d: %+v", n, d.Delivery)
		}
		b.record(question("b", 2, nil))
		b.later()
		dropped, err := b.store.Webhooks.Delete(b.t.Context(), admin, w.ID)
		ok(b.t, err)
		b.deliver(w)
		if d := b.deliveries(w)[1]; dropped != 1 || d.State != models.DeliveryDropped || d.Webhook.Name != "all" {
			b.t.Errorf("deleted: %d dropped, %+v", dropped, d)
		}
	})
}

func TestRetentionDropsWhatWasHeldTooLong(t *testing.T) {
	onBoth(t, func(b *bench) {
		held, sends := b.webhook(nil), b.webhook(nil)
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, held.ID))
		b.record(question("a", 1, nil))
		b.later()
		b.deliver(sends)
		b.record(question("undispatched", 2, nil))
		b.clock.Add(29 * 24 * time.Hour)
		p, err := b.store.Pruning().Step(b.t.Context())
		ok(b.t, err)
		if p.Deliveries+p.Events+p.Expired != 0 {
			b.t.Fatalf("pruned within the retention: %+v", p)
		}
		b.clock.Add(2 * 24 * time.Hour)
		finished := map[string]int64{}
		b.store.Finished = func(webhookType, state string, n int64) { finished[webhookType+" "+state] += n }
		_, err = b.store.Pruning().Step(b.t.Context())
		ok(b.t, err)
		if len(finished) != 1 || finished["generic dropped"] != 1 {
			b.t.Errorf("counted %v", finished)
		}
		if d := b.only(held); d.State != models.DeliveryDropped || d.Reason != "expired while held" {
			b.t.Errorf("held: %+v", d.Delivery)
		}
		if rows := b.deliveries(sends); len(rows) != 0 {
			b.t.Errorf("delivered 31 days ago and still there")
		}
		_, err = b.store.Events.Get(b.t.Context(), "main", "a")
		ok(b.t, err) // a delivery refers to it still
		b.clock.Add(31 * 24 * time.Hour)
		for range 2 {
			_, err = b.store.Pruning().Step(b.t.Context())
			ok(b.t, err)
		}
		if _, err = b.store.Events.Get(b.t.Context(), "main", "a"); !errors.Is(err, models.ErrNotFound) {
			b.t.Errorf("the event is still there: %v", err)
		}
		_, err = b.store.Events.Get(b.t.Context(), "main", "undispatched")
		ok(b.t, err)
	})
}

// TestRetentionGetsPastWhatIsKept: kept rows come before those to remove.
func TestRetentionGetsPastWhatIsKept(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		b.record(many(150)...)
		b.later() // they wait, and are kept
		var events []models.NewEvent
		for i := range 350 {
			events = append(events, question(fmt.Sprintf("n%03d", i), 1000+i, func(e *models.NewEvent) { e.Type = "team.created" }))
		}
		b.record(events...)
		b.later() // nobody wants these
		b.clock.Add(31 * 24 * time.Hour)
		var removed int64
		pass, steps := b.store.Pruning(), 0
		for more := true; more; steps++ {
			p, err := pass.Step(b.t.Context())
			ok(b.t, err)
			removed, more = removed+p.Events, p.More
			if p.Deliveries+p.Expired != 0 || p.Events > 100 {
				b.t.Fatalf("%+v", p)
			}
		}
		if removed != 350 || steps != 6 || len(b.deliveries(w)) != 150 {
			b.t.Errorf("%d events removed in %d steps, %d deliveries left", removed, steps, len(b.deliveries(w)))
		}
	})
}

func TestResend(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		b.deliver(w)
		d := b.only(w)
		b.clock.Add(time.Second)
		ok(b.t, b.store.Deliveries.Resend(b.t.Context(), admin, d.PublicID))
		b.receiver.answers(http.StatusInternalServerError)
		b.deliver(w)
		again := b.only(w)
		got := b.receiver.requests()
		if len(got) != 2 || got[1].id != got[0].id || string(got[1].body) != string(got[0].body) {
			b.t.Fatalf("resent %+v", got)
		}
		if again.State != models.DeliveryDelivered || again.DueAt != nil || again.Resend || again.Tries != 2 {
			b.t.Errorf("after a failed resend: %+v", again.Delivery)
		}
		attempts, err := b.store.Deliveries.Attempts(b.t.Context(), d.ID)
		ok(b.t, err)
		if len(attempts) != 2 || attempts[0].Manual || !attempts[1].Manual || attempts[1].Code != 500 {
			b.t.Errorf("attempts %+v", attempts)
		}
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, w.ID))
		if err := b.store.Deliveries.Resend(b.t.Context(), admin, d.PublicID); !errors.Is(err, models.ErrNotActive) {
			b.t.Errorf("resend while paused: %v", err)
		}
		if err := b.store.Deliveries.Resend(b.t.Context(), admin, "msg_unknown"); !errors.Is(err, models.ErrNotFound) {
			b.t.Errorf("resend of nothing: %v", err)
		}
	})
}

func TestEditingChangesURLAndSecretsOfWhatWaits(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		other := newReceiver(b.t)
		secret := strings.Repeat("ab", 32)
		_, err := b.store.Webhooks.Update(b.t.Context(), admin, w.ID, w.UpdatedAt, models.WebhookInput{
			Name: "renamed", Location: "main", TagMode: models.TagsAll, Events: w.Events, URL: other.URL, URLShown: other.URL,
			Secrets: [2]models.SecretChange{{Set: secret}},
		})
		ok(b.t, err)
		body := b.only(w)
		b.deliver(w)
		got := other.requests()
		if len(got) != 1 || len(b.receiver.requests()) != 0 || got[0].header.Get("webhook-signature") == "" {
			b.t.Fatalf("received %+v", got)
		}
		d, err := b.store.Deliveries.Get(b.t.Context(), models.AllLocations(), body.PublicID)
		ok(b.t, err)
		if string(d.Body) != string(got[0].body) {
			b.t.Error("the body changed")
		}
	})
}

func TestMovingAwayDropsWhatWaits(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		_, err := b.store.Webhooks.Update(b.t.Context(), admin, w.ID, w.UpdatedAt, models.WebhookInput{
			Name: "moved", Location: "team-a", TagMode: models.TagsAll, Events: w.Events, URL: b.receiver.URL, URLShown: b.receiver.URL,
		})
		ok(b.t, err)
		b.deliver(w)
		if d := b.only(w); d.State != models.DeliveryDropped || len(b.receiver.requests()) > 0 {
			b.t.Errorf("%+v", d.Delivery)
		}
	})
}

func TestOneInstanceWorksOnALane(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		swept := b.due()
		_, claimed := b.claim(w, "another instance")
		b.runner.offer(swept)
		b.runner.begin(b.t.Context())
		b.runner.lanes.Wait()
		if !claimed || len(swept) != 1 || len(b.receiver.requests()) != 0 {
			b.t.Fatal("two worked on one lane")
		}
		// The other dies: after its lease the sweep finds the lane.
		swept = b.due()
		b.clock.Add(laneLease + time.Second)
		found := b.due()
		b.deliver(w)
		if len(swept) != 0 || len(found) != 1 || b.only(w).State != models.DeliveryDelivered {
			b.t.Errorf("swept %v, then %v", swept, found)
		}
	})
}

// TestReleaseLooksOnceMore: what falls due while a lane is held goes on at
// once.
func TestReleaseLooksOnceMore(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		_, claimed := b.claim(w, "me")
		b.record(question("b", 2, nil))
		b.later()
		idle, err := b.store.Lanes.ReleaseIdle(b.t.Context(), w.ID, "me", models.Release{})
		ok(b.t, err)
		again, err := b.store.Lanes.Release(b.t.Context(), w.ID, "me", models.Release{})
		ok(b.t, err)
		if !claimed || idle || len(again) != 1 || again[0].WebhookID != w.ID || len(b.due()) != 1 {
			b.t.Errorf("claimed %v, released as idle %v, again %v", claimed, idle, again)
		}
	})
}

// TestALostLeaseReleasesNothing: whoever lost a lease leaves the lane to its
// new holder.
func TestALostLeaseReleasesNothing(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		_, first := b.claim(w, "lost")
		b.clock.Add(laneLease + time.Second)
		_, second := b.claim(w, "new")
		again, err := b.store.Lanes.Release(b.t.Context(), w.ID, "lost", models.Release{Slow: true})
		ok(b.t, err)
		idle, err := b.store.Lanes.ReleaseIdle(b.t.Context(), w.ID, "lost", models.Release{Slow: true})
		ok(b.t, err)
		work, err := b.store.Lanes.Reload(b.t.Context(), w.ID)
		ok(b.t, err)
		if !first || !second || len(again) != 0 || !work.HeldBy("new", 0) || work.Lane.Slow {
			b.t.Errorf("claimed %v and %v, again %v, idle %v, the lane %+v", first, second, again, idle, work.Lane)
		}
	})
}

// TestALeaseOfTheFutureHoldsNothing: after the clock was set back a lane does
// not stay held until the clock reaches the old time.
func TestALeaseOfTheFutureHoldsNothing(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		_, claimed := b.claim(w, "before")
		b.clock.Add(-5 * time.Hour)
		ok(b.t, b.store.Lanes.Reschedule(b.t.Context()))
		due := b.due()
		_, again := b.claim(w, "after")
		if !claimed || len(due) != 1 || !again {
			b.t.Errorf("claimed %v; due %v, claimed again %v", claimed, due, again)
		}
	})
}

// TestDispatchOffersWhatItFilled: also the lanes that waited before, which wait
// for one place.
func TestDispatchOffersWhatItFilled(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(nil)
		b.record(question("a", 1, nil))
		b.later()
		b.record(question("b", 2, nil))
		b.later()
		if offered := b.offered(); !slices.Equal(offered, []int64{w.ID}) || len(b.deliveries(w)) != 2 {
			b.t.Errorf("offered %v", offered)
		}
	})
}

func TestNothingIsSentWhileStopping(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := pending(b, nil)
		close(b.stopping)
		b.deliver(w)
		if d := b.only(w); d.State != models.DeliveryPending || len(b.receiver.requests()) > 0 {
			b.t.Errorf("%+v", d.Delivery)
		}
	})
}

func TestReleasedDeliveriesArePaced(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(nil)
		ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, w.ID))
		for i := range 12 {
			b.record(question(string(rune('a'+i)), i, nil))
			b.later()
		}
		_, err := b.store.Webhooks.Resume(b.t.Context(), admin, w.ID, false)
		ok(b.t, err)
		started := time.Now()
		b.deliver(w)
		took := time.Since(started)
		// Four at once, then 20 a second: the last of 12 starts 400 ms later.
		if n := len(b.receiver.requests()); n != 12 || took < 350*time.Millisecond {
			b.t.Errorf("%d sent in %s", n, took)
		}
	})
}

func TestOnlyWhatFailedIsTriedWhileATypeHoldsOthers(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type, in.Events = "superoffice", []string{"question.created"} })
		var events []models.NewEvent
		for i := range 600 {
			events = append(events, question(fmt.Sprintf("q%03d", i), i+1, nil))
		}
		b.record(events...)
		b.later()
		b.receiver.answers(http.StatusInternalServerError)
		b.deliver(w)
		b.deliver(w) // its next attempt is not due: nothing goes out, and no job is asked for
		if n := len(b.receiver.requests()); n != 1 {
			b.t.Fatalf("%d requests after the first failure", n)
		}
		b.clock.Add(2 * time.Second)
		b.receiver.answers(http.StatusOK)
		for range 12 {
			b.deliver(w)
		}
		if n := len(b.receiver.requests()); n != 601 {
			b.t.Errorf("%d requests", n)
		}
	})
}

func TestTheGapBetweenRequestsHoldsOverTurns(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type, in.Events = "slack", []string{"question.created"} })
		b.set(models.DispatchDelay, "0")
		b.set(models.DispatchInterval, "0")
		started := time.Now()
		for i, id := range []string{"a", "b"} {
			b.record(question(id, i+1, nil))
			b.dispatch()
			b.deliver(w)
		}
		if took := time.Since(started); took < 900*time.Millisecond || len(b.receiver.requests()) != 2 {
			b.t.Errorf("%d messages in %s", len(b.receiver.requests()), took)
		}
	})
}
