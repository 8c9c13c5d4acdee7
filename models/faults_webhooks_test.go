package models_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
	"github.com/sitehooks/sitehooks/models/secret"
)

// all breaks the steps one after the other.
func (f *faults) all(t *testing.T, s *models.Store, steps []step) {
	t.Helper()
	for _, one := range steps {
		f.each(t, s, one)
	}
}

// actions are the newest entries of the audit log, the first first.
func actions(t *testing.T, s *models.Store, n int) string {
	t.Helper()
	var list []string
	for _, line := range lines(t, s, n) {
		action, _, _ := strings.Cut(line, "|")
		list = append([]string{action}, list...)
	}
	return strings.Join(list, " ")
}

func TestFaultsOfTheDatabaseWhileWebhooksChange(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		dispatchAtOnce(t, s)
		addMary(t, s)
		ok(t, s.Locations.Ensure(t.Context(), "team-a", "Team a"))
		f, hooks, everywhere := breakable(t, s), s.Webhooks, models.AllLocations()
		in := input()
		in.Key, in.Secrets[0].Set, in.Headers = "python", "first-secret-0001", []models.Header{{Name: "X-Team", Value: "a"}}
		moved := in
		moved.Key, moved.Location, moved.PauseFirst, moved.Name = "python-2", "team-a", true, "Moved"
		var w models.Webhook
		f.each(t, s, step{what: "create", do: func() (err error) {
			w, err = hooks.Create(t.Context(), mary, in)
			return err
		}})
		ok(t, record(t, s, event("a")))
		deliver(t, s, w, "of a", "a")
		resume := func(drop bool) func() error {
			return func() error { return only(hooks.Resume(t.Context(), mary, w.ID, drop)) }
		}
		f.all(t, s, []step{
			{what: "pause", do: func() error { return hooks.Pause(t.Context(), mary, w.ID) }},
			{what: "resume", do: resume(false)},
			{what: "break", do: func() error { return hooks.Break(t.Context(), w.ID, "The receiver answered 410 Gone.") }},
			{what: "heal", do: func() error { return only(hooks.Heal(t.Context(), mary, w.ID)) }},
			{what: "states", reads: true, do: func() error { return only(hooks.StateChanges(t.Context(), []int64{w.ID}, time.Time{})) }},
			{what: "all", reads: true, do: func() error { return only2(hooks.All(t.Context())) }},
			{what: "list", reads: true, do: func() error {
				return only(hooks.List(t.Context(), models.WebhookQuery{Within: everywhere, State: models.WebhookFailing, Sort: "health", Limit: 10}))
			}},
			{what: "reveal", do: func() error {
				return only(hooks.Reveal(t.Context(), mary, w.ID, models.PartSecret1, "signing secret 1"))
			}},
			{what: "move", do: func() error { return only(hooks.Update(t.Context(), mary, w.ID, w.UpdatedAt, moved)) }},
			{what: "resume and drop", do: resume(true)},
		})
		want(t, "what waited for the first location", get(t, s, "of a").State, models.DeliveryDropped)
		ok(t, s.DB().Exec("update webhooks set owner_id = 0").Error)
		f.all(t, s, []step{
			{what: "claim", do: func() error { return hooks.Claim(t.Context(), mary, w.ID) }},
			{what: "delete", do: func() error { return only(hooks.Delete(t.Context(), mary, w.ID)) }},
		})
		want(t, "audit log", actions(t, s, 11), "webhook.created webhook.paused webhook.resumed webhook.broke webhook.resumed "+
			"webhook.revealed webhook.paused webhook.saved webhook.resumed webhook.claimed webhook.deleted")
		versions, err := hooks.History(t.Context(), everywhere, w.ID, 100)
		ok(t, err)
		want(t, "versions", len(versions), 9)
	})
}

func TestFaultsOfTheDatabaseWhileDeliveriesAreResent(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		dispatchAtOnce(t, s)
		f, w, x, everywhere := breakable(t, s), create(t, s, nil), s.Deliveries, models.AllLocations()
		ok(t, record(t, s, event("a")))
		finish(t, s, deliver(t, s, w, "ended", "a"), models.DeliveryDelivered, 200)
		ok(t, record(t, s, event("b")))
		finish(t, s, deliver(t, s, w, "another", "b"), models.DeliveryFailed, 500)
		q := models.DeliveryQuery{Within: everywhere, Limit: 10, Count: true}
		merged := models.DeliveryQuery{Within: models.OnlyLocations("main", "team-a"), Limit: 10}
		var can models.Resendable
		var r models.Resending
		f.all(t, s, []step{
			{what: "list", reads: true, do: func() error { return only2(x.List(t.Context(), q)) }},
			{what: "list of some locations", reads: true, do: func() error { return only2(x.List(t.Context(), merged)) }},
			{what: "search", reads: true, do: func() error {
				return only(x.Search(t.Context(), models.DeliveryQuery{Within: everywhere, CodeClass: 5, EventTypes: []string{"question.created"}, Limit: 10, Count: true}))
			}},
			{what: "one", reads: true, do: func() error { return only(x.Get(t.Context(), everywhere, "ended")) }},
			{what: "its attempts", reads: true, do: func() error { return only(x.Attempts(t.Context(), 1)) }},
			{what: "its events", reads: true, do: func() error { return only(x.EventsOf(t.Context(), 1)) }},
			{what: "queues", reads: true, do: func() error { return only(x.Depth(t.Context())) }},
			{what: "resend one", do: func() error { return x.Resend(t.Context(), mary, "ended") }},
			{what: "count those to resend", reads: true, do: func() (err error) {
				can, err = x.Resendable(t.Context(), q)
				return err
			}},
			{what: "resend all", do: func() (err error) {
				r, err = x.ResendAll(t.Context(), mary, q, can, "all")
				return err
			}},
			{what: "what is left", reads: true, do: func() error { return only(x.Unsent(t.Context(), everywhere, r.At)) }},
			{what: "resend one that waits", do: func() error { return x.Resend(t.Context(), mary, "another") }},
		})
		want(t, "resent", r.Total, 1)
		want(t, "audit log", actions(t, s, 3), "delivery.resent delivery.resent delivery.resent")
		// Which types are switched off is asked of the database too.
		ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "False", "why"))
		f.all(t, s, []step{
			{what: "what is held", reads: true, do: func() error {
				return only(x.Search(t.Context(), models.DeliveryQuery{Within: everywhere, State: models.StateHeld, Limit: 10}))
			}},
			{what: "count what is held", reads: true, do: func() (err error) {
				can, err = x.Resendable(t.Context(), q)
				return err
			}},
			{what: "resend what is held", do: func() (err error) {
				r, err = x.ResendAll(t.Context(), mary, q, can, "all")
				return err
			}},
			{what: "what is left of it", reads: true, do: func() error { return only(x.Unsent(t.Context(), everywhere, r.At)) }},
		})
		want(t, "resent while it is switched off", r.Total, 0)
	})
}

func TestFaultsOfTheDatabaseWhileAnEventIsErased(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		f, w, x, everywhere := breakable(t, s), create(t, s, nil), s.Events, models.AllLocations()
		ok(t, record(t, s, event("a"), event("b")))
		clock.Add(time.Second)
		finish(t, s, deliver(t, s, w, "of a", "a"), models.DeliveryDelivered, 200)
		a, err := x.Get(t.Context(), "main", "a")
		ok(t, err)
		search := func(q models.EventQuery) func() error {
			q.Within, q.Limit = everywhere, 10
			return func() error { return only(x.Search(t.Context(), q)) }
		}
		f.all(t, s, []step{
			{what: "search by words", reads: true, do: search(models.EventQuery{Search: "title"})},
			{what: "search by id", reads: true, do: search(models.EventQuery{Search: "a", Location: "main"})},
			{what: "search by time", reads: true, do: search(models.EventQuery{From: clock.Now().Add(-time.Hour), To: clock.Now()})},
			{what: "its triggers", reads: true, do: func() error { return only(x.Triggers(t.Context(), a.ID)) }},
			{what: "what matched", reads: true, do: func() error { return only(x.Matched(t.Context(), everywhere, []int64{a.ID}, 0)) }},
			{what: "what would be erased", reads: true, do: func() error { return only(x.Erasure(t.Context(), a.ID)) }},
			{what: "erase", do: func() error { return only(x.Erase(t.Context(), mary, a.ID)) }},
		})
		a, err = x.Get(t.Context(), "main", "a")
		ok(t, err)
		want(t, "erased", a.Erased(), true)
		want(t, "body", string(get(t, s, "of a").Body), "")
	})
}

// TestFaultsOfTheDatabaseWhileSecretsAreSealedAnew: all are sealed with one key or the
// other, and open either way.
func TestFaultsOfTheDatabaseWhileSecretsAreSealedAnew(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			o := modelstest.Options(t, kind)
			s := modelstest.Open(t, o)
			w := create(t, s, func(in *models.WebhookInput) { in.Secrets[0].Set = "first-secret-0001" })
			newSource(t, s, "team", "one secret")
			s.Close()
			var err error
			o.Box, err = secret.NewBox(bytes.Repeat([]byte{9}, secret.KeySize), modelstest.Key())
			ok(t, err)
			s = modelstest.Open(t, o)
			n := 0
			breakable(t, s).each(t, s, step{what: "seal anew", do: func() (err error) {
				n, err = s.Rekey(t.Context())
				return err
			}})
			want(t, "sealed anew", n, 2)
			w, err = s.Webhooks.Get(t.Context(), models.AllLocations(), w.ID)
			ok(t, err)
			opened, err := s.Webhooks.Open(w)
			ok(t, err)
			want(t, "secret", opened.Secrets[0], "first-secret-0001")
			// A secret that neither key opens is left as it is, with all others.
			ok(t, s.DB().Exec("update webhooks set secret_1 = ?", "00000000.AAAA").Error)
			before := modelstest.Dump(t, s)
			if n, err := s.Rekey(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "seal secrets anew: ") {
				t.Errorf("a secret of another key: %d sealed anew, %v", n, err)
			}
			if modelstest.Dump(t, s) != before {
				t.Error("a part was sealed anew")
			}
		})
	}
}
