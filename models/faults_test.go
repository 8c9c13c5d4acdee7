package models_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

var errDisk = fmt.Errorf("the disk fails: %w", &models.UnableError{Why: "disk full"})

// faults makes a statement of a store fail while it is on.
type faults struct {
	on      bool
	left    int  // statements that succeed before one fails
	lasting bool // those after it fail as well
	hit     bool
}

// breakable lets statements of a store fail.
func breakable(t *testing.T, s *models.Store) *faults {
	t.Helper()
	f := &faults{}
	fail := func(tx *gorm.DB) {
		if !f.on || tx.DryRun {
			return
		}
		if f.left--; f.left == -1 || f.left < 0 && f.lasting {
			f.hit = true
			_ = tx.AddError(errDisk)
		}
	}
	for _, handle := range s.Handles() {
		c := handle.Callback()
		ok(t, errors.Join(
			c.Create().Before("gorm:create").Register("fault:create", fail), c.Query().Before("gorm:query").Register("fault:query", fail),
			c.Update().Before("gorm:update").Register("fault:update", fail), c.Delete().Before("gorm:delete").Register("fault:delete", fail),
			c.Row().Before("gorm:row").Register("fault:row", fail), c.Raw().Before("gorm:raw").Register("fault:raw", fail)))
	}
	return f
}

// step does something with the database. The whole of it is one transaction,
// unless chunks says that it may store a part and do the rest when it is repeated.
type step struct {
	what    string
	do      func() error
	chunks  bool
	lasting bool // it is tried again by itself, so that only a lasting fault ends it
	reads   bool // it stores nothing even when it succeeds
}

// each breaks every statement of a step in turn: the fault is reported, and nothing
// is stored in part. At last the step is done without a fault.
func (f *faults) each(t *testing.T, s *models.Store, one step) {
	t.Helper()
	before := modelstest.Dump(t, s)
	for n := 0; ; n++ {
		if n == 100 {
			t.Fatalf("%s: statement %d fails as well", one.what, n)
		}
		*f = faults{on: true, left: n, lasting: one.lasting}
		err := one.do()
		f.on = false
		if !f.hit {
			if err != nil || n == 0 {
				t.Fatalf("%s: %d statements, without a fault: %v", one.what, n, err)
			}
			if one.reads && modelstest.Dump(t, s) != before {
				t.Errorf("%s: it changes the database", one.what)
			}
			return
		}
		if !errors.Is(err, errDisk) {
			t.Fatalf("%s: when statement %d fails it says %v", one.what, n+1, err)
		}
		if !one.chunks && !one.reads && modelstest.Dump(t, s) != before {
			t.Errorf("%s: when statement %d fails a part is stored", one.what, n+1)
		}
	}
}

// only returns the error of a call whose other results do not matter.
func only[T any](_ T, err error) error { return err }

func only2[T, U any](_ T, _ U, err error) error { return err }

func TestFaultsOfTheDatabaseWhileMembersChange(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		addMary(t, s)
		f, users := breakable(t, s), s.Users
		jane, err := users.Invite(t.Context(), mary, models.User{Email: "jane@example.com", Role: models.RoleAdministrator})
		ok(t, err)
		tokens := make([]int64, 2)
		for i := range tokens {
			plain, err := s.Tokens.Issue(t.Context(), jane.Actor(), models.Token{Name: "crm", Scope: models.ScopeIngest, Location: "main"})
			ok(t, err)
			tok, err := s.Tokens.Authenticate(t.Context(), plain)
			ok(t, err)
			tokens[i] = tok.ID
		}
		w, err := s.Webhooks.Create(t.Context(), jane.Actor(), input())
		ok(t, err)
		ok(t, s.Sessions.Save(t.Context(), models.Session{Key: "of jane", UserID: jane.ID, Data: []byte{}}))
		hash := "hash of a password"
		for _, one := range []step{
			{what: "invite", do: func() error {
				return only(users.InviteByMail(t.Context(), mary, models.User{Email: "new@example.com", Role: models.RoleViewer, Limited: true}))
			}},
			{what: "list", do: func() error { return only(users.Members(t.Context())) }},
			{what: "change role", do: func() error {
				return only(users.SetRole(t.Context(), mary, jane.ID, models.RoleViewer, tokens[0]))
			}},
			{what: "give password", do: func() error { return only(users.GivePassword(t.Context(), mary, jane.ID, hash)) }},
			{what: "remove", do: func() error { return only(users.Remove(t.Context(), mary, jane.ID, tokens[1])) }},
		} {
			f.each(t, s, one)
		}
		_, err = users.Get(t.Context(), jane.ID)
		want(t, "removed", err, models.ErrNotFound)
		w, err = s.Webhooks.Get(t.Context(), models.AllLocations(), w.ID)
		ok(t, err)
		if w.OwnerID != 0 {
			t.Errorf("her webhook is owned by %d", w.OwnerID)
		}
		said := lines(t, s, 100)
		for _, action := range []string{"member.added|new@", "member.role|jane@", "member.password|jane@", "member.removed|jane@", "token.revoked|"} {
			n := 0
			for _, line := range said {
				if strings.HasPrefix(line, action) {
					n++
				}
			}
			if wanted := map[bool]int{true: 2, false: 1}[action == "token.revoked|"]; n != wanted {
				t.Errorf("the audit log has %d times %s:\n%s", n, action, strings.Join(said, "\n"))
			}
		}
	})
}

func TestFaultsOfTheDatabaseWhileSourcesChange(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		ok(t, s.Locations.Ensure(t.Context(), "team-a", "Team a"))
		f, in := breakable(t, s), models.SourceInput{Kind: "custom", Location: "main", Program: ".", ExpectHours: 2}
		in.Secrets[0].Set = "one secret"
		var src models.Source
		create := func() (err error) {
			src, _, err = s.Sources.Create(t.Context(), mary, "team", in)
			return err
		}
		update := func() error {
			now := in
			now.Location, now.Program, now.ExpectHours, now.NewAddress = "team-a", ".a", 3, true
			return only2(s.Sources.Update(t.Context(), mary, "team", src.UpdatedAt, now))
		}
		for _, one := range []step{
			{what: "create", do: create},
			{what: "update", do: update},
			{what: "keep a request", lasting: true, do: func() error {
				return s.Sources.Keep(t.Context(), &models.SourceRequest{Source: "team", Verified: true, State: models.RequestAccepted, Accepted: 2})
			}},
			{what: "count events", do: func() error {
				if !f.hit {
					s.Sources.Count("team", 5)
				}
				return s.Sources.Flush(t.Context())
			}},
			{what: "reveal", do: func() error {
				return only(s.Sources.Reveal(t.Context(), mary, "team", models.PartSecret1, "signing secret 1"))
			}},
		} {
			f.each(t, s, one)
		}
		clock.Add(3*time.Hour + time.Second)
		silent := 0
		f.each(t, s, step{what: "silence", do: func() error {
			n, err := s.Sources.Silence(t.Context())
			silent += n
			return err
		}})
		want(t, "silent sources", silent, 1)
		text := strings.Join(lines(t, s, 10), "\n")
		for _, says := range []string{"location main → team-a; program changed; expected every 2 → 3 hours", "new address", "source.revealed|source \"team\" (custom)|signing secret 1"} {
			want(t, says, strings.Count(text, says), 1)
		}
		f.each(t, s, step{what: "delete", do: func() error { return s.Sources.Delete(t.Context(), mary, "team") }})
		_, err := s.Sources.Get(t.Context(), "team")
		want(t, "deleted", err, models.ErrNotFound)
	})
}

// TestEventsCountedDuringAFaultAreCountedLater: what could not be stored is stored by
// the next flush, together with what came meanwhile.
func TestEventsCountedDuringAFaultAreCountedLater(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		f := breakable(t, s)
		for range 3 {
			s.Sources.Count("team", 5)
			*f = faults{on: true}
			want(t, "during the fault", s.Sources.Flush(t.Context()), errDisk)
			f.on = false
		}
		s.Sources.Count("team", 0)
		s.Sources.Count("team", 1)
		ok(t, s.Sources.Flush(t.Context()))
		ok(t, s.Sources.Flush(t.Context())) // stores nothing twice
		hours, err := s.Sources.Hours(t.Context(), []string{"team"}, clock.Now().Add(-1e6*time.Hour))
		ok(t, err)
		sum := int64(0)
		for _, h := range hours["team"] {
			sum += h.Events
		}
		want(t, "events", sum, 16)
	})
}

// TestThereAreSoManySources: one source too many is refused, and so is a secret that
// is not of this key.
func TestThereAreSoManySources(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		src := newSource(t, s, "first", "one secret")
		var rows []models.Source
		for i := range models.MaxSources - 2 {
			row := src
			row.Name = "source-" + strconv.Itoa(i)
			rows = append(rows, row)
		}
		ok(t, s.DB().CreateInBatches(&rows, 100).Error)
		newSource(t, s, "last")
		_, _, err := s.Sources.Create(t.Context(), mary, "too-many", models.SourceInput{Kind: "generic", Location: "main"})
		want(t, "one too many", err, models.ErrManySources)
		_, _, err = s.Sources.Create(t.Context(), mary, "last", models.SourceInput{Kind: "generic", Location: "main"})
		want(t, "one that there is", err, models.ErrExists)

		other, err := s.Sources.Get(t.Context(), "source-7") // sealed for the first one
		ok(t, err)
		_, err = s.Sources.Open(other)
		if err == nil || !strings.Contains(err.Error(), "does not open") {
			t.Errorf("the secret of another: %v", err)
		}
		shown, err := s.Sources.Reveal(t.Context(), mary, "source-7", models.PartSecret1, "signing secret 1")
		if err == nil || shown != "" || strings.Contains(strings.Join(lines(t, s, 10), "\n"), "source.revealed") {
			t.Errorf("it shows %q, %v, and the audit log says %v", shown, err, lines(t, s, 10))
		}
	})
}

func TestFaultsOfTheDatabaseWhileEventsAreSentByHand(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		dispatchAtOnce(t, s)
		_, err := s.Users.Create(t.Context(), models.User{ID: mary.UserID, Email: "mary@example.com", Role: models.RoleAdministrator})
		ok(t, err)
		f, w, sends := breakable(t, s), create(t, s, nil), s.Sends
		for _, id := range []string{"a", "b", "c"} {
			ok(t, record(t, s, event(id)))
			deliver(t, s, w, "of "+id, id)
		}
		a, err := s.Events.Get(t.Context(), "main", "a")
		ok(t, err)
		made := func(id string, events ...int64) models.NewDelivery {
			return models.NewDelivery{Events: events, Delivery: models.Delivery{
				PublicID: id, WebhookID: w.ID, Location: "main", EventTypes: ",question.created,", Items: 1, Body: []byte("body"),
			}}
		}
		q := models.EventQuery{Location: "main", Search: "Title"}
		var can models.Sendable
		var send models.ManualSend
		var portion *models.ManualPortion
		for _, one := range []step{
			{what: "send one", do: func() error {
				return only2(sends.One(t.Context(), mary, "key of one", made("by-hand", a.ID), "event a"))
			}},
			{what: "count", do: func() (err error) {
				can, err = sends.Count(t.Context(), q, 0)
				return err
			}},
			{what: "start", do: func() (err error) {
				send, err = sends.Start(t.Context(), mary, models.ManualSend{Key: "key of all", WebhookID: w.ID, Query: q, Total: 3}, can, "all")
				return err
			}},
			{what: "read", do: func() (err error) {
				portion, err = sends.Next(t.Context())
				return err
			}},
			{what: "store", do: func() error {
				var rows []models.NewDelivery
				for i, e := range portion.Events {
					rows = append(rows, made("all-"+strconv.Itoa(i), e.ID))
				}
				return sends.Store(t.Context(), portion, rows)
			}},
			{what: "progress", do: func() error { return only(sends.Progress(t.Context(), send)) }},
		} {
			f.each(t, s, one)
		}
		p, err := sends.Progress(t.Context(), send)
		ok(t, err)
		want(t, "progress", p, models.ManualProgress{Left: 3})

		// What was asked for once is carried out once.
		publicID, again, err := sends.One(t.Context(), mary, "key of one", made("another", a.ID), "event a")
		if err != nil || !again || publicID != "by-hand" {
			t.Errorf("sent again: %s %v, %v", publicID, again, err)
		}
		same, err := sends.Start(t.Context(), mary, models.ManualSend{Key: "key of all", WebhookID: w.ID, Query: q, Total: 3}, can, "all")
		if err != nil || same.ID != send.ID {
			t.Errorf("started again: %+v, %v", same, err)
		}
		// One event is found by its id alone, however many have it in their title.
		can, err = sends.Count(t.Context(), models.EventQuery{Location: "main", Search: "b"}, 0)
		ok(t, err)
		want(t, "events of the id", len(can.Kinds), 1)

		// The end of one that may not go on is stored with its line in the audit log.
		_, err = sends.Start(t.Context(), mary, models.ManualSend{Key: "key of more", WebhookID: w.ID, Query: q, Total: 3}, can, "all")
		ok(t, err)
		ok(t, s.DB().Delete(&models.User{}, mary.UserID).Error)
		f.each(t, s, step{what: "end", do: func() error { return only(sends.Next(t.Context())) }})
		want(t, "audit", lines(t, s, 1)[0], `delivery.send_ended|webhook 1 "Python Accepted Answers"|Started by Mary Wilkins. The member who started it was removed.`)

		// Neither crosses locations, and nothing is stored.
		ok(t, s.Locations.Ensure(t.Context(), "team-a", "Team a"))
		before := modelstest.Dump(t, s)
		elsewhere := made("moved", a.ID)
		elsewhere.Location = "team-a"
		_, _, err = sends.One(t.Context(), mary, "another key", elsewhere, "event a")
		want(t, "one of another location", err, models.ErrMoved)
		q.Location = "team-a"
		_, err = sends.Start(t.Context(), mary, models.ManualSend{Key: "another key", WebhookID: w.ID, Query: q, Total: 3}, can, "all")
		want(t, "all of another location", err, models.ErrMoved)
		if after := modelstest.Dump(t, s); after != before {
			t.Error("what was refused is stored in part")
		}
	})
}

func TestFaultsOfTheDatabaseWhileItIsPruned(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		dispatchAtOnce(t, s)
		f, w := breakable(t, s), create(t, s, nil)
		newSource(t, s, "team", "x")
		ok(t, record(t, s, event("a")))
		finish(t, s, deliver(t, s, w, "ended", "a"), models.DeliveryDelivered, 200)
		held := create(t, s, func(in *models.WebhookInput) { in.Name = "Held" })
		ok(t, record(t, s, event("d")))
		deliver(t, s, held, "held", "d")
		ok(t, s.Webhooks.Pause(t.Context(), mary, held.ID))
		ok(t, s.Sessions.Save(t.Context(), models.Session{Key: "old", UserID: mary.UserID, Data: []byte{}}))
		ok(t, s.Sources.Keep(t.Context(), &models.SourceRequest{Source: "team", Verified: true, State: models.RequestAccepted, Accepted: 1}))
		clock.Add(40 * 24 * time.Hour)
		f.each(t, s, step{what: "prune", chunks: true, do: func() error {
			p, err := s.Pruning().Step(t.Context()) // each try begins a pass, as the job does
			if err == nil && p.More {
				t.Error("there is more to do")
			}
			return err
		}})
		want(t, "deliveries that are left", rowsLeft(t, s, "deliveries"), 1) // dropped now, and so remembered
		want(t, "state", get(t, s, "held").State, models.DeliveryDropped)
		want(t, "events that are left", rowsLeft(t, s, "events"), 1)
		for _, table := range []string{"sessions", "source_hours", "webhook_hours"} {
			want(t, table, rowsLeft(t, s, table), 0)
		}
	})
}

func rowsLeft(t *testing.T, s *models.Store, table string) (n int64) {
	t.Helper()
	ok(t, s.DB().Table(table).Count(&n).Error)
	return n
}
