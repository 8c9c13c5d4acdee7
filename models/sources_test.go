package models_test

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
	"github.com/sitehooks/sitehooks/models/secret"
)

func newSource(t *testing.T, s *models.Store, name string, secrets ...string) models.Source {
	t.Helper()
	in := models.SourceInput{Kind: "generic", Location: "main", Fields: map[string]string{"digest": "sha1"}}
	for i, text := range secrets {
		in.Secrets[i].Set = text
	}
	src, _, err := s.Sources.Create(t.Context(), mary, name, in)
	ok(t, err)
	return src
}

func TestSources(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		src := newSource(t, s, "team", "one secret", "another secret")
		if src.Address != "" || !src.Signed() {
			t.Errorf("a source that signs has an address: %+v", src)
		}
		if _, _, err := s.Sources.Create(t.Context(), mary, "team", models.SourceInput{}); !errors.Is(err, models.ErrExists) {
			t.Errorf("a second one of the name: %v", err)
		}
		opened, err := s.Sources.Open(src)
		ok(t, err)
		if opened != [2]string{"one secret", "another secret"} {
			t.Errorf("its secrets are %q", opened)
		}

		// Without a secret the address carries a token.
		in := models.SourceInput{Location: "main", Secrets: [2]models.SecretChange{{Clear: true}, {Clear: true}}, ExpectHours: 6}
		saved, token, err := s.Sources.Update(t.Context(), mary, "team", src.UpdatedAt, in)
		ok(t, err)
		if len(token) != 64 || !saved.RightAddress(token) || saved.RightAddress(token+"x") || saved.RightAddress("") || saved.Kind != "generic" {
			t.Errorf("saved as %+v, token %q", saved, token)
		}
		_, _, err = s.Sources.Update(t.Context(), mary, "team", src.UpdatedAt, in)
		if conflict, is := errors.AsType[*models.ConflictError](err); !is || conflict.By != "Mary Wilkins" {
			t.Errorf("saved over a newer version: %v", err)
		}
		if _, again, err := s.Sources.Update(t.Context(), mary, "team", saved.UpdatedAt, in); err != nil || again != "" {
			t.Errorf("a save that changes nothing made the address %q, %v", again, err)
		}
		shown, err := s.Sources.Reveal(t.Context(), mary, "team", models.PartURL, "address")
		if err != nil || shown != token {
			t.Errorf("revealed %q, %v", shown, err)
		}
		if _, err := s.Sources.Reveal(t.Context(), mary, "team", models.PartSecret1, "secret"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("a secret that it lacks: %v", err)
		}
		audit, _, err := s.Audit.Search(t.Context(), models.AuditQuery{Within: models.AllLocations(), Limit: 10})
		ok(t, err)
		var said []string
		for _, a := range audit {
			said = append(said, a.Action+" "+a.Detail)
		}
		text := strings.Join(said, "\n")
		for _, want := range []string{
			"source.created for main", "expected every 0 → 6 hours", "options changed: digest", "signing secret 1 removed", "new address", "source.revealed address",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the audit log lacks %q:\n%s", want, text)
			}
		}
		all := modelstest.Dump(t, s)
		for _, plain := range []string{token, "one secret", "another secret"} {
			if strings.Contains(all, plain) {
				t.Errorf("the database has %q in clear", plain)
			}
		}
		ok(t, s.Sources.Keep(t.Context(), &models.SourceRequest{Source: "team", Verified: true, State: models.RequestAccepted, Accepted: 1}))
		ok(t, s.Sources.Delete(t.Context(), mary, "team"))
		if err := s.Sources.Delete(t.Context(), mary, "team"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("deleted twice: %v", err)
		}
		if err := s.Sources.Keep(t.Context(), &models.SourceRequest{Source: "team"}); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("a request of a deleted source: %v", err)
		}
		newSource(t, s, "team", "x")
		row, err := s.Sources.Row(t.Context(), "team")
		ok(t, err)
		requests, err := s.Sources.Requests(t.Context(), "team")
		ok(t, err)
		if row.State.LastEventAt != nil || len(requests) > 0 {
			t.Errorf("a new source begins with %+v and %d requests", row.State, len(requests))
		}
	})
}

// TestSourcesOfLocations: a list shows only sources of the locations that its
// reader may see, and a location with a source is in use.
func TestSourcesOfLocations(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		ok(t, s.Locations.Ensure(t.Context(), "team-a", "Team a"))
		_, _, err := s.Sources.Create(t.Context(), mary, "of-team-a", models.SourceInput{Kind: "generic", Location: "team-a"})
		ok(t, err)
		newSource(t, s, "of-main")
		names := func(within models.LocationSet) (names []string) {
			rows, err := s.Sources.List(t.Context(), within)
			ok(t, err)
			for _, row := range rows {
				names = append(names, row.Name)
			}
			return names
		}
		if all, some, none := names(models.AllLocations()), names(models.OnlyLocations("team-a")), names(models.LocationSet{}); !slices.Equal(all, []string{"of-main", "of-team-a"}) ||
			!slices.Equal(some, []string{"of-team-a"}) || len(none) > 0 {
			t.Errorf("all %v, some %v, none %v", all, some, none)
		}
		err = s.Locations.Remove(t.Context(), mary, models.Place{Location: "team-a"})
		if inUse, is := errors.AsType[*models.InUseError](err); !is || inUse.Uses.Sources != 1 {
			t.Errorf("removed the location of a source: %v", err)
		}
		if n, err := s.Locations.RemoveEmpty(t.Context(), mary, ""); err != nil || n != 0 {
			t.Errorf("removed %d, %v", n, err)
		}
	})
}

func TestRequestsOfASource(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		newSource(t, s, "team", "x")
		keep := func(r models.SourceRequest) models.SourceRequest {
			t.Helper()
			r.Source = "team"
			ok(t, s.Sources.Keep(t.Context(), &r))
			return r
		}
		state := func() models.SourceState {
			t.Helper()
			row, err := s.Sources.Row(t.Context(), "team")
			ok(t, err)
			return row.State
		}
		// One that nobody vouches for tells something only while none was read.
		keep(models.SourceRequest{State: models.RequestRefused, Reason: "wrong signature"})
		if is := state(); is.Error != "wrong signature" || is.ErrorAt == nil {
			t.Errorf("before any other: %+v", is)
		}
		first := keep(models.SourceRequest{Verified: true, State: models.RequestAccepted, Accepted: 2, EventIDs: []string{"team:1", "team:2"}, Body: []byte("{}")})
		keep(models.SourceRequest{State: models.RequestRefused, Reason: "wrong signature"})
		if is := state(); is.Error != "" || is.ErrorAt != nil || is.LastEventAt == nil || is.LastReadAt == nil {
			t.Errorf("a stranger's request counts: %+v", is)
		}
		keep(models.SourceRequest{Verified: true, State: models.RequestRefused, Reason: "not JSON"})
		failed := state()
		clock.Add(time.Minute)
		keep(models.SourceRequest{Verified: true, State: models.RequestRefused, Reason: "still not JSON"})
		if is := state(); is.Error != "still not JSON" || !is.ErrorAt.Equal(*failed.ErrorAt) {
			t.Errorf("failing: %+v, before %+v", is, failed)
		}
		keep(models.SourceRequest{Verified: true, State: models.RequestIgnored, Reason: "a private message"})
		if is := state(); is.Error != "" {
			t.Errorf("after one that was ignored: %+v", is)
		}
		// Of one that was accepted in part nothing fails, and an older one that is read
		// again says nothing about the source.
		keep(models.SourceRequest{Verified: true, State: models.RequestAccepted, Accepted: 1, Reason: "one item was ignored"})
		if is := state(); is.Error != "" {
			t.Errorf("after one that was accepted in part: %+v", is)
		}
		again := first
		again.State, again.Reason = models.RequestRefused, "not read any more"
		ok(t, s.Sources.Again(t.Context(), &again, 0))
		if is := state(); is.Error != "" {
			t.Errorf("after an old request was read again: %+v", is)
		}
		again = first
		ok(t, s.Sources.Again(t.Context(), &again, 0))
		got, err := s.Sources.Request(t.Context(), "team", first.ID)
		ok(t, err)
		if !slices.Equal(got.EventIDs, first.EventIDs) || got.Accepted != 2 || string(got.Body) != "{}" {
			t.Errorf("kept as %+v", got)
		}
		if _, err := s.Sources.Request(t.Context(), "other", first.ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("under another source: %v", err)
		}
		for i := range 150 {
			keep(models.SourceRequest{Verified: true, State: models.RequestAccepted, Reason: strconv.Itoa(i)})
			keep(models.SourceRequest{State: models.RequestRefused, Reason: strconv.Itoa(i)})
		}
		var verified, others int
		ok(t, s.DB().Raw("select count(*) from source_requests where verified").Scan(&verified).Error)
		ok(t, s.DB().Raw("select count(*) from source_requests where not verified").Scan(&others).Error)
		if verified != models.RequestsMax || others != 20 {
			t.Errorf("%d verified and %d others are kept", verified, others)
		}
		clock.Add(8 * 24 * time.Hour)
		for p := s.Pruning(); ; {
			step, err := p.Step(t.Context())
			ok(t, err)
			if !step.More {
				break
			}
		}
		if rows, err := s.Sources.Requests(t.Context(), "team"); err != nil || len(rows) > 0 {
			t.Errorf("after a week %d are kept, %v", len(rows), err)
		}
	})
}

// TestRequestsWaitForLookUps: they are claimed once, come back when their lease
// ends, are not pushed out by others, and go when they are done.
func TestRequestsWaitForLookUps(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		newSource(t, s, "team", "x")
		claim := func() []models.SourceRequest {
			t.Helper()
			rows, err := s.Sources.Waiting(t.Context(), 10, time.Minute)
			ok(t, err)
			return rows
		}
		ok(t, s.Sources.Keep(t.Context(), &models.SourceRequest{Source: "team", Verified: true, State: models.RequestWaiting, NextAt: new(time.Now()), Body: []byte("b")}))
		for range 150 {
			ok(t, s.Sources.Keep(t.Context(), &models.SourceRequest{Source: "team", Verified: true, State: models.RequestIgnored}))
		}
		rows := claim()
		if len(rows) != 1 || string(rows[0].Body) != "b" {
			t.Fatalf("claimed %+v", rows)
		}
		if again := claim(); len(again) > 0 {
			t.Errorf("claimed twice: %+v", again)
		}
		clock.Add(2 * time.Minute)
		if rows = claim(); len(rows) != 1 {
			t.Fatalf("after its lease %+v", rows)
		}
		r := &rows[0]
		r.Tries, r.Reason = 1, "the instance does not answer"
		ok(t, s.Sources.Again(t.Context(), r, time.Hour))
		row, err := s.Sources.Row(t.Context(), "team")
		ok(t, err)
		if row.State.Error != "the instance does not answer" {
			t.Errorf("a failed look-up: %+v", row.State)
		}
		clock.Add(time.Hour)
		if rows = claim(); len(rows) != 1 {
			t.Fatalf("when it is due %+v", rows)
		}
		r = &rows[0]
		r.State, r.Reason, r.Accepted, r.EventIDs = models.RequestAccepted, "", 1, []string{"team:1"}
		ok(t, s.Sources.Again(t.Context(), r, 0))
		row, err = s.Sources.Row(t.Context(), "team")
		ok(t, err)
		if rows = claim(); len(rows) > 0 || row.State.Error != "" || row.State.LastEventAt == nil {
			t.Errorf("done: %+v waits, %+v", rows, row.State)
		}
	})
}

// TestASourceThatMovesLeavesItsRequests: what it received for one location is not
// shown, read again or looked up in another one.
func TestASourceThatMovesLeavesItsRequests(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		ok(t, s.Locations.Ensure(t.Context(), "team-a", "Team a"))
		src := newSource(t, s, "mover", "x")
		newSource(t, s, "other", "x")
		keep := func(source, location, state string) models.SourceRequest {
			t.Helper()
			r := models.SourceRequest{Source: source, Location: location, Verified: true, State: state, Reason: "of main", Body: []byte("{}")}
			if state == models.RequestWaiting {
				r.NextAt = new(time.Now())
			}
			ok(t, s.Sources.Keep(t.Context(), &r))
			return r
		}
		keep("other", "", models.RequestRefused)
		keep("mover", "main", models.RequestWaiting)
		refusal := keep("mover", "main", models.RequestRefused)
		move := func(location string) {
			t.Helper()
			var err error
			src, _, err = s.Sources.Update(t.Context(), mary, "mover", src.UpdatedAt, models.SourceInput{Kind: "generic", Location: location, Fields: src.Fields, ExpectHours: src.ExpectHours + 1})
			ok(t, err)
		}
		count := func(source string) int {
			t.Helper()
			rows, err := s.Sources.Requests(t.Context(), source)
			ok(t, err)
			return len(rows)
		}
		if move("main"); count("mover") != 2 {
			t.Errorf("a save in the same location keeps %d requests", count("mover"))
		}
		move("team-a")
		row, err := s.Sources.Row(t.Context(), "mover")
		ok(t, err)
		if count("mover") != 0 || count("other") != 1 || row.State.Error != "" || row.State.ErrorAt != nil {
			t.Errorf("moved, it has %d requests and %+v; the other %d", count("mover"), row.State, count("other"))
		}
		if rows, err := s.Sources.Waiting(t.Context(), 10, time.Minute); err != nil || len(rows) > 0 {
			t.Errorf("%d requests wait, %v", len(rows), err)
		}
		refusal.State = models.RequestAccepted
		if err := s.Sources.Again(t.Context(), &refusal, 0); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("one that was being read again: %v", err)
		}
		late := models.SourceRequest{Source: "mover", Location: "main", Verified: true, State: models.RequestIgnored}
		if err := s.Sources.Keep(t.Context(), &late); !errors.Is(err, models.ErrNotFound) || count("mover") != 0 {
			t.Errorf("one that came before the move: %v, %d are kept", err, count("mover"))
		}
		if keep("mover", "team-a", models.RequestIgnored); count("mover") != 1 {
			t.Error("one that came after the move is not kept")
		}
	})
}

func TestSilence(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		_, _, err := s.Sources.Create(t.Context(), mary, "team", models.SourceInput{Kind: "generic", Location: "main", ExpectHours: 2})
		ok(t, err)
		newSource(t, s, "whenever")
		silence := func() int {
			t.Helper()
			n, err := s.Sources.Silence(t.Context())
			ok(t, err)
			return n
		}
		state := func() models.SourceState {
			row, err := s.Sources.Row(t.Context(), "team")
			ok(t, err)
			return row.State
		}
		clock.Add(90 * time.Minute)
		if n := silence(); n != 0 {
			t.Errorf("%d too early", n)
		}
		ok(t, s.Sources.Keep(t.Context(), &models.SourceRequest{Source: "team", Verified: true, State: models.RequestAccepted, Accepted: 1}))
		at := *state().LastEventAt
		clock.Add(110 * time.Minute)
		if n := silence(); n != 0 {
			t.Errorf("%d too early after an event", n)
		}
		clock.Add(11 * time.Minute)
		if n := silence(); n != 1 {
			t.Errorf("%d are silent", n)
		}
		if n := silence(); n != 0 {
			t.Errorf("%d became silent again", n)
		}
		if is := state(); is.SilentSince == nil || !is.SilentSince.Equal(at) {
			t.Errorf("silent: %+v, the last event came at %v", is, at)
		}
		var events []models.Event
		ok(t, s.DB().Find(&events, "type = ?", models.SourceSilentEvent).Error)
		if len(events) != 1 || events[0].Subject != "team" || events[0].Location != "main" || !bytes.Contains(events[0].Payload, []byte(`"expect_hours":2`)) {
			t.Errorf("events: %+v", events)
		}
		// Another expectation decides anew.
		src, err := s.Sources.Get(t.Context(), "team")
		ok(t, err)
		for _, hours := range []int64{100, 0, 2} {
			src, _, err = s.Sources.Update(t.Context(), mary, "team", src.UpdatedAt, models.SourceInput{Kind: "generic", Location: "main", ExpectHours: hours})
			ok(t, err)
			if n := silence(); (state().SilentSince != nil) != (hours == 2) || (n == 1) != (hours == 2) {
				t.Errorf("expected every %d hours: %d are silent, %+v", hours, n, state())
			}
		}
		s.Sources.Count("team", 3) // as of a follower, and it clears by itself
		ok(t, s.Sources.Flush(t.Context()))
		if is := state(); is.SilentSince != nil {
			t.Errorf("after an event: %+v", is)
		}
		hours, err := s.Sources.Hours(t.Context(), []string{"team"}, clock.Now().Add(-24*time.Hour))
		ok(t, err)
		sum := int64(0)
		for _, h := range hours["team"] {
			sum += h.Events
		}
		if sum != 4 {
			t.Errorf("%d events are counted: %v", sum, hours)
		}
	})
}

func TestCursor(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		put := func(in models.CursorInput) (models.SourceCursor, error) {
			return s.Sources.PutCursor(t.Context(), mary, "answer", in)
		}
		if _, _, err := s.Sources.Cursor(t.Context(), "answer"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("before the first report: %v", err)
		}
		if _, err := put(models.CursorInput{Holder: "a", Location: "nowhere"}); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("for an unknown location: %v", err)
		}
		c, err := put(models.CursorInput{Holder: "a", Place: new("17"), Location: "main", BehindSeconds: 4, Skipped: 1, LastSkipped: "bad", Lease: 30 * time.Second})
		ok(t, err)
		_, src, err := s.Sources.Cursor(t.Context(), "answer")
		ok(t, err)
		if src.Kind != models.KindFollower || src.Location != "main" || src.Address != "" || c.Place != "17" {
			t.Errorf("registered as %+v, %+v", src, c)
		}
		_, err = put(models.CursorInput{Holder: "b", Place: new("3"), Lease: time.Minute})
		if leased, is := errors.AsType[*models.LeasedError](err); !is || !leased.Until.Equal(*c.LeasedUntil) || leased.Holder != "a" {
			t.Errorf("another follower: %v", err)
		}
		clock.Add(time.Minute)
		if _, err := put(models.CursorInput{Holder: "b", Place: new("3"), Lease: time.Minute}); err == nil {
			t.Error("another follower stored its place without taking the lease")
		}
		_, err = put(models.CursorInput{Holder: "b", Lease: time.Minute})
		ok(t, err)
		if _, err := put(models.CursorInput{Holder: "a", Place: new("3"), Lease: time.Minute}); err == nil {
			t.Error("a follower stored its place after its lease was taken")
		}
		_, err = put(models.CursorInput{Holder: "b", Place: new("17"), Lease: time.Minute, Skipped: 1, BehindSeconds: 9, Error: "the database is away"})
		ok(t, err)
		if row, err := s.Sources.Row(t.Context(), "answer"); err != nil || row.State.Error != "the database is away" || row.State.ErrorAt == nil {
			t.Errorf("%+v, %v", row.State, err)
		}
		c, _, err = s.Sources.Cursor(t.Context(), "answer")
		ok(t, err)
		if c.Place != "17" || c.Skipped != 2 || c.LastSkipped != "bad" || c.LeasedBy != "b" {
			t.Errorf("after its lease: %+v", c)
		}
		if now := clock.Now(); c.Behind(now) != 9*time.Second || c.Behind(now.Add(10*time.Minute)) < 10*time.Minute {
			t.Errorf("behind by %v, later by %v", c.Behind(now), c.Behind(now.Add(10*time.Minute)))
		}
		_, err = put(models.CursorInput{Holder: "b", Place: new("18"), BehindSeconds: 9})
		ok(t, err)
		if row, err := s.Sources.Row(t.Context(), "answer"); err != nil || row.State.Error != "" || row.State.ErrorAt != nil || row.Cursor.LeasedBy != "" {
			t.Errorf("after its end: %+v, %+v, %v", row.State, row.Cursor, err)
		}
		if _, err := put(models.CursorInput{Holder: "b", Location: "team"}); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("for another location: %v", err)
		}
		newSource(t, s, "inbound")
		if _, err := s.Sources.PutCursor(t.Context(), mary, "inbound", models.CursorInput{Holder: "b"}); !errors.Is(err, models.ErrOtherKind) {
			t.Errorf("of another kind: %v", err)
		}
	})
}

// TestSourcesAreRekeyed: secrets and addresses are sealed with the first key.
func TestSourcesAreRekeyed(t *testing.T) {
	old, newKey := modelstest.Key(), bytes.Repeat([]byte{9}, secret.KeySize)
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			o := modelstest.Options(t, kind)
			open := func(keys ...[]byte) *models.Store {
				t.Helper()
				var err error
				o.Box, err = secret.NewBox(keys...)
				ok(t, err)
				return modelstest.Open(t, o)
			}
			s := open(old)
			newSource(t, s, "team", "one", "two")
			_, token, err := s.Sources.Create(t.Context(), mary, "address", models.SourceInput{Kind: "custom", Location: "main"})
			ok(t, err)
			s.Close()
			s = open(newKey, old)
			n, err := s.Rekey(t.Context())
			ok(t, err)
			s.Close()
			s = open(newKey)
			src, err := s.Sources.Get(t.Context(), "team")
			ok(t, err)
			secrets, err := s.Sources.Open(src)
			ok(t, err)
			shown, err := s.Sources.Reveal(t.Context(), mary, "address", models.PartURL, "address")
			if n != 2 || err != nil || shown != token || secrets != [2]string{"one", "two"} {
				t.Errorf("%d, %v, %q, %q", n, err, shown, secrets)
			}
		})
	}
}

// TestEventsOfSourcesMergeApart: the same post of two sources is two posts.
func TestEventsOfSourcesMergeApart(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		var events []models.NewEvent
		for i, source := range []string{"", "", "a", "a", "b"} {
			events = append(events, models.NewEvent{
				EventID: strconv.Itoa(i), Type: "question.edited", Location: "main", MergeKey: "main/question.edited/1", Subject: "1",
				Source: source, Via: strings.ToUpper(source), Payload: []byte("{}"),
			})
		}
		_, _, err := s.Events.Record(t.Context(), events)
		ok(t, err)
		var keys []string
		ok(t, s.DB().Raw("select distinct merge_key from pending_events order by merge_key").Scan(&keys).Error)
		if !slices.Equal(keys, []string{"a:main/question.edited/1", "b:main/question.edited/1", "main/question.edited/1"}) {
			t.Errorf("merge keys: %q", keys)
		}
		e, err := s.Events.Get(t.Context(), "main", "4")
		ok(t, err)
		if e.Source != "b" || e.Via != "B" {
			t.Errorf("read as %+v", e)
		}
	})
}
