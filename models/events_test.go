package models_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

func event(id string) models.NewEvent {
	return models.NewEvent{
		EventID: id, Type: "question.created", Location: "main", Tags: []string{"go"}, Title: "Title of " + id,
		MergeKey: "main question.created " + id, Subject: "1", Payload: []byte(`{"id":"` + id + `"}`),
	}
}

func TestRecordIsIdempotent(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		for i, c := range []struct {
			ids                  []string
			accepted, duplicates int
		}{
			{[]string{"a", "b", "a"}, 2, 1}, {[]string{"a", "b"}, 0, 2}, {[]string{"c", "b"}, 1, 1},
		} {
			var events []models.NewEvent
			for _, id := range c.ids {
				events = append(events, event(id))
			}
			accepted, duplicates, err := s.Events.Record(t.Context(), events)
			ok(t, err)
			if accepted != c.accepted || duplicates != c.duplicates {
				t.Errorf("%d: accepted %d, duplicates %d", i, accepted, duplicates)
			}
		}
		// An event that is stored once is dispatched once.
		dispatchAtOnce(t, s)
		w := create(t, s, nil)
		clock.Add(time.Second)
		if d := deliver(t, s, w, "all", "a", "b", "c"); d.Items != 3 {
			t.Errorf("delivery %+v", d.Delivery)
		}
		for _, id := range []string{"a", "b", "c"} {
			e, err := s.Events.Get(t.Context(), "main", id)
			ok(t, err)
			triggers, err := s.Events.Triggers(t.Context(), e.ID)
			ok(t, err)
			if e.DispatchedAt == nil || len(triggers) != 1 {
				t.Errorf("%s: dispatched %v, %d triggers", id, e.DispatchedAt, len(triggers))
			}
		}
		r := modelstest.Dispatch(t, s, func(_ *models.Dispatch, due []models.Event) models.Decision {
			t.Errorf("%d events still wait", len(due))
			return models.Decision{}
		})
		want(t, "left", r.Events, 0)
	})
}

// TestAnIDBelongsToItsLocation: the same id in two locations is two events,
// also within one request, and each waits for dispatch once.
func TestAnIDBelongsToItsLocation(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		at := func(location string) models.NewEvent {
			e := event("a")
			e.Location = location
			return e
		}
		for i, c := range []struct {
			locations            []string
			accepted, duplicates int
		}{
			{[]string{"team-a"}, 1, 0}, {[]string{"team-b", "team-a", "team-b", "team-c"}, 2, 2}, {[]string{"team-c"}, 0, 1},
		} {
			var events []models.NewEvent
			for _, location := range c.locations {
				events = append(events, at(location))
			}
			accepted, duplicates, err := s.Events.Record(t.Context(), events)
			ok(t, err)
			if accepted != c.accepted || duplicates != c.duplicates {
				t.Errorf("%d: accepted %d, duplicates %d", i, accepted, duplicates)
			}
		}
		named, err := s.Events.Named(t.Context(), models.AllLocations(), "a", 10)
		ok(t, err)
		depth, err := s.Deliveries.Depth(t.Context())
		ok(t, err)
		if len(named) != 3 || depth.Undispatched != 3 {
			t.Errorf("%d events, %d wait", len(named), depth.Undispatched)
		}
		for _, e := range named {
			got, err := s.Events.Get(t.Context(), e.Location, "a")
			ok(t, err)
			if got.ID != e.ID {
				t.Errorf("%s: %d, want %d", e.Location, got.ID, e.ID)
			}
		}
	})
}

func TestRecordAtTheSameMoment(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		const n, workers = 60, 6
		total := make([]int, workers)
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for round := range 5 {
					var events []models.NewEvent
					for i := range n {
						// New names too, so that registering them meets as well.
						e := event(fmt.Sprintf("r%d-%d", round, i))
						e.Location, e.Community = fmt.Sprintf("team-%d", i%7), fmt.Sprintf("c%d", i%5)
						e.Tags = []string{fmt.Sprintf("t%d", i%11), "go"}
						events = append(events, e)
					}
					if w%2 == 1 {
						slices.Reverse(events)
					}
					accepted, _, err := s.Events.Record(t.Context(), events)
					if err != nil {
						t.Error(err)
					}
					total[w] += accepted
				}
			})
		}
		wg.Wait()
		sum := 0
		for _, accepted := range total {
			sum += accepted
		}
		if sum != 5*n {
			t.Errorf("accepted %d in all, want %d", sum, 5*n)
		}
		locations, _, err := s.Locations.Few(t.Context(), models.AllLocations(), 100)
		ok(t, err)
		communities, _, err := s.Locations.CommunityPage(t.Context(), "team-0", models.NameQuery{Limit: 10})
		ok(t, err)
		tags, err := s.Locations.Tags(t.Context(), "team-0", "t", 100)
		ok(t, err)
		if len(locations) != 8 || locations[0].Slug != "main" || len(communities) != 5 || len(tags) == 0 {
			t.Errorf("%d locations, %d communities, %d tags", len(locations), len(communities), len(tags))
		}
	})
}

func TestOrderOfReceiptIsThatOfTheRequest(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		_, _, err := s.Events.Record(t.Context(), []models.NewEvent{event("z"), event("m"), event("a")})
		ok(t, err)
		page, err := s.Events.Search(t.Context(), models.EventQuery{Within: models.AllLocations(), Location: "main", From: clock.Now().Add(-time.Hour), Limit: 10})
		ok(t, err)
		var got []string
		for _, e := range page.Rows {
			got = append(got, e.EventID)
			if e.OccurredAt.IsZero() {
				t.Errorf("%s has no time", e.EventID)
			}
		}
		if !slices.Equal(got, []string{"a", "m", "z"}) {
			t.Errorf("newest first: %v", got)
		}
	})
}

func TestEventFilters(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		first := event("first")
		first.Tags, first.Title = []string{"go", "sql"}, "How to grind 100%"
		ok(t, record(t, s, first))
		clock.Add(time.Hour)
		second := event("second")
		second.Location, second.Type, second.Tags = "team-a", "answer.created", []string{"go-lang"}
		ok(t, record(t, s, second))
		for name, c := range map[string]struct {
			query models.EventQuery
			want  string
		}{
			"all": {models.EventQuery{Within: models.AllLocations()}, "[second first]"}, "id": {models.EventQuery{Within: models.AllLocations(), Search: "first"}, "[first]"},
			"title": {models.EventQuery{Within: models.AllLocations(), Search: "GRIND 100%"}, "[first]"}, "like": {models.EventQuery{Within: models.AllLocations(), Search: "gr%"}, "[]"},
			"tag": {models.EventQuery{Within: models.AllLocations(), Tag: "go"}, "[first]"}, "location": {models.EventQuery{Within: models.AllLocations(), Location: "team-a"}, "[second]"},
			"type": {models.EventQuery{Within: models.AllLocations(), Types: []string{"answer.created"}}, "[second]"},
			"time": {models.EventQuery{Within: models.AllLocations(), From: clock.Now().Add(-time.Minute)}, "[second]"},
			"to":   {models.EventQuery{Within: models.AllLocations(), To: clock.Now().Add(-time.Minute)}, "[first]"},
		} {
			c.query.Limit = 10
			page, err := s.Events.Search(t.Context(), c.query)
			ok(t, err)
			got := []string{}
			for _, e := range page.Rows {
				got = append(got, e.EventID)
			}
			if fmt.Sprint(got) != c.want {
				t.Errorf("%s: %v, want %s", name, got, c.want)
			}
		}
		page, err := s.Events.Search(t.Context(), models.EventQuery{Within: models.AllLocations(), Limit: 1})
		ok(t, err)
		rest, err := s.Events.Search(t.Context(), models.EventQuery{Within: models.AllLocations(), Limit: 1, Before: page.Next})
		ok(t, err)
		if page.Next == 0 || rest.Next != 0 || page.Rows[0].EventID != "second" || rest.Rows[0].EventID != "first" {
			t.Errorf("paging: %+v %+v", page, rest)
		}
	})
}

// TestEventsOfAQuestion: a number or a link finds the events about the
// question, with any payload, and none that only look similar.
func TestEventsOfAQuestion(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		for _, e := range []struct{ id, kind, title, payload string }{
			{"question", "question.created", "How to", `{"question":{"question_id":12,"title":"How to"}}`},
			{"answer", "answer.created", "How to", `{"answer":{"answer_id":7},"question":{"title":"How to","question_id":12}}`},
			{"longer", "question.created", "Other", `{"question":{"question_id":123}}`},
			{"shorter", "question.created", "Other", `{"question":{"question_id":1}}`},
			{"quoted", "question.created", "Other", `{"question":{"question_id":9,"title":"\"question_id\":12,"}}`},
			{"answered", "answer.created", "Other", `{"answer":{"answer_id":12},"question":{"question_id":9}}`},
			{"titled", "question.created", "Room 12", `{"question":{"question_id":9}}`},
			{"77", "user.updated", "Ann", `{"subject":"5"}`},
			{"other", "question.created", "Other", `{"question":{"question_id":77}}`},
		} {
			n := event(e.id)
			n.Type, n.Title, n.Payload = e.kind, e.title, []byte(e.payload)
			ok(t, record(t, s, n))
		}
		for search, want := range map[string]string{
			"12": "[titled answer question]", "#12": "[answer question]", "77": "[77 other]", "1200": "[]",
			"https://site.example/questions/12/how-to": "[answer question]", "/questions/12": "[answer question]",
			"https://site.example/questions/12?tab=new#7": "[answer question]", "site.example/questions/12x": "[]",
		} {
			page, err := s.Events.Search(t.Context(), models.EventQuery{Within: models.AllLocations(), Search: search, Limit: 10})
			ok(t, err)
			got := []string{}
			for _, e := range page.Rows {
				got = append(got, e.EventID)
			}
			if fmt.Sprint(got) != want {
				t.Errorf("%s: %v, want %s", search, got, want)
			}
		}
		page, err := s.Events.Search(t.Context(), models.EventQuery{Within: models.AllLocations(), Search: "/questions/12", Types: []string{"answer.created"}, Location: "main", Limit: 10})
		ok(t, err)
		if len(page.Rows) != 1 || page.Rows[0].EventID != "answer" {
			t.Errorf("with other filters: %+v", page.Rows)
		}
	})
}

func record(t *testing.T, s *models.Store, events ...models.NewEvent) error {
	t.Helper()
	_, _, err := s.Events.Record(t.Context(), events)
	return err
}

func TestTokens(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		plain, err := s.Tokens.Create(t.Context(), models.Token{Name: "site", Scope: models.ScopeIngest, CreatedBy: "x"})
		ok(t, err)
		tok, err := s.Tokens.Authenticate(t.Context(), plain)
		ok(t, err)
		clock.Add(time.Hour)
		_, err = s.Tokens.Authenticate(t.Context(), plain)
		ok(t, err)
		if _, err := s.Tokens.Authenticate(t.Context(), plain+"x"); err == nil || tok.Name != "site" {
			t.Errorf("a wrong token passes: %v", err)
		}
	})
}

func TestSessionsEndByIdlenessAgeAndPassword(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		user, err := s.Users.Create(t.Context(), models.User{Email: "Mary@Example.com", PasswordHash: "x", Role: models.RoleAdministrator})
		ok(t, err)
		save := func(key string) {
			ok(t, s.Sessions.Save(t.Context(), models.Session{Key: key, UserID: user.ID, Data: []byte("d")}))
		}
		alive := func(key string) bool {
			_, err := s.Sessions.Get(t.Context(), key)
			return err == nil
		}
		save("idle")
		save("used")
		for range 3 {
			clock.Add(11 * time.Hour)
			ok(t, s.Sessions.Touch(t.Context(), "used"))
		}
		if alive("idle") || !alive("used") {
			t.Error("idleness is not kept apart")
		}
		for range 13 {
			clock.Add(11 * time.Hour)
			ok(t, s.Sessions.Touch(t.Context(), "used"))
		}
		if alive("used") {
			t.Error("a session outlives 7 days")
		}
		save("other")
		ok(t, s.Users.SetPassword(t.Context(), user.ID, "y"))
		if alive("other") {
			t.Error("a new password leaves sessions")
		}
		if _, err := s.Users.Create(t.Context(), models.User{Email: "mary@example.com", Role: models.RoleViewer}); err == nil {
			t.Error("the same address twice")
		}
	})
}
