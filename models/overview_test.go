package models_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestSiteHours holds the figures of the overview against what happened: before
// and after the hours that are over were added up, of all locations and of some.
func TestSiteHours(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		ok(t, s.Locations.Create(t.Context(), mary, "team", models.Label{Name: "Team"}))
		w := create(t, s, nil)
		other := create(t, s, func(in *models.WebhookInput) { in.Location = "team" })
		began := clock.Now()
		for i, hook := range []models.Webhook{w, w, other} {
			id := string(rune('a' + i))
			ok(t, record(t, s, event(id)))
			d := deliver(t, s, hook, "d-"+id, id)
			finish(t, s, d, []string{models.DeliveryDelivered, models.DeliveryFailed, models.DeliveryDelivered}[i], 200)
			clock.Add(time.Hour)
		}
		total := func(within models.LocationSet) (sum models.SiteHour, rows int) {
			hours, err := s.SiteHours(t.Context(), within, began, clock.Now())
			ok(t, err)
			for _, h := range hours {
				sum.Events, sum.Delivered, sum.Failed = sum.Events+h.Events, sum.Delivered+h.Delivered, sum.Failed+h.Failed
			}
			return sum, len(hours)
		}
		for _, when := range []string{"as they happened", "added up"} {
			all, rows := total(models.AllLocations())
			main, _ := total(models.OnlyLocations("main"))
			team, _ := total(models.OnlyLocations("team"))
			none, _ := total(models.LocationSet{})
			want(t, when+": hours", rows, 3)
			want(t, when+": all", [3]int64{all.Events, all.Delivered, all.Failed}, [3]int64{3, 2, 1})
			want(t, when+": main", [3]int64{main.Events, main.Delivered, main.Failed}, [3]int64{3, 1, 1})
			want(t, when+": team", [3]int64{team.Events, team.Delivered, team.Failed}, [3]int64{0, 1, 0})
			want(t, when+": none", [3]int64{none.Events, none.Delivered, none.Failed}, [3]int64{})
			prune(t, s)
		}
		if hours := s.SummedHours(t.Context()); hours != 2 { // the last is over for less than an hour
			t.Errorf("%d hours are added up", hours)
		}
		clock.Add(33 * 24 * time.Hour)
		prune(t, s)
		if all, _ := total(models.AllLocations()); all.Events+all.Delivered != 0 || s.SummedHours(t.Context()) != 0 {
			t.Errorf("hours are kept for good: %+v", all)
		}
	})
}

// TestTroubled lists the webhooks that need attention, the worst first.
func TestTroubled(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		dispatchAtOnce(t, s)
		named := func(name string) models.Webhook {
			return create(t, s, func(in *models.WebhookInput) { in.Name = name })
		}
		for _, name := range []string{"healthy", "healthy too", "healthy as well"} {
			named(name)
		}
		paused, idle, failing, broken := named("paused with one"), named("paused"), named("failing"), named("broken")
		ok(t, record(t, s, event("a"), event("b")))
		deliver(t, s, paused, "d-a", "a")
		ok(t, s.Webhooks.Pause(t.Context(), mary, paused.ID))
		ok(t, s.Webhooks.Pause(t.Context(), mary, idle.ID))
		ok(t, s.Lanes.Record(t.Context(), failing.ID, "", nil, models.LaneHealth{FailuresInRow: 3}))
		ok(t, s.Lanes.Record(t.Context(), broken.ID, "", nil, models.LaneHealth{FailuresInRow: 3, Broken: "It answered 410 Gone."}))
		list, all, err := s.Webhooks.Troubled(t.Context(), models.AllLocations(), snapshot(t, s), 2)
		ok(t, err)
		if all != 3 || len(list) != 2 || list[0].ID != broken.ID || list[1].ID != failing.ID || list[0].StateReason == "" {
			t.Errorf("%d of %d: %+v", len(list), all, list)
		}
		list, _, err = s.Webhooks.Troubled(t.Context(), models.AllLocations(), snapshot(t, s), 9)
		ok(t, err)
		if len(list) != 3 || list[2].ID != paused.ID || list[2].Held != 1 {
			t.Errorf("%+v", list)
		}
		if list, all, err = s.Webhooks.Troubled(t.Context(), models.OnlyLocations("team"), snapshot(t, s), 9); err != nil || all+int64(len(list)) != 0 {
			t.Errorf("of another location: %v, %v", list, err)
		}
		work, err := s.Workload(t.Context(), models.AllLocations(), snapshot(t, s), time.Time{}, time.Time{})
		ok(t, err)
		want(t, "webhooks", [3]int64{work.Broken, work.Stopped, work.Failing}, [3]int64{1, 2, 1})
		want(t, "deliveries", [2]int64{work.Waiting, work.Held}, [2]int64{1, 1})
		depth, err := s.Deliveries.Depth(t.Context())
		ok(t, err)
		want(t, "by state", fmt.Sprint(depth.Webhooks), "map[active:4 broken:1 stopped:2]")
	})
}

// TestTroubledLeavesOutWhatIsSwitchedOff: such a webhook tries nothing, and takes
// no place of another.
func TestTroubledLeavesOutWhatIsSwitchedOff(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			o := modelstest.Options(t, kind)
			o.NeedsFeature = func(name string) bool { return name != "slack" }
			s := modelstest.Open(t, o)
			var last models.Webhook
			for _, of := range []string{"generic", "generic", "slack"} {
				last = create(t, s, func(in *models.WebhookInput) { in.Type = of })
				ok(t, s.Lanes.Record(t.Context(), last.ID, "", nil, models.LaneHealth{FailuresInRow: 3}))
			}
			list, all, err := s.Webhooks.Troubled(t.Context(), models.AllLocations(), snapshot(t, s), 2)
			ok(t, err)
			if all != 1 || len(list) != 1 || list[0].ID != last.ID {
				t.Errorf("%d of %d: %+v", len(list), all, list)
			}
			dispatchAtOnce(t, s) // which switches them on
			if list, all, err = s.Webhooks.Troubled(t.Context(), models.AllLocations(), snapshot(t, s), 2); err != nil || all != 3 || len(list) != 2 {
				t.Errorf("switched on: %d of %d, %v", len(list), all, err)
			}
		})
	}
}

// TestWorkload tells the sources of which something is wrong, then those that
// reported last, those of other locations left out.
func TestWorkload(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		for _, in := range []models.Token{
			{Name: "site", Scope: models.ScopeIngest},
			{Name: "team", Scope: models.ScopeIngest, Location: "team"},
			{Name: "silent", Scope: models.ScopeIngest, Location: "main"},
			{Name: "crm", Scope: models.ScopeSuperOffice},
		} {
			plain, err := s.Tokens.Create(t.Context(), in)
			ok(t, err)
			tok, err := s.Tokens.Authenticate(t.Context(), plain)
			ok(t, err)
			if in.Name != "silent" {
				clock.Add(time.Second)
				s.Sources.Count(models.TokenSource(tok.ID), 1)
			}
		}
		ok(t, s.Tokens.ConfiguredUsed(t.Context())) // of which limited members do not hear
		clock.Add(time.Second)
		s.Sources.Count(models.TokenSource(0), 1)
		ok(t, s.Sources.Flush(t.Context()))
		ok(t, record(t, s, event("a")))
		clock.Add(time.Second)
		named := func(within models.LocationSet) (names string, undispatched int64) {
			work, err := s.Workload(t.Context(), within, snapshot(t, s), clock.Now(), clock.Now().Add(-time.Hour))
			ok(t, err)
			for _, u := range work.Sources {
				if names += " " + u.Name; (u.LastAt == nil) != (u.Name == "silent") {
					t.Errorf("%s reported at %v", u.Name, u.LastAt)
				}
			}
			if work.UndispatchedDay != 0 || work.UndispatchedWeek != work.Undispatched {
				t.Errorf("%d events wait, %d of them of today, %d of the week", work.Undispatched, work.UndispatchedDay, work.UndispatchedWeek)
			}
			return names, work.Undispatched
		}
		names, waiting := named(models.AllLocations())
		if names != " SITEHOOKS_INGEST_TOKEN team site silent" || waiting != 1 {
			t.Errorf("%s, %d events wait", names, waiting)
		}
		if names, waiting = named(models.OnlyLocations("main")); names != " silent" || waiting != 1 {
			t.Errorf("main: %s, %d events wait", names, waiting)
		}
		if names, waiting = named(models.OnlyLocations("team")); names != " team" || waiting != 0 {
			t.Errorf("team: %s, %d events wait", names, waiting)
		}
	})
}

// TestFollowersThatAreBehindComeFirst, those that said so and those that report
// no more.
func TestFollowersThatAreBehindComeFirst(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		put := func(name string, behind int64) {
			_, err := s.Sources.PutCursor(t.Context(), mary, name, models.CursorInput{Holder: "a", BehindSeconds: behind, Lease: time.Second})
			ok(t, err)
			s.Sources.Count(name, 1)
			ok(t, s.Sources.Flush(t.Context()))
		}
		put("gone", 0)
		clock.Add(models.BehindMax - time.Minute)
		put("late", int64(models.BehindMax/time.Second))
		clock.Add(time.Second)
		put("well", int64(models.BehindMax/time.Second)-1)
		for _, of := range []struct {
			after  time.Duration
			behind string
		}{{0, "late"}, {time.Minute + time.Second, "well late gone"}} {
			clock.Add(of.after)
			at := snapshot(t, s)
			work, err := s.Workload(t.Context(), models.AllLocations(), at, at.Now, at.Now)
			ok(t, err)
			var names []string
			for i, u := range work.Sources {
				names = append(names, u.Name)
				if behind := u.Row().Trouble(at.Now).Behind > 0; behind != (i < len(strings.Fields(of.behind))) {
					t.Errorf("after %s %s is number %d, behind: %v", of.after, u.Name, i, behind)
				}
			}
			if got := strings.Join(names, " "); len(names) != 3 || !strings.HasPrefix(got, of.behind) {
				t.Errorf("after %s: %s", of.after, got)
			}
		}
	})
}
