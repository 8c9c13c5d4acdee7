package models_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

func names(page models.WebhookPage) string {
	var list []string
	for _, row := range page.Rows {
		list = append(list, row.Name)
	}
	return strings.Join(list, " ")
}

func TestListIsNarrowed(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		addMary(t, s)
		ok(t, s.Locations.Ensure(t.Context(), "main", "Main site"))
		python := create(t, s, func(in *models.WebhookInput) {
			in.Name, in.TagMode, in.Tags, in.Events = "python", models.TagsSpecific, []string{"c++", "python"}, []string{"answer.accepted", "question.created"}
		})
		create(t, s, func(in *models.WebhookInput) {
			in.Name, in.Type, in.Events = "other", "userecho", []string{"topic.created"}
		})
		_, err := s.Webhooks.Create(t.Context(), models.Actor{Name: "Nobody"}, models.WebhookInput{Type: "generic", Name: "ownerless", Location: "main", TagMode: models.TagsAll})
		ok(t, err)
		ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "True", "test"))
		ok(t, s.DB().Model(&models.Lane{}).Where("webhook_id = ?", python.ID).Update("failures_in_row", 3).Error)
		for want, q := range map[string]models.WebhookQuery{
			"ownerless other python": {},
			"other python":           {Owner: "3"},
			"ownerless":              {Owner: "0"},
			"python":                 {Tag: "C++"},
			"other":                  {Activities: map[string][]string{"userecho": {"topic.created"}, "generic": {"question.edited"}}},
			"python ":                {State: models.WebhookFailing},
			"":                       {Owner: "nobody"},
		} {
			q.Within, q.Limit = models.AllLocations(), 10
			page, err := s.Webhooks.List(t.Context(), q)
			ok(t, err)
			if got := names(page); got != strings.TrimSpace(want) || int(page.Matched) != len(page.Rows) || page.All != 3 || page.Next+page.Prev != "" {
				t.Errorf("%+v lists %q of %d", q, got, page.All)
			}
		}
		for _, q := range []models.WebhookQuery{{Tag: "pyth"}, {Tag: "%"}, {Tag: `"`}, {Activities: map[string][]string{}}} {
			q.Within, q.Limit = models.AllLocations(), 10
			page, err := s.Webhooks.List(t.Context(), q)
			ok(t, err)
			if len(page.Rows) != 0 || page.Matched != 0 {
				t.Errorf("%+v lists %q", q, names(page))
			}
		}
		page, err := s.Webhooks.List(t.Context(), models.WebhookQuery{Within: models.AllLocations(), Limit: 1})
		ok(t, err)
		if want := []models.Owner{{OwnerID: 3, OwnerName: "Mary Wilkins"}, {OwnerName: "Nobody"}}; !slices.Equal(page.Owners, want) {
			t.Errorf("owners %v", page.Owners)
		}
		n, held, err := s.Webhooks.OfTypes(t.Context(), models.AllLocations(), []string{"generic"})
		ok(t, err)
		if n != 2 || held != 0 {
			t.Errorf("%d webhooks, %d held", n, held)
		}
	})
}

// TestListIsPagedBothWays walks the list forth and back on every sort, while
// many rows have the same sort key.
func TestListIsPagedBothWays(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		ok(t, s.Locations.Ensure(t.Context(), "main", "Main site"))
		ok(t, s.Locations.Ensure(t.Context(), "ab", "äb Straße"))
		for i := range 11 {
			create(t, s, func(in *models.WebhookInput) {
				in.Name, in.Type = fmt.Sprint("w", i), []string{"generic", "slack", "generic"}[i%3]
				in.Location = []string{"main", "ab", "nowhere"}[i%3]
			})
			if i%2 == 0 {
				clock.Add(time.Second)
			}
		}
		ok(t, s.DB().Exec("update lanes set failures_in_row = webhook_id % 2").Error)
		ok(t, s.DB().Exec("insert into webhook_hours (webhook_id, hour, delivered, failed, ms_sum, ms_max) select id, ?, 1, id % 3, 1, 1 from webhooks", clock.Now().UTC().Truncate(time.Hour)).Error)
		for _, sort := range []string{"", "created", "type", "team", "health", "failed", "nonsense"} {
			for _, desc := range []bool{false, true} {
				q := models.WebhookQuery{Within: models.AllLocations(), Sort: sort, Desc: desc, Limit: 50}
				whole, err := s.Webhooks.List(t.Context(), q)
				ok(t, err)
				walk(t, s, q, whole)
			}
		}
		first, err := s.Webhooks.List(t.Context(), models.WebhookQuery{Within: models.AllLocations(), Limit: 2, After: "nonsense"})
		ok(t, err)
		if names(first) != "w10 w9" || first.Prev != "" {
			t.Errorf("an unknown place lists %s", names(first))
		}
	})
}

// TestPlacesInTheList: only what the list itself says is a place, for its own order.
func TestPlacesInTheList(t *testing.T) {
	written := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	of := written(`{"k":"generic","i":1}`)
	for _, c := range []struct {
		sort, place string
		is          bool
	}{
		{"type", "", true},
		{"type", of, true},
		{"type", of + "!", false},
		{"type", `{"k":"generic","i":1}`, false},
		{"type", written("generic"), false},
		{"type", written(`{"k":"generic","i":0}`), false},
		{"type", written(`{"k":"generic","i":-1}`), false},
		{"type", written(`{"k":"a\u0000b","i":1}`), false},
		{"type", written(`{"k":"generic"}`), false},
		{"created", of, false},
		{"created", written(`{"k":"2026-03-04T05:06:07.5Z","i":1}`), true},
		{"", written(`{"k":"2026-03-04T05:06:07Z","i":1}`), true},
		{"health", of, false},
		{"health", written(`{"k":"2","i":1}`), true},
		{"failed", of, false},
		{"failed", written(`{"k":"12","i":1}`), true},
	} {
		want(t, c.sort+" "+c.place, models.WebhookQuery{Sort: c.sort, After: c.place}.HasPlace(), c.is)
	}
}

// TestListIsSortedByFailures of a time: those before it do not count, and a member
// that is limited to locations sees no other webhook.
func TestListIsSortedByFailures(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		hour := clock.Now().UTC().Truncate(time.Hour)
		add := func(name, location string, failed ...int64) models.Webhook {
			w := create(t, s, func(in *models.WebhookInput) { in.Name, in.Location = name, location })
			for i, n := range failed { // the newest hour first
				h := models.WebhookHour{WebhookID: w.ID, Hour: hour.Add(-time.Duration(i) * time.Hour), Delivered: 2, Failed: n}
				ok(t, s.DB().Create(&h).Error)
			}
			return w
		}
		often := add("often", "main", 3, 4)
		add("before", "main", 0, 0, 100)
		add("team's", "team", 0, 8)
		add("once", "main", 1)
		list := func(within models.LocationSet, desc bool) string {
			page, err := s.Webhooks.List(t.Context(), models.WebhookQuery{Within: within, Sort: "failed", Desc: desc, FailedSince: hour.Add(-time.Hour), Limit: 10})
			ok(t, err)
			return names(page)
		}
		want(t, "the most first", list(models.AllLocations(), true), "team's often once before")
		want(t, "the least first", list(models.AllLocations(), false), "before once often team's")
		want(t, "of main", list(models.OnlyLocations("main"), true), "often once before")
		sums, err := s.Webhooks.Sums(t.Context(), []int64{often.ID, 99}, hour.Add(-90*time.Minute))
		ok(t, err)
		want(t, "sums", [3]int64{int64(len(sums)), sums[often.ID].Delivered, sums[often.ID].Failed}, [3]int64{1, 4, 7})
	})
}

func TestListIsSortedByHealth(t *testing.T) {
	o := func(kind string) models.Options {
		o := modelstest.Options(t, kind)
		o.NeedsFeature = func(name string) bool { return name != "slack" }
		return o
	}
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			clock, options := modelstest.NewClock(), o(kind)
			options.Clock = clock.Now
			s := modelstest.Open(t, options)
			now := clock.Now()
			for _, name := range []string{"new", "well", "paused", "retrying", "failing", "broken", "off"} {
				w := create(t, s, func(in *models.WebhookInput) {
					if in.Name, in.Type = name, "slack"; name == "off" {
						in.Type = "generic"
					}
				})
				lane := map[string]any{"last_at": now}
				switch name {
				case "paused":
					ok(t, s.Webhooks.Pause(t.Context(), mary, w.ID))
				case "broken":
					ok(t, s.Webhooks.Break(t.Context(), w.ID, "gone"))
				case "retrying":
					lane = map[string]any{"last_at": now, "failures_in_row": 9, "failing_since": now.Add(-2 * time.Hour), "last_success_at": now.Add(-time.Hour + time.Second)}
				case "failing", "off": // webhooks of a switched-off type were failing before
					lane = map[string]any{"last_at": now, "failures_in_row": 3, "failing_since": now.Add(-time.Minute), "last_success_at": now.Add(-time.Hour)}
				case "new":
					lane["last_at"] = nil
				}
				ok(t, s.DB().Model(&models.Lane{}).Where("webhook_id = ?", w.ID).Updates(lane).Error)
			}
			list := func(q models.WebhookQuery) string {
				q.Sort, q.Limit = "health", 10
				page, err := s.Webhooks.List(t.Context(), q)
				ok(t, err)
				return names(page)
			}
			want(t, "worst first", list(models.WebhookQuery{Within: models.AllLocations()}), "broken failing retrying paused off well new")
			want(t, "best first", list(models.WebhookQuery{Within: models.AllLocations(), Desc: true}), "new well off paused retrying failing broken")
			want(t, "failing", list(models.WebhookQuery{Within: models.AllLocations(), State: models.WebhookFailing}), "failing")
			want(t, "filtered", list(models.WebhookQuery{Within: models.AllLocations(), Type: "generic"}), "off")
			want(t, "beyond nothing known", list(models.WebhookQuery{Within: models.AllLocations(), After: "bm9uZQ"}), "broken failing retrying paused off well new")
			ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "True", "test"))
			want(t, "switched on, which forgives nothing", list(models.WebhookQuery{Within: models.AllLocations()}), "broken failing off retrying paused well new")
		})
	}
}

func walk(t *testing.T, s *models.Store, q models.WebhookQuery, whole models.WebhookPage) {
	t.Helper()
	q.Limit = 4
	var forth, back []string
	for {
		page, err := s.Webhooks.List(t.Context(), q)
		ok(t, err)
		forth = append(forth, names(page))
		if page.Next == "" {
			q.After, q.Before = "", page.Prev
			break
		}
		q.After = page.Next
	}
	for q.Before != "" {
		page, err := s.Webhooks.List(t.Context(), q)
		ok(t, err)
		back = append([]string{names(page)}, back...)
		if page.Next == "" {
			t.Errorf("%+v has no way on", q)
		}
		q.Before = page.Prev
	}
	if got := strings.Join(forth, " "); got != names(whole) || len(forth) != 3 || !slices.Equal(back, forth[:2]) {
		t.Errorf("%+v: forth %q, back %q, want %q", q, forth, back, names(whole))
	}
}

func TestLookReadsWhatFiltersNeed(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		since := clock.Now()
		var events []models.NewEvent
		for i := range 5 {
			events = append(events, models.NewEvent{
				EventID: fmt.Sprint("e", i), Type: "question.created", Location: "main", Community: "data", Tags: []string{"go", "c++"},
				MergeKey: fmt.Sprint("k", i), Title: "T", Payload: []byte(`{}`),
			})
		}
		events = append(events, models.NewEvent{EventID: "x", Type: "question.created", Location: "other", Payload: []byte(`{}`)})
		_, _, err := s.Events.Record(t.Context(), events)
		ok(t, err)
		var seen []models.Event
		ok(t, s.Events.Scan(t.Context(), "main", since, 4, func(e models.Event) bool {
			seen = append(seen, e)
			return len(seen) < 3
		}))
		if len(seen) != 3 || seen[0].MergeKey != "k4" || !slices.Equal(seen[0].Tags, []string{"go", "c++"}) || seen[0].Community != "data" ||
			seen[0].Type != "question.created" || seen[0].ReceivedAt.Before(since) || seen[0].Location != "main" {
			t.Fatalf("saw %+v", seen)
		}
		got, err := s.Events.ByIDs(t.Context(), []int64{seen[1].ID, 1 << 40, seen[0].ID})
		ok(t, err)
		if len(got) != 2 || got[0].EventID != "e3" || got[1].EventID != "e4" || string(got[0].Payload) != "{}" {
			t.Errorf("got %+v", got)
		}
		n, err := s.Events.CountSince(t.Context(), models.AllLocations(), since)
		ok(t, err)
		later, err := s.Events.CountSince(t.Context(), models.AllLocations(), since.Add(time.Hour))
		ok(t, err)
		if n != 6 || later != 0 {
			t.Errorf("counted %d, %d", n, later)
		}
	})
}
